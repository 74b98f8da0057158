import Audio
import Messages
import Whisper

extension TranscribeOptions {
    /// What a message asks for; openai/whisper's defaults where it says nothing. Ranges are checked where they are used.
    /// - Throws: ``ServiceError`` (`invalidArgument`).
    init(_ message: V1.DecodingOptions?) throws {
        self.init()
        guard let message else { return }
        decoding.language = message.language.language
        decoding.task = try SpeechTask(message.task)
        decoding.beamSize = message.beamSize > 0 ? Int(message.beamSize) : nil
        decoding.bestOf = message.bestOf > 0 ? Int(message.bestOf) : nil
        decoding.patience = message.patience
        decoding.lengthPenalty = message.lengthPenalty
        decoding.seed = message.seed
        decoding.sampleLength = message.sampleLength > 0 ? Int(message.sampleLength) : nil
        decoding.prefix = message.prefix.nonEmpty.map { .text($0) }
        decoding.withoutTimestamps = message.withoutTimestamps
        decoding.suppressBlank = !message.allowBlank
        if let tokens = message.suppressTokens { decoding.suppressTokens = tokens.ids.map { Int($0) } }
        if let threshold = message.maxInitialTimestamp { decoding.maxInitialTimestamp = threshold.value }
        if let temperature = message.temperatures.first(where: { !(0...10).contains($0) }) {
            throw ServiceError(.invalidArgument, "the temperature is \(temperature); expected 0 to 10")
        }
        if !message.temperatures.isEmpty { temperatures = message.temperatures }
        if let threshold = message.compressionRatioThreshold { compressionRatioThreshold = threshold.value }
        if let threshold = message.logprobThreshold { logprobThreshold = threshold.value }
        if let threshold = message.noSpeechThreshold { noSpeechThreshold = threshold.value }
        if let threshold = message.hallucinationSilenceThreshold { hallucinationSilenceThreshold = threshold.value }
        conditionOnPreviousText = !message.noConditionOnPreviousText
        initialPrompt = message.initialPrompt.nonEmpty
        carryInitialPrompt = message.carryInitialPrompt
        wordTimestamps = message.wordTimestamps
        if !message.clipTimestamps.isEmpty { clipTimestamps = message.clipTimestamps }
    }
}

extension String {
    /// A language that was asked for; nil where the model is to tell, which other programs call auto.
    var language: String? { isEmpty || lowercased() == "auto" ? nil : self }
}

extension SpeechTask {
    init(_ message: V1.Task) throws {
        switch message {
        case .transcribe: self = .transcribe
        case .translate: self = .translate
        default: throw ServiceError(.invalidArgument, "there is no task \(message.rawValue)")
        }
    }
}

extension V1.Transcript {
    init(_ transcript: Transcript) {
        self.init(
            file: transcript.file, duration: transcript.duration, language: transcript.transcription.language,
            text: transcript.transcription.text, segments: transcript.transcription.segments.map(V1.Segment.init),
            seed: transcript.seed, precision: transcript.precision.message, padding: transcript.padding.message,
            notices: transcript.notices.map(V1.Notice.init))
    }
}

extension V1.Notice {
    init(_ notice: Notice) { self.init(code: notice.code.rawValue, text: notice.text) }
}

extension V1.Segment {
    init(_ segment: Segment) {
        self.init(
            id: UInt32(clamping: segment.id), seek: UInt64(clamping: segment.seek), start: segment.start,
            end: segment.end, text: segment.text, tokens: segment.tokens.map { Int32(clamping: $0) },
            temperature: segment.temperature, avgLogprob: segment.avgLogprob,
            compressionRatio: segment.compressionRatio, noSpeechProb: segment.noSpeechProb,
            words: (segment.words ?? []).map {
                V1.Word(word: $0.word, start: $0.start, end: $0.end, probability: $0.probability)
            }, hasWords: segment.words != nil)
    }
}

extension V1.Progress {
    init(_ progress: WorkProgress) {
        self.init(done: progress.done, total: progress.total, unit: progress.unit, label: progress.label)
    }
}
