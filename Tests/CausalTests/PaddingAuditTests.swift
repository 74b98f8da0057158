import PluginKit
import TestHost
import TestSupport
import Testing

@testable import PaddingAudit

/// An encoder of one hook point with two columns, of which padding moves the second at the last frame of the sound; and a decoder that says
/// "thanks" behind the words unless it may not attend to padding.
@Suite("Padding audit") struct PaddingAuditTests {
    private static let encoderMask = "encoder.blocks.*.attn.scores @neurons 50-1499 = clamp -1e30"
    private static let crossMask = "decoder.blocks.*.cross_attn.scores @neurons 50-1499 = clamp -1e30"

    private func services() -> TestServices {
        var services = TestServices()
        services.run = { samples, _, interventions, hooks in
            let frames = (samples?.count ?? 0) / 320
            var values = (0..<frames).flatMap { [Float(1), Float($0 == 10 ? 2 : 1)] }
            if interventions == [Self.encoderMask] { values[frames * 2 - 1] = 4 }
            return [
                TestTensor(
                    hooks[0], axes: ["frame", "state"], shape: [frames, 2], values: values, validPositions: frames)
            ]
        }
        services.transcribe = { _, _, interventions in
            interventions.contains(Self.crossMask) ? "one two" : "one two thanks"
        }
        return services
    }

    private func instance(_ folder: TemporaryFolder, _ arguments: [String: String] = [:]) throws -> TestInstance {
        try TestPlugin.built("padding-audit", in: folder.path).instance(
            arguments.merging(["hooks": "encoder.blocks.0"]) { given, _ in given }, services: services())
    }

    @Test("what rests on padding is found, in the encoder and in what is written, and where")
    func audit() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder)
        try instance.run([recording(0, "one two"), recording(1, "one two")])
        let row = try #require(try instance.rows("hooks").first)
        // 3² of 50 × 2 + 3 squares; the second column's largest frame is the last instead of the tenth.
        #expect(abs(row.number("relative") - (9.0 / 103).squareRoot()) < 1e-12)
        #expect(abs(row.number("at_the_end") - (9.0 / 10).squareRoot()) < 1e-12)
        #expect(row.number("largest_frame_moves") == 0.5 && row.number("frames") == 100)
        let profile = try instance.matrix("profile")
        #expect(profile.shape == [1, 6] && profile.values[1...3].allSatisfy { $0 == 0 })
        // No sound is longer than the last bound but one.
        #expect(profile.values[4].isNaN && profile.values[5].isNaN)
        let masks = try instance.rows("masks")
        #expect(masks.map { $0.text("masked") } == ["nothing", "encoder", "cross", "both"])
        #expect(masks.map { $0.number("wer") } == [0.5, 0.5, 0, 0])
        #expect(masks.map { $0.number("differing") } == [0, 0, 2, 2])
        #expect(try instance.rows("transcripts")[0].text("difference") == "one two [-thanks-]")
    }

    @Test("a window without padding is passed over, and a recording of several is not written down")
    func full() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder)
        var first = recording(0)
        (first.validFrames, first.windowCount) = (1500, 2)
        var second = recording(0)
        (second.window, second.windowCount) = (1, 2)
        try instance.run([first, second])
        #expect(try instance.text("summary").hasPrefix("1 windows with padding; 1 without it were passed over."))
        #expect(!instance.has("masks"))
        #expect(instance.log.contains { $0.contains("0.wav takes several windows") })
    }

    @Test("two shares make one run, and a damaged state is refused")
    func merged() throws {
        let folder = try TemporaryFolder()
        let whole = try instance(folder), merged = try instance(folder)
        try whole.run([recording(0, "one"), recording(1)])
        for clip in [recording(1), recording(0, "one")] {
            let part = try instance(folder)
            try part.activate()
            try part.process(clip)
            try merged.merge(part.save())
        }
        try merged.activate()
        try merged.finish()
        for output in ["hooks", "masks", "transcripts"] {
            #expect(try merged.lines(output) == whole.lines(output), "\(output)")
        }
        #expect(throws: TestHostError.self) { try instance(folder).merge([0, 1]) }
    }

    @Test("sums that are not finite are not taken in")
    func finite() {
        var change = HookChange()
        let isTaken = [Float.nan, 1].withUnsafeBufferPointer { change.add([1, 1], $0, frames: 1, columns: 2) }
        #expect(!isTaken && change.columns == 0)
    }

    @Test(
        "nonsense is refused in words", arguments: [["hooks": ""], ["hooks": "decoder.blocks.0"], ["transcripts": "x"]])
    func refused(_ arguments: [String: String]) throws {
        let folder = try TemporaryFolder()
        #expect(throws: TestHostError.self) { try instance(folder, arguments) }
    }
}
