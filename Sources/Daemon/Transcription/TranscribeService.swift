import Audio
import Foundation
import Kernels
import Logging
import Mel
import Whisper

/// How recordings are to be written down.
public struct TranscriptionRequest: Sendable {
    public var options = TranscribeOptions()
    /// Changes to activations on the way.
    public var interventions: [InterventionSpec] = []
    /// The same where somebody has made them for this recording already.
    var prepared: [Intervention]?
    /// The part of each recording to write down, in seconds.
    public var seconds: Range<Double>?
    /// What windows are padded with.
    public var padding = WindowPadding.mel

    public init() {}
}

/// What was said in a recording.
public struct Transcript: Sendable {
    /// As the recording was named.
    public var file: String
    /// Seconds of audio that were written down.
    public var duration: Double
    /// Times are those of the recording, also where only a part of it was written down.
    public var transcription: Transcription
    /// Where the draws of sampled tokens began.
    public var seed: UInt64
    /// In what numbers the model computed.
    public var precision: Precision
    /// What windows were padded with.
    public var padding: WindowPadding
    /// What there is to know about the recording.
    public var notices: [Notice]

    public init(
        file: String, duration: Double, transcription: Transcription, seed: UInt64 = 0, precision: Precision = .exact,
        padding: WindowPadding = .mel, notices: [Notice] = []
    ) {
        self.file = file
        self.duration = duration
        self.transcription = transcription
        self.seed = seed
        self.precision = precision
        self.padding = padding
        self.notices = notices
    }
}

/// Writes recordings of any length down.
public struct TranscribeService: Sendable {
    private let transcriber: Transcriber
    private let request: TranscriptionRequest
    private let options: TranscribeOptions
    private let model: LoadedModel
    /// What the checkpoint says about timing words that was not used.
    private let ignored: [Notice]

    /// Loads the model and checks the request against it.
    /// - Throws: ``WhisperError`` or ``ServiceError`` where the model has no vocabulary, or does not know the language,
    ///   or an intervention makes no sense.
    public init(model: LoadedModel, _ request: TranscriptionRequest, logger: Logger? = nil) throws {
        let tokenizer = try model.tokenizer()
        if let language = request.options.decoding.language { _ = try tokenizer.languageCode(for: language) }
        if request.prepared == nil { _ = try request.interventions.interventions(model.dimensions) }
        self.model = model
        self.request = request
        options = request.options
        transcriber = try model.transcriber()
        ignored =
            options.wordTimestamps
            ? model.checkpoint.generation.ignored.map { Notice(Notice.Code(rawValue: "checkpoint"), $0) } : []
        logger?.debug("the model \(model.name) is in memory")
    }

    /// Writes one recording down.
    /// - Parameters:
    ///   - observer: told of each segment, with the recording's times, and of the progress.
    ///   - turn: the engine's, where it is shared: handed over between tokens and segments, and while the recording is
    ///     read. Without one, the task's cancellation ends the work.
    /// - Throws: ``Audio/AudioError`` for what is wrong with the recording; ``WhisperError``; what `turn` throws.
    public func transcribe(
        _ input: AudioInput, observer: TranscriptionObserver = TranscriptionObserver(), turn: EngineTurn? = nil
    ) throws -> Transcript {
        try transcribe(input, observer: observer, turn: turn, passes: nil)
    }

    /// The same by passes that somebody looks into.
    func transcribe(
        _ input: AudioInput, observer: TranscriptionObserver = TranscriptionObserver(), turn: EngineTurn?,
        passes: (any TranscriptionPasses)?
    ) throws -> Transcript {
        let samples = try input.samples(seconds: request.seconds, turn: turn)
        let transcription = try transcribe(samples, observer: observer, turn: turn, passes: passes)
        return Transcript(
            file: input.name, duration: samples.duration, transcription: transcription, seed: options.decoding.seed,
            precision: transcriber.model.precision, padding: request.padding, notices: samples.notices + ignored)
    }

