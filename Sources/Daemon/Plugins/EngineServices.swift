import Audio
import Dictionaries
import Files
import Foundation
import Kernels
import Mel
import PluginHost
import Synchronization
import TensorFiles
import Whisper

/// What a plugin may ask of the engine while it works, on the thread of its run, which has let the engine go meanwhile.
final class EngineServices: PluginServices {
    /// Sequences that one pass of the decoder takes: their keys and values are in memory together.
    private static let sequencesAtOnce = 64

    let plugin: String
    let model: LoadedModel
    let turn: EngineTurn
    private let folder: String
    let context: EncoderContext
    private let spent = Mutex(Duration.zero)
    /// What the decoder keeps of padding: most sequences listen to nothing else.
    private let padding = Mutex<KeptCache?>(nil)
    /// Sendable: used on the thread of the run alone, one call at a time.
    private struct KeptCache: @unchecked Sendable { let cache: DecoderCache }
    private let takesAllFrames = Atomic(false)
    /// Whether tensors have their padding.
    var wantsAllFrames: Bool { takesAllFrames.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - folder: the plugin's own; made when it is asked for.
    ///   - context: that of the run, for what the plugin runs itself.
    init(plugin: String, model: LoadedModel, turn: EngineTurn, folder: String, context: EncoderContext = .full) {
        self.plugin = plugin
        self.context = context
        self.model = model
        self.turn = turn
        self.folder = folder
    }

    /// Time in the engine for this plugin's questions.
    var engineTime: Duration { spent.withLock { $0 } }

    /// What is known after the plugin has told its needs.
    func take(_ needs: PluginNeedsValue) { takesAllFrames.store(needs.allFrames, ordering: .relaxed) }

    func computing<R>(_ body: () throws -> R) throws -> R {
        try translating {
            try turn.resumed {
                let began = ContinuousClock.now
                defer { spent.withLock { $0 += began.duration(to: .now) } }
                return try body()
            }
        }
    }

    /// Errors of the engine by the names that a plugin knows.
    private func translating<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as any CodedError where !(error is PluginError) {
            let codes: [ErrorCode: ErrorCode] = [
                .invalidArgument: .invalidArgument, .notFound: .missing, .cancelled: .cancelled,
                .deadlineExceeded: .cancelled, .unimplemented: .unsupported, .unsupported: .unsupported,
            ]
            throw PluginError(codes[error.code] ?? .failed, "\(error)")
        }
    }

    func refuse(_ problem: String) -> PluginError { PluginError(.invalidArgument, "\(plugin): \(problem)") }

    // MARK: - Words

    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
        try translating {
            let tokenizer = try model.tokenizer()
            guard parseSpecial else { return tokenizer.encode(text).map { Int32(clamping: $0) } }
            return tokenizer.encodeWithSpecials(text).map { Int32(clamping: $0) }
        }
    }

    func decode(_ tokens: [Int32]) throws -> String {
        try translating { try model.tokenizer().decodeWithTimestamps(tokens.map { Int($0) }) }
    }

    // MARK: - Numbers

    func weights(_ name: String) throws -> PluginTensor {
        guard let shape = model.dimensions.tensorShapes[name] else {
            let near = nearestNames(to: name, in: Array(model.dimensions.tensorShapes.keys), similarOnly: false)
            throw PluginError(
                .missing, "the model has no weight called '\(name)'; nearest: \(near.joined(separator: ", "))")
        }
        return try translating { PluginTensor(try model.checkpoint.weights.tensor(name, shape: shape)) }
    }

    func decode(
        audio: (shape: [Int], elements: [Float])?, tokens: [Int32], sequences: Int, tokensEach: Int
    ) throws -> PluginTensor {
        let dimensions = model.dimensions
        guard (1...1024).contains(sequences), tokensEach >= 1,
            tokens.count == sequences.multipliedReportingOverflow(by: tokensEach).partialValue
        else {
            throw refuse(
                "expected 1 to 1024 sequences of one length of at least 1; there are \(sequences) of \(tokensEach), "
                    + "\(tokens.count) tokens in all")
        }
        if let audio {
            let expected = [dimensions.nAudioCtx, dimensions.nAudioState]
            guard audio.shape == expected, audio.elements.count == expected[0] * expected[1] else {
                throw refuse("the encoder's output is \(expected); it is \(audio.shape)")
            }
            try checkFinite(audio.elements)
        }
        return try computing {
            let whisper = try model.model()
            var kept = audio.map { whisper.decoderCache(audio: Tensor(shape: $0.shape, $0.elements)) }
            if kept == nil { kept = padding.withLock { $0?.cache } }
            var logits: [Float] = []
            logits.reserveCapacity(sequences * dimensions.nVocab)
            for first in stride(from: 0, to: sequences, by: Self.sequencesAtOnce) {
                try turn.checkpoint()
                let count = min(Self.sequencesAtOnce, sequences - first)
                let lists = (first..<first + count).map { sequence in
                    tokens[sequence * tokensEach..<(sequence + 1) * tokensEach].map { Int($0) }
                }
                // The audio's keys and values are computed once, by the first of all sequences.
                let first = try kept ?? whisper.decoderCache(audio: audioOfPadding(whisper))
                let cache = first.beginningAgain(sequences: count, in: dimensions)
                logits += try whisper.decode(lists, cache: cache, lastOnly: true).elements
                kept = cache
            }
            if audio == nil, let kept {
                padding.withLock { $0 = KeptCache(cache: kept.beginningAgain(sequences: 1, in: dimensions)) }
            }
            return PluginTensor(
                shape: [sequences, dimensions.nVocab], logits, axes: ["sequence", "vocab"],
                validPositions: sequences)
        }
    }

    private func audioOfPadding(_ whisper: WhisperModel) throws -> Tensor {
        try WindowPass(whisper, whisper.paddingMel, PassPlan(keepsAudio: true), validFrames: nil).audio
    }

    func transcribe(samples: [Float], language: String, interventions: [String]) throws -> String {
        try checkFinite(samples)
        return try computing {
            guard !samples.isEmpty else { throw refuse("there are no samples to transcribe") }
            var request = TranscriptionRequest()
            request.options.decoding.language = language.language
            request.interventions = interventions.map { .text($0) }
            return try TranscribeService(model: model, request)
                .transcribe(SampleBuffer(samples), turn: turn).text
        }
    }

    func checkFinite(_ numbers: [Float]) throws {
        guard numbers.allSatisfy(\.isFinite) else { throw refuse("expected finite numbers; some are not") }
    }

    func stateFolder() throws -> String {
        try DataFolder.create(folder)
        return folder
    }
}

/// For a plugin that is only asked what it is, and for one whose model is not there.
struct NoServices: PluginServices {
    let reason: String

    private var refusal: PluginError { PluginError(.unsupported, reason) }

    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] { throw refusal }
    func decode(_ tokens: [Int32]) throws -> String { throw refusal }
    func weights(_ name: String) throws -> PluginTensor { throw refusal }
    func run(
        samples: [Float]?, tokens: [Int32]?, interventions: [String], hooks: [String]
    ) throws -> [PluginTensor] { throw refusal }
    func pass(_ pass: PluginPass) throws -> PluginPassAnswer { throw refusal }
    func decode(
        audio: (shape: [Int], elements: [Float])?, tokens: [Int32], sequences: Int, tokensEach: Int
    ) throws -> PluginTensor { throw refusal }
    func transcribe(samples: [Float], language: String, interventions: [String]) throws -> String { throw refusal }
    func stateFolder() throws -> String { throw refusal }
}
