import Foundation
import Kernels
import Testing
import Whisper

/// What a user may ask of a transcription, sensible or not; with the tiny model of the fixtures.
@Suite struct DecodingOptionTests {
    private let fixture: DecodingFixture
    private let transcriber: Transcriber

    init() throws {
        fixture = try DecodingFixture.load()
        transcriber = try fixture.transcriber()
    }

    private var clip: Tensor { get throws { try fixture.languages[0].mel.tensor } }
    private var recording: MelInMemory { get throws { MelInMemory(mel: try fixture.recordings[0].tensor) } }

    private static let nonsense: [(String, @Sendable (inout DecodingOptions) -> Void)] = [
        ("no beam", { $0.beamSize = 0 }),
        ("a negative number of beams", { $0.beamSize = -1 }),
        ("beams without number", { $0.beamSize = .max }),
        (
            "beams and samples",
            {
                $0.beamSize = 2; $0.bestOf = 2
            }
        ),
        ("best of alike samples", { $0.bestOf = 2 }),
        (
            "best of none",
            {
                $0.temperature = 1; $0.bestOf = 0
            }
        ),
        (
            "beams at a temperature",
            {
                $0.temperature = 1; $0.beamSize = 2
            }
        ),
        ("patience without beams", { $0.patience = 1 }),
        (
            "no patience",
            {
                $0.beamSize = 2; $0.patience = 0
            }
        ),
        (
            "endless patience",
            {
                $0.beamSize = 2; $0.patience = .infinity
            }
        ),
        (
            "patience that is no number",
            {
                $0.beamSize = 2; $0.patience = .nan
            }
        ),
        ("a length penalty above 1", { $0.lengthPenalty = 1.5 }),
        ("a length penalty that is no number", { $0.lengthPenalty = .nan }),
        ("a negative temperature", { $0.temperature = -1 }),
        ("a temperature that is no number", { $0.temperature = .nan }),
        ("no sample", { $0.sampleLength = 0 }),
        ("a sample longer than the context", { $0.sampleLength = .max }),
        ("an endless first timestamp", { $0.maxInitialTimestamp = .infinity }),
        ("a token outside the vocabulary", { $0.suppressTokens = [361] }),
        ("a negative token", { $0.suppressTokens = [-2] }),
        ("all tokens suppressed", { $0.suppressTokens = Array(0..<361) }),
        ("a prompt outside the vocabulary", { $0.prompt = .tokens([.max]) }),
        ("a prefix outside the vocabulary", { $0.prefix = .tokens([-1]) }),
        ("a prefix longer than the context", { $0.prefix = .text(String(repeating: "the ", count: 99)) }),
        ("an unknown language", { $0.language = "klingon" }),
        ("a language of another model", { $0.language = "de" }),
        ("an empty language", { $0.language = "" }),
    ]

    @Test(arguments: nonsense.map(\.0))
    func `A window is not decoded with`(what: String) throws {
        let change = try #require(Self.nonsense.first { $0.0 == what }?.1)
        var options = DecodingOptions()
        options.language = "en"
        change(&options)
        let error = #expect(throws: WhisperError.self) { try transcriber.decode(clip, options: options) }
        #expect(error?.code == .invalidArgument)
    }

    private static let transcriptionNonsense: [(String, @Sendable (inout TranscribeOptions) -> Void)] = [
        ("no temperature", { $0.temperatures = [] }),
        ("a temperature that is no number", { $0.temperatures = [0, .nan] }),
        ("a clip before the recording", { $0.clipTimestamps = [-1] }),
        ("a clip at no time", { $0.clipTimestamps = [.nan, 3] }),
        ("an endless clip", { $0.clipTimestamps = [0, .infinity] }),
        ("a silence of no length", { $0.hallucinationSilenceThreshold = .nan }),
        ("no beam", { $0.decoding.beamSize = 0 }),
        ("an unknown language", { $0.decoding.language = "xx" }),
    ]

    @Test(arguments: transcriptionNonsense.map(\.0))
    func `A recording is not transcribed with`(what: String) throws {
        let change = try #require(Self.transcriptionNonsense.first { $0.0 == what }?.1)
        var options = TranscribeOptions()
        change(&options)
        let error = #expect(throws: WhisperError.self) { try transcriber.transcribe(recording, options: options) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `The error for an unknown language lists those the model knows`() throws {
        var options = DecodingOptions()
        options.language = "german"
        let error = #expect(throws: WhisperError.self) { try transcriber.decode(clip, options: options) }
        #expect(error?.message.contains("\"german\"") == true && error?.message.contains("en, fr") == true)
    }

