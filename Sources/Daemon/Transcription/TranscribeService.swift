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
    private let passes: TranscriptPasses
    /// What the checkpoint says about timing words that was not used.
    private let ignored: [Notice]

    /// Loads the model and checks the request against it.
    /// - Throws: ``WhisperError`` or ``ServiceError`` where the model has no vocabulary, or does not know the language,
    ///   or an intervention makes no sense.
    public init(model: LoadedModel, _ request: TranscriptionRequest, logger: Logger? = nil) throws {
        let tokenizer = try model.tokenizer()
        if let language = request.options.decoding.language { _ = try tokenizer.languageCode(for: language) }
        let interventions = try request.interventions.map { try $0.intervention(model.dimensions) }
        var options = request.options
        if !interventions.isEmpty { options.decoding.hooks = HookPlan(interventions: interventions) }
        self.request = request
        self.options = options
        transcriber = try model.transcriber()
        passes = TranscriptPasses(transcriber.model, interventions: interventions)
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
        try transcribe(input, observer: observer, turn: turn, passes: passes)
    }

    /// The same by passes that somebody looks into.
    func transcribe(
        _ input: AudioInput, observer: TranscriptionObserver = TranscriptionObserver(), turn: EngineTurn?,
        passes: some TranscriptionPasses
    ) throws -> Transcript {
        let samples = try input.samples(seconds: request.seconds, turn: turn)
        let transcription = try transcribe(samples, observer: observer, turn: turn, passes: passes)
        return Transcript(
            file: input.name, duration: samples.duration, transcription: transcription, seed: options.decoding.seed,
            precision: transcriber.model.precision, padding: request.padding, notices: samples.notices + ignored)
    }

    /// Writes samples down.
    func transcribe(_ samples: SampleBuffer, turn: EngineTurn?) throws -> Transcription {
        try transcribe(samples, observer: TranscriptionObserver(), turn: turn, passes: passes)
    }

    private func transcribe(
        _ samples: SampleBuffer, observer: TranscriptionObserver, turn: EngineTurn?, passes: some TranscriptionPasses
    ) throws -> Transcription {
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
        var transcription = try probe.run {
            try transcriber.transcribe(mel, options: options, observer: watched, passes: passes)
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
        return try transcriber.detectLanguage(audio: passes.encode(window, nil), hooks: options.decoding.hooks)
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