    /// Writes samples down.
    func transcribe(_ samples: SampleBuffer, turn: EngineTurn?) throws -> Transcription {
        try transcribe(samples, observer: TranscriptionObserver(), turn: turn, passes: nil)
    }

    /// The changes for one recording.
    private func interventions(_ samples: SampleBuffer, _ turn: EngineTurn?) throws -> [Intervention] {
        if let prepared = request.prepared { return prepared }
        guard !request.interventions.isEmpty else { return [] }
        let sources = InterventionSources(
            model: model, turn: turn, padding: request.padding, transcript: request.options
        ) {
            samples
        }
        return try request.interventions.interventions(model.dimensions, sources.material)
    }

    /// Words with their times and tokens, as they are heard without interventions.
    func words(of samples: SampleBuffer, turn: EngineTurn?) throws -> [HeardWord] {
        var options = options
        options.wordTimestamps = true
        options.decoding.hooks = nil
        let probe = TurnProbe(turn), passes = HeardPasses(transcriber.model)
        let mel = try request.padding.melSource(samples, bands: transcriber.model.dimensions.nMels)
        var watched = TranscriptionObserver()
        watched.isCancelled = { probe.isCancelled() }
        let (observer, chosen) = (watched, options)
        let transcription = try probe.run {
            try transcriber.transcribe(mel, options: chosen, observer: observer, passes: passes)
        }
        return passes.words(of: transcription, transcriber.tokenizer)
    }

    private func transcribe(
        _ samples: SampleBuffer, observer: TranscriptionObserver, turn: EngineTurn?, passes: (any TranscriptionPasses)?
    ) throws -> Transcription {
        let interventions = try interventions(samples, turn)
        var options = options
        if !interventions.isEmpty { options.decoding.hooks = HookPlan(interventions: interventions) }
        let passes: any TranscriptionPasses =
            passes
            ?? TranscriptPasses(
                transcriber.model, interventions: interventions, reusesOutputs: model.reusesOutputs)
        let mel = try request.padding.melSource(samples, bands: transcriber.model.dimensions.nMels)
        let offset = request.seconds?.lowerBound ?? 0
        let probe = TurnProbe(turn)
        var shifting = observer
        shifting.segment = {
            try observer.segment($0.placed(at: offset, within: samples.duration))
            try turn?.checkpoint()
        }
        shifting.isCancelled = { observer.isCancelled() || probe.isCancelled() }
        let watched = shifting
        let chosen = options
        var transcription = try probe.run {
            try transcriber.transcribe(mel, options: chosen, observer: watched, passes: passes)
        }
        transcription.segments = transcription.segments.map { $0.placed(at: offset, within: samples.duration) }
        return transcription
    }

    /// How likely each language is in the first window, likeliest first; none for an English-only model.
    public func detectLanguage(_ input: AudioInput, turn: EngineTurn? = nil) throws -> [LanguageProbability] {
        guard transcriber.tokenizer.isMultilingual else { return [] }
        let dimensions = transcriber.model.dimensions
        let samples = try input.samples(seconds: request.seconds, turn: turn)
        let mel = try RecordingMel(samples, bands: dimensions.nMels)
        let window = try mel.window(from: 0, count: dimensions.melFrames)
        let interventions = try interventions(samples, turn).within(start: 0, mel: window)
        return try transcriber.detectLanguage(window, hooks: HookPlan(interventions: interventions))
            .sorted { $0.probability > $1.probability }
    }
}

extension Segment {
    /// The same, `offset` seconds later, where only `duration` seconds are listened to: a model may put times into the
    /// silence that its window is filled up with.
    fileprivate func placed(at offset: Double, within duration: Double) -> Segment {
        func place(_ time: Double) -> Double { min(time, duration) + offset }
        var copy = self
        copy.start = place(start)
        copy.end = place(end)
        copy.words = words?.map { word in
            var word = word
            word.start = place(word.start)
            word.end = place(word.end)
            return word
        }
        return copy
    }
}
