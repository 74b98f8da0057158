import Audio
import Foundation
import Kernels
import Logging
import TensorFiles
import TestSupport
import Testing
import Whisper

@testable import Daemon

/// Recordings, data sets and words in interventions, by the embedded model and clips.
@Suite("What interventions are made of", .timeLimit(.minutes(5))) struct InterventionSourcesTests {
    private let model: LoadedModel
    private let input: AudioInput

    init() throws {
        let models = ModelService(
            registry: ModelRegistry(folder: NSTemporaryDirectory() + "auscult-none"), logger: Logger(label: "test"))
        model = try models.open(nil)
        input = try AudioInput.clip(named: "en-slt-01")
    }

    private final class Sink: TraceSink {
        var tensors: [String: Tensor] = [:]
        func begin(windows: Int?) {}
        func append(_ description: TracedTensor, _ tensor: Tensor) throws { tensors[description.hook] = tensor }
        func finish(_ summary: TraceSummary) {}
    }

    private func trace(
        _ changes: [String], _ hooks: [String] = ["encoder.ln_post"], of input: AudioInput? = nil,
        transcript: Bool = false
    ) throws -> [String: Tensor] {
        var request = TraceRequest(hooks: hooks)
        request.frames = .all
        request.interventions = changes.map { .text($0) }
        if transcript { request.transcript = TranscribeOptions() }
        let sink = Sink()
        _ = try TraceService(model: model, logger: Logger(label: "test")).trace(
            input ?? self.input, request, into: sink)
        return sink.tensors
    }

    private func words(padding: WindowPadding = .sound) throws -> [HeardWord] {
        var request = TranscriptionRequest()
        request.padding = padding
        return try TranscribeService(model: model, request).words(of: input.read(seconds: nil), turn: nil)
    }

    @Test("a word is the frames that its alignment gives it, by its number and by what it says")
    func word() throws {
        let words = try words()
        let (number, word) = try #require(
            words.enumerated().first { one in words.count { $0.text == one.element.text } == 1 })
        let frames = word.melFrames.lowerBound / 2..<(word.melFrames.upperBound + 1) / 2
        let expected = try trace([
            "encoder.ln_post @frames \(frames.lowerBound):\(frames.upperBound) substitute-padding"
        ])
        let clean = try trace([])
        for name in ["@word \(number + 1)", "@\"\(word.text)\"", "@word \"\(word.text)\""] {
            let found = try trace(["encoder.ln_post \(name) substitute-padding"])
            #expect(found["encoder.ln_post"]?.elements == expected["encoder.ln_post"]?.elements, "\(name)")
            #expect(found["encoder.ln_post"]?.elements != clean["encoder.ln_post"]?.elements)
        }
    }

    @Test("a word's tokens are those that spell it in what the decoder reads")
    func tokens() throws {
        let words = try words(padding: .mel)
        var request = TraceRequest(hooks: ["decoder.token_embedding"])
        request.transcript = TranscribeOptions()
        let summary = try TraceService(model: model, logger: Logger(label: "test")).trace(input, request, into: Sink())
        let read = try #require(summary.tokens.first), tokenizer = try model.tokenizer()
        for word in words {
            let tokens = try #require(word.tokens)
            #expect(tokenizer.decode(Array(read[tokens])) == word.text)
        }
        let (number, word) = try #require(words.enumerated().first), tokens = try #require(word.tokens)
        let spoken = try trace(
            ["decoder.blocks.0.mlp.1 @word \(number + 1) = zero"], ["decoder.blocks.0.mlp.1"], transcript: true)
        let rows = try #require(spoken["decoder.blocks.0.mlp.1"])
        #expect(rows.rows(tokens).elements.allSatisfy { $0 == 0 } && !rows.rows(0..<1).elements.allSatisfy { $0 == 0 })
        // In passes that are not the transcript's nobody knows them.
        let error = #expect(throws: WhisperError.self) { try trace(["decoder.blocks.0.mlp.1 @word 1 = zero"]) }
        #expect(error?.message.contains("--transcript") == true)
    }

    @Test("a word that is not there is refused with the words that are")
    func absent() throws {
        let first = try #require(words().first).text.filter { !$0.isWhitespace }
        for name in ["@word 999", "@\"xylophone quartz\""] {
            let error = #expect(throws: WhisperError.self) { try trace(["encoder.ln_post \(name) = zero"]) }
            #expect(error?.message.contains("1 \(first)") == true, "\(error?.message ?? "")")
        }
    }

    @Test("a patch puts in what the other clip has, at the same frames")
    func patch() throws {
        let other = try AudioInput.clip(named: "en-rms-01"), hook = "encoder.blocks.1"
        let theirs = try trace([], [hook], of: other), mine = try trace([], [hook])
        let patched = try trace(["\(hook) @frames 20:60 = patch demo:en-rms-01"], [hook])
        let (a, b, c) = (try #require(patched[hook]), try #require(theirs[hook]), try #require(mine[hook]))
        #expect(
            a.rows(20..<60).elements == b.rows(20..<60).elements
                && a.rows(60..<500).elements == c.rows(60..<500).elements)
        // A word of it at another place.
        let word = try trace(["\(hook) @frames 20:60 = patch demo:en-rms-01 @word 1"], [hook])
        #expect(word[hook]?.elements != a.elements)
    }

    @Test("a trace's file is a patch, with its own tensor for each hook point")
    func file() throws {
        let folder = try TemporaryFolder(), path = folder("t.safetensors")
        var request = TraceRequest(hooks: ["encoder.blocks.{1,2}"])
        request.frames = .valid
        let service = TraceService(model: model, logger: Logger(label: "test"))
        _ = try service.trace(AudioInput.clip(named: "en-rms-01"), request, to: path)
        let kept = try SafetensorsFile(path: path)
        let patched = try trace(["encoder.blocks.{1,2} = patch \(path)"], ["encoder.blocks.1", "encoder.blocks.2"])
        for hook in ["encoder.blocks.1", "encoder.blocks.2"] {
            let tensor = try kept.tensor(named: hook)
            #expect(patched[hook]?.rows(0..<tensor.shape[0]).elements == tensor.elements)
        }
        #expect(throws: (any Error).self) { try trace(["encoder.blocks.3 = patch \(path)"]) }
        #expect(throws: WhisperError.self) { try trace(["encoder.blocks.1 @frames 480:500 = patch \(path)"]) }
    }

    @Test("means, quantiles and draws are of a data set's recordings")
    func dataSets() throws {
        let folder = try TemporaryFolder(), hook = "encoder.blocks.1.mlp.1"
        let clips = ["en-slt-01", "en-rms-01"]
        for (number, clip) in clips.enumerated() {
            let bytes = try DemoClips.audio(of: DemoClips.named(clip)).bytes
            try Data(bytes).write(to: URL(fileURLWithPath: folder("\(number).flac")))
        }
        let set = folder("")
        let each = try clips.map { clip in
            var request = TraceRequest(hooks: [hook])
            request.frames = .valid
            let sink = Sink()
            _ = try TraceService(model: model, logger: Logger(label: "test")).trace(
                .clip(named: clip), request, into: sink)
            return try #require(sink.tensors[hook])
        }
        let column = each.flatMap { x in (0..<x.shape[0]).map { x[$0, 9] } }
        let mean = try #require(try trace(["\(hook) = mean over \(set)"], [hook])[hook])
        #expect(abs(mean[3, 9] - column.reduce(0, +) / Float(column.count)) < 1e-5)
        let top = try #require(column.max()), clean = try #require(try trace([], [hook])[hook])
        let held = try #require(try trace(["\(hook) @neurons 9 = clamp q1: over \(set)"], [hook])[hook])
        #expect((0..<500).allSatisfy { held[$0, 9] == max(clean[$0, 9], top) })
        // Of two recordings the other one is drawn, whatever the seed.
        let theirs = try #require(try trace([], [hook], of: .clip(named: "en-rms-01"))[hook])
        for seed in 0..<3 {
            #expect(try trace(["\(hook) = resample \(set) seed \(seed)"], [hook])[hook]?.elements == theirs.elements)
        }
    }

    @Test("a transcript is written under them, and one that changes nothing is the same")
    func transcript() throws {
        func text(_ changes: [String], beams: Int? = nil) throws -> String {
            var request = TranscriptionRequest()
            request.interventions = changes.map { .text($0) }
            request.options.decoding.beamSize = beams
            return try TranscribeService(model: model, request).transcribe(input).transcription.text
        }
        let clean = try text([])
        #expect(try text(["encoder.** = patch demo:en-slt-01", "decoder.blocks.* = patch demo:en-slt-01"]) == clean)
        #expect(try text(["encoder.ln_post @word 1-4 substitute-padding"]) != clean)
        #expect(try text(["decoder.** = patch demo:en-slt-01"], beams: 3) == text([], beams: 3))
    }

    @Test(
        "what is not there is refused before anything is heard",
        arguments: [
            ("encoder.ln_post = patch /no/such.wav", "/no/such.wav"), ("encoder.ln_post = patch demo:nobody", "nobody"),
            ("encoder.ln_post = resample /no/such/folder", "/no/such/folder"),
            ("encoder.ln_post = mean over relative", "absolute"),
            ("encoder.ln_post = patch there.wav", "absolute"),
            ("encoder.ln_post = patch demo:en-slt-01 @frames 0:501", "0:501"),
        ])
    func refused(text: String, word: String) {
        let error = #expect(throws: (any Error).self) { try InterventionSpec.text(text).intervention(model.dimensions) }
        #expect(error.map { "\($0)" }?.contains(word) == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test("live sound has no words to name, and takes patches")
    func live() throws {
        var options = LiveOptions()
        options.features = [.init(hook: "encoder.blocks.1.mlp.1", index: 3)]
        options.rolling = LiveOptions.Rolling()
        options.interventions = [.text("encoder.ln_post @word 1 = zero")]
        let error = #expect(throws: ServiceError.self) { try LiveLine(model: model, options: options) }
        #expect(error?.message.contains("before they are spoken") == true)
        options.interventions = [.text("encoder.blocks.0 = patch demo:en-rms-01")]
        let line = try LiveLine(model: model, options: options)
        // Its contexts have 160 frames, in which others do nothing.
        #expect(throws: WhisperError.self) { try line.steer([.text("encoder.blocks.0 @frames 200:300 = zero")]) }
        try line.steer([.text("encoder.blocks.0 @frames 100:300 = zero")])
    }
}
