import Audio
import Kernels
import Mel
import TestSupport
import Testing

@Suite("Log-mel of a recording, window by window")
struct RecordingMelTests {
    /// What openai-whisper's transcribe computes: the recording with 30 s of silence after it, at once.
    private func whole(_ samples: [Float], bands: Int) -> Tensor {
        LogMel(bands: bands).spectrogram(samples + [Float](repeating: 0, count: 480_000))
    }

    @Test(
        "equals the whole spectrogram to the last bit, wherever the windows lie",
        arguments: [
            1, 100, 159, 160, 199, 200, 201, 1000, 16_000, 123_457, 600_000,
        ])
    func equalsWhole(count: Int) throws {
        var random = SeededGenerator(seed: UInt64(count))
        let samples = random.floats(count, in: -1...1)
        let expected = whole(samples, bands: 80)
        let mel = try RecordingMel(SampleBuffer(samples), bands: 80)
        #expect(mel.bands == 80 && mel.contentFrames == count / 160)
        #expect(expected.shape[1] == mel.contentFrames + 3000)
        let end = mel.contentFrames + 3000
        for (start, frames) in [(0, end), (0, 1), (1, 2), (mel.contentFrames, 5), (end / 2, 77), (end - 3, 3), (5, 0)] {
            let window = try mel.window(from: start, count: frames)
            #expect(window.shape == [80, frames])
            #expect(window.elements == columns(expected, start..<start + frames), "\(frames) from \(start)")
        }
    }

    @Test("the loudest moment scales windows that do not hold it")
    func peakIsGlobal() throws {
        let samples = (0..<700_000).map { i -> Float in
            let (period, level): (Int, Float) = i > 650_000 ? (50, 0.9) : (7, 0.001)
            return i % period < period / 2 ? level : -level
        }
        let mel = try RecordingMel(SampleBuffer(samples), bands: 128)
        #expect(try mel.window(from: 0, count: 3000).elements == columns(whole(samples, bands: 128), 0..<3000))
    }

    @Test("past the appended silence there is more of it, without end")
    func pastTheEnd() throws {
        var random = SeededGenerator(seed: 9)
        let samples = random.floats(8000, in: -1...1)
        let mel = try RecordingMel(SampleBuffer(samples), bands: 80)
        let silence = whole(samples, bands: 80)[0, 3000]
        #expect(try mel.window(from: 1_000_000, count: 4).elements.allSatisfy { $0 == silence })
        #expect(try mel.window(from: 3045, count: 10).elements.allSatisfy { $0 == silence })
    }

    @Test(
        "equals openai-whisper's padded spectrogram",
        arguments: AudioFixtures.melCases.filter { $0.padding == "after 480000" })
    func equalsReference(_ golden: AudioFixtures.MelCase) throws {
        let mel = try RecordingMel(SampleBuffer(AudioFixtures.samples(golden.signal)), bands: golden.bands)
        let window = try mel.window(from: 0, count: golden.frames)
        #expect(largestDifference(golden.keptColumns(window), try golden.expected()) <= 1e-4)
    }

    @Test("a recording that lies in a temporary file gives the same")
    func spooled() throws {
        var random = SeededGenerator(seed: 10)
        let samples = random.floats(50_000, in: -1...1)
        var spool = SampleSpool(name: "x", memoryLimit: 1000)
        try samples.withUnsafeBufferPointer { try spool.append($0) }
        let buffer = spool.finish()
        #expect(buffer.isSpooled)
        let (a, b) = (try RecordingMel(buffer, bands: 80), try RecordingMel(SampleBuffer(samples), bands: 80))
        #expect(try a.window(from: 100, count: 400).elements == b.window(from: 100, count: 400).elements)
    }

    private func columns(_ mel: Tensor, _ range: Range<Int>) -> [Float] {
        let values = mel.elements
        return (0..<mel.shape[0]).flatMap { band in range.map { values[band * mel.shape[1] + $0] } }
    }
}
