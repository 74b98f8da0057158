import Audio
import Foundation
import Logging
import Whisper

/// How recordings are to be written down.
public struct TranscriptionRequest: Sendable {
    public var options = TranscribeOptions()
    /// Changes to activations on the way, in their text form (``Whisper/Intervention``).
    public var interventions: [String] = []
    /// The part of each recording to write down, in seconds.
    public var seconds: Range<Double>?

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

    public init(file: String, duration: Double, transcription: Transcription, seed: UInt64 = 0) {
        self.file = file
        self.duration = duration
        self.transcription = transcription
        self.seed = seed
    }
}

/// Writes recordings of any length down.
public struct TranscribeService: Sendable {
    private let transcriber: Transcriber
    private let request: TranscriptionRequest
    private let options: TranscribeOptions

    /// Loads the model and checks the request against it.
    /// - Throws: ``WhisperError`` or ``ServiceError`` where the model has no vocabulary, or does not know the language,
    ///   or an intervention makes no sense.
    public init(model: LoadedModel, _ request: TranscriptionRequest, logger: Logger) throws {
        let tokenizer = try model.tokenizer()
        if let language = request.options.decoding.language { _ = try tokenizer.languageCode(for: language) }
        var options = request.options
        if !request.interventions.isEmpty {
            options.decoding.hooks = HookPlan(
                interventions: try request.interventions.map {
                    try Intervention(parsing: $0, dimensions: model.dimensions)
                })
        }
        self.request = request
        self.options = options
        self.transcriber = try Transcriber(
            model.model(), vocabulary: model.checkpoint.vocabulary, generation: model.checkpoint.generation)
        logger.debug("the model \(model.name) is in memory")
    }

    /// Writes one recording down.
    /// - Parameter observer: told of each segment, with the recording's times, and of the progress.
    /// - Throws: ``Audio/AudioError`` for what is wrong with the recording; ``WhisperError``.
    public func transcribe(
        _ input: AudioInput, observer: TranscriptionObserver = TranscriptionObserver()
    ) throws -> Transcript {
        let samples = try SampleBuffer.read(input.source, seconds: request.seconds)
        let mel = try RecordingMel(samples, bands: transcriber.model.dimensions.nMels)
        let offset = request.seconds?.lowerBound ?? 0
        var shifting = observer
        shifting.segment = { try observer.segment($0.shifted(by: offset)) }
        var transcription = try transcriber.transcribe(mel, options: options, observer: shifting)
        transcription.segments = transcription.segments.map { $0.shifted(by: offset) }
        return Transcript(
            file: input.name, duration: samples.duration, transcription: transcription, seed: options.decoding.seed)
    }
}

extension RecordingMel: MelSource {}

extension Segment {
    /// The same, `seconds` later.
    fileprivate func shifted(by seconds: Double) -> Segment {
        guard seconds != 0 else { return self }
        var copy = self
        copy.start += seconds
        copy.end += seconds
        copy.words = words?.map { word in
            var word = word
            word.start += seconds
            word.end += seconds
            return word
        }
        return copy
    }
}
