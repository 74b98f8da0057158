import Audio
import Foundation
import Mel
import TestHost
import TestSupport
import Testing
import Whisper

@Suite("Attention statistics of the default model")
struct AttentionStatsModelTests {
    /// The definitions once more, as plainly as they can be written: one head of one clip.
    private struct Plain {
        var distance = 0.0, entropy = 0.0, padding = 0.0, sink = 0.0, near = 0.0, rows = 0

        mutating func add(_ pattern: [[Double]], valid: Int, sinkWidth: Int, within: Int) {
            for q in 0..<valid {
                rows += 1
                for (k, p) in pattern[q].enumerated() {
                    distance += p * Double(abs(q - k)) / 50
                    if p > 0 { entropy -= p * log(p) }
                    if k >= valid { padding += p }
                    if k >= valid && k < valid + sinkWidth { sink += p }
                    if abs(q - k) <= within { near += p }
                }
            }
        }
    }

    @Test("On embedded clips the plugin and a plain computation agree")
    func demoClips() throws {
        let models = URL(fileURLWithPath: Fixtures.path("")).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("models").path
        let model = try WhisperModel(Checkpoint.open(models + "/default"))
        let size = model.dimensions, mel = LogMel(bands: size.nMels)
        let hooks = try Set(HookPoint.matching("encoder.blocks.*.attn.pattern", in: size))
        var clips: [TestClip] = []
        var plain = Array(repeating: Plain(), count: size.nAudioLayer * size.nAudioHead)
        for (number, name) in ["en-slt-01", "fr-male-01", "nonspeech-tone"].enumerated() {
            let sound = try SampleBuffer.read(.file("\(models)/demo/\(name).flac")).readAll()
            var made = TestClip()
            made.recording = UInt64(number)
            made.name = name
            made.validFrames = min(size.nAudioCtx, EncoderFrames.valid(sampleCount: sound.count))
            let plan = HookPlan(captures: hooks, validFrames: made.validFrames)
            let run = try HookRun(plan, dimensions: size) { captured in
                let layer = clipLayer(captured.hook.name), shape = captured.tensor.shape
                let values = captured.tensor.withUnsafeBufferPointer(Array.init)
                made.tensors.append(
                    TestTensor(captured.hook.name, axes: captured.axes, shape: shape, values: values))
                for head in 0..<shape[0] {
                    let pattern = (0..<shape[1]).map { q in
                        (0..<shape[2]).map { Double(values[(head * shape[1] + q) * shape[2] + $0]) }
                    }
                    plain[layer * size.nAudioHead + head]
                        .add(pattern, valid: made.validFrames, sinkWidth: 25, within: 10)
                }
            }
            _ = try model.encode(mel.window(sound, windowSamples: size.nAudioCtx * 320), hooks: run)
            clips.append(made)
        }
        let heads = try AttentionStatsRun().heads(clips)
        #expect(heads.count == plain.count && heads.count == 20)
        for (head, expected) in zip(heads, plain) {
            let rows = Double(expected.rows)
            #expect(head.number("rows") == rows)
            for (column, sum) in [
                ("distance", expected.distance), ("entropy", expected.entropy), ("padding", expected.padding),
                ("sink", expected.sink), ("within 10", expected.near),
            ] {
                #expect(abs(head.number(column) - sum / rows) < 1e-9, "\(column)")
            }
        }
    }
}

private func clipLayer(_ hook: String) -> Int { Int(hook.split(separator: ".")[2]) ?? -1 }