    @Test func `A model without a vocabulary transcribes nothing, and says what is missing`() throws {
        let error = #expect(throws: WhisperError.self) { try Transcriber(transcriber.model, vocabulary: nil) }
        #expect(error?.message.contains("vocabulary") == true)
    }

    @Test func `Alignment heads that the model does not have are refused`() throws {
        let config = GenerationConfig(alignmentHeads: [.init(layer: 2, head: 0)])
        #expect(throws: WhisperError.self) {
            try Transcriber(transcriber.model, vocabulary: fixture.vocabulary, generation: config)
        }
        #expect(transcriber.alignmentHeads == [.init(layer: 1, head: 0), .init(layer: 1, head: 1)])
    }

    @Test func `A log-mel of other bands is refused`() throws {
        let error = #expect(throws: WhisperError.self) {
            try transcriber.transcribe(MelInMemory(mel: Tensor(shape: [80, 100])))
        }
        #expect(error?.message.contains("80") == true && error?.message.contains("8") == true)
    }

    @Test func `An empty recording has no text`() throws {
        let result = try transcriber.transcribe(MelInMemory(mel: Tensor(shape: [8, 0])))
        #expect(result.text == "" && result.segments.isEmpty)
    }

    @Test(arguments: 1...4)
    func `A recording of a few frames is transcribed, with words too`(frames: Int) throws {
        var options = TranscribeOptions()
        options.wordTimestamps = true
        options.noSpeechThreshold = nil
        let mel = MelInMemory(mel: Tensor(shape: [8, frames]))
        #expect(try transcriber.transcribe(mel, options: options).segments.count <= frames)
    }

    @Test func `Clips beyond the recording end with it`() throws {
        var options = TranscribeOptions()
        options.temperatures = [0]
        options.clipTimestamps = [5, 1e6]
        let result = try transcriber.transcribe(recording, options: options)
        #expect(result.segments.allSatisfy { $0.start >= 5 && $0.seek < recordingFrames })
        options.clipTimestamps = [100, 200, 7, 2]
        #expect(try transcriber.transcribe(recording, options: options).segments.isEmpty)
    }

    private var recordingFrames: Int { fixture.recordings[0].frames }

    @Test func `Segments come as they are done, progress ends at the end, and a stop is an error`() throws {
        var options = TranscribeOptions()
        options.temperatures = [0]
        var streamed: [Segment] = []
        var progress: [Double] = []
        let result = try transcriber.transcribe(
            recording, options: options,
            observer: TranscriptionObserver(
                segment: { streamed.append($0) }, progress: { done, _ in progress.append(done) }))
        #expect(streamed.map(\.tokens) == result.segments.map(\.tokens))
        #expect(streamed.map(\.id) == Array(0..<streamed.count))
        #expect(progress == progress.sorted() && progress.last == Double(recordingFrames) / 100)

        var asked = 0
        let stopping = TranscriptionObserver(isCancelled: {
            asked += 1
            return asked > 20
        })
        let error = #expect(throws: WhisperError.self) {
            try transcriber.transcribe(recording, options: options, observer: stopping)
        }
        #expect(error?.code == .cancelled && asked == 21)
    }

    @Test func `The seed decides what is sampled`() throws {
        func sampled(seed: UInt64) throws -> [Int] {
            var options = DecodingOptions()
            options.temperature = 3
            options.bestOf = 3
            options.seed = seed
            return try transcriber.decode(clip, options: options).tokens
        }
        #expect(try sampled(seed: 1) == sampled(seed: 1))
        #expect(try Set((1...5).map { try sampled(seed: $0) }).count > 1)
    }

    @Test
    func `A window that fails at temperature 0 is tried at the next, and what uncertain text said prompts nothing`()
        throws
    {
        var options = TranscribeOptions()
        options.logprobThreshold = 0
        options.noSpeechThreshold = nil
        options.temperatures = [0, 0.2, 1]
        let result = try transcriber.transcribe(recording, options: options)
        #expect(!result.segments.isEmpty && result.segments.allSatisfy { $0.temperature == 1 })
    }

    @Test func `Transcription under an intervention is another one`() throws {
        var options = DecodingOptions()
        options.language = "en"
        let plain = try transcriber.decode(clip, options: options)
        let cut = try Intervention(parsing: "encoder.ln_post = zero", dimensions: transcriber.model.dimensions)
        options.hooks = HookPlan(interventions: [cut])
        let deaf = try transcriber.decode(clip, options: options)
        #expect(deaf.tokens != plain.tokens)
        let other = try transcriber.decode(fixture.languages[1].mel.tensor, options: options)
        #expect(deaf.tokens == other.tokens)
    }
}
