import Audio
import DataSets
import Foundation
import Kernels
import Logging
import Mel
import PluginHost
import TestSupport
import Testing
import Whisper

@testable import Daemon

@Suite("Passes over windows", .timeLimit(.minutes(5))) struct WindowPassTests {
    private let model: LoadedModel
    private let service: TraceService
    /// A window and a half of what the default model hears at a time.
    private let long: AudioInput
    private let short: AudioInput

    init() throws {
        model = try embeddedModel()
        service = TraceService(model: model, logger: Logger(label: "test"))
        short = try AudioInput.clip(named: "en-slt-01")
        long = try AudioInput.clip(named: "en-long-01")
    }

    /// Passes of the encoder that `body` makes.
    private func passes(_ body: () throws -> Void) throws -> Int {
        let whisper = try model.model()
        let before = whisper.encoderPasses
        try body()
        return whisper.encoderPasses - before
    }

    private func windows(_ input: AudioInput) throws -> Int {
        try WindowSource(model.dimensions).windows(of: SampleBuffer.read(input.source)).count
    }

    @Test(
        "a trace encodes each window once, whatever the decoder reads",
        arguments: [
            TraceRequest.DecoderInput.greedy, .text("a text"), .tokens([1, 2, 3]),
        ])
    func trace(input: TraceRequest.DecoderInput) throws {
        var request = TraceRequest(hooks: ["encoder.ln_post", "decoder.ln", "decoder.logits"])
        request.decoderInput = input
        let count = try windows(long)
        #expect(count > 1)
        #expect(try passes { _ = try service.trace(long, request, into: KeptTensors()) } == count)
        #expect(try passes { _ = try service.trace(short, request, into: KeptTensors()) } == 1)
    }

    @Test(
        "a plugin's windows are encoded once each, with hooks in both stacks, in one, and with tokens alone",
        arguments: [["encoder.ln_post", "decoder.ln"], ["encoder.blocks.0"], ["decoder.ln"], []], [false, true])
    func plugin(hooks: [String], decoder: Bool) async throws {
        var needs = PluginNeedsValue()
        (needs.hooks, needs.decoder) = (hooks, decoder)
        let capture = try PluginCapture(needs, interventions: [], plugin: "test", model: model)
        let (model, input) = (model, long)
        let whisper = try model.model()
        let before = whisper.encoderPasses
        let clips = try await InferenceQueue().run(client: ClientID(1)) { turn in
            var clips: [PluginClipValue] = []
            let samples = try SampleBuffer.read(input.source)
            let item = DataSetItem(name: "long", source: .path("long"))
            try capture.forEachWindow(of: item, samples, turn: turn) { clips.append($0) }
            return clips
        }
        let nothing = hooks.isEmpty && !decoder
        #expect(whisper.encoderPasses - before == (nothing ? 0 : try windows(long)))
        for clip in clips {
            #expect(clip.tensors.map(\.hook) == hooks)
            #expect((clip.tokens?.isEmpty == false) == decoder)
        }
    }

    @Test("live sound is encoded once a look, whether it is written down, read out, or both", arguments: [false, true])
    func live(writes: Bool) throws {
        var options = LiveOptions()
        options.transcribes = writes
        options.features = [LiveOptions.Feature(hook: "encoder.blocks.0.mlp.1", index: 3)]
        let session = try LiveSession(model: model, options: options)
        let samples = try SampleBuffer.read(short.source).readAll().map { Int16(clamping: Int($0 * 32767)) }
        for piece in [samples[..<16000], samples[16000...]] {
            session.append(Array(piece))
            #expect(try passes { _ = try session.step(nil) } == 1)
        }
    }

    @Test("a transcription encodes each window once, and so does a trace of its transcript")
    func transcripts() throws {
        var request = TranscriptionRequest()
        request.options.decoding.language = "en"
        let transcripts = try TranscribeService(model: model, request)
        let sink = KeptTensors()
        var wanted = TraceRequest(hooks: ["log_mel", "encoder.ln_post", "decoder.ln"])
        wanted.transcript = request.options
        var transcript: Transcript?, summary: TraceSummary?
        let written = try passes { transcript = try transcripts.transcribe(long) }
        let traced = try passes { summary = try service.trace(long, wanted, into: sink) }
        let (found, told) = (try #require(transcript), try #require(summary))
        #expect(told.windows > 1 && written == told.windows && traced == told.windows)
        #expect(told.padding == .mel && told.tokens.count == told.windows && told.promptTokens.count == told.windows)

        // The tokens behind the prompts are the transcript's, window by window.
        let tokenizer = try model.tokenizer()
        let whole = try RecordingMel(SampleBuffer.read(long.source), bands: model.dimensions.nMels)
        for (index, start) in told.windowStarts.enumerated() {
            let seek = Int((start * 100).rounded())
            let segments = found.transcription.segments.filter { $0.seek == seek }
            let (prompt, tokens) = (told.promptTokens[index], told.tokens[index])
            #expect(Array(tokens.dropFirst(prompt)) == segments.flatMap(\.tokens))
            if index == 0, !tokens.isEmpty { #expect(tokens.first == tokenizer.startOfTranscript) }
            // And what is captured is what the encoder makes of the log-mel that the transcription heard.
            let frames = min(model.dimensions.melFrames, whole.contentFrames - seek)
            let mel = try whole.window(from: seek, count: frames, paddedTo: model.dimensions.melFrames)
            let audio = try model.model().encode(mel)
            let captured = try #require(sink.tensors["encoder.ln_post@window\(index + 1)"])
            #expect(captured.elements == audio.rows(0..<captured.shape[0]).elements)
            #expect(
                sink.tensors["log_mel@window\(index + 1)"]?.shape == [model.dimensions.nMels, 2 * ((frames + 1) / 2)])
            #expect(sink.tensors["decoder.ln@window\(index + 1)"]?.shape.first == (tokens.isEmpty ? nil : tokens.count))
        }
        #expect(told.windowStarts == told.windowStarts.sorted() && Set(told.windowStarts).count == told.windows)
    }

    @Test("a transcript's trace without its decoder still has its windows; one of a part of the window is refused")
    func transcriptOfTheEncoder() throws {
        var request = TraceRequest(hooks: ["encoder.blocks.1"])
        request.transcript = TranscribeOptions()
        let sink = KeptTensors()
        let summary = try service.trace(long, request, into: sink)
        #expect(sink.tensors.count == summary.windows && summary.tokens.count == summary.windows)
        request.context = .auto
        let error = #expect(throws: ServiceError.self) { try service.trace(long, request, into: KeptTensors()) }
        #expect(error?.code == .invalidArgument && error?.message.contains("context") == true)
    }

    @Test("the padding is that which was asked for, and is told")
    func padding() throws {
        let dimensions = model.dimensions
        let samples = try SampleBuffer.read(short.source)
        let all = LogMel(bands: dimensions.nMels).window(try samples.readAll(), windowSamples: dimensions.windowSamples)
        let whole = try RecordingMel(samples, bands: dimensions.nMels)
        let cut = try whole.window(from: 0, count: whole.contentFrames).padded(columns: dimensions.melFrames)
        for (padding, mel) in [(WindowPadding?.none, all), (.sound, all), (.mel, cut)] {
            var request = TraceRequest(hooks: ["log_mel", "encoder.ln_post"])
            request.frames = .all
            request.padding = padding
            let sink = KeptTensors()
            #expect(try service.trace(short, request, into: sink).padding == padding ?? .sound)
            #expect(sink.tensors["log_mel"]?.elements == mel.elements)
            #expect(sink.tensors["encoder.ln_post"]?.elements == (try model.model().encode(mel)).elements)
        }
        // Cut to the recording, what is left of both is the same log-mel.
        var request = TraceRequest(hooks: ["log_mel"])
        request.context = .auto
        let sound = KeptTensors(), mel = KeptTensors()
        _ = try service.trace(short, request, into: sound)
        request.padding = .mel
        _ = try service.trace(short, request, into: mel)
        #expect(sound.tensors["log_mel"]?.shape == mel.tensors["log_mel"]?.shape)
    }

    @Test("a transcription pads as it is told, and as a trace with the same padding does")
    func transcriptPadding() throws {
        for padding in WindowPadding.allCases {
            var request = TraceRequest(hooks: ["log_mel"])
            request.frames = .all
            request.transcript = TranscribeOptions()
            request.padding = padding
            let transcript = KeptTensors(), plain = KeptTensors()
            #expect(try service.trace(short, request, into: transcript).padding == padding)
            request.transcript = nil
            _ = try service.trace(short, request, into: plain)
            #expect(transcript.tensors["log_mel@window1"]?.elements == plain.tensors["log_mel"]?.elements)
        }
        var options = LiveOptions()
        options.transcribes = true
        options.padding = .mel
        #expect(
            try LiveSession(model: model, options: options).finish(nil).last
                == .end(duration: 0, skippedSteps: 0, padding: .mel))
    }
}
