import Kernels

/// One recording on its way through the windows. Equal to openai/whisper's `transcribe`.
package struct TranscriptionRun {
    let model: any SpeechModel
    let tokenizer: Tokenizer
    let mel: any MelSource
    let options: TranscribeOptions
    let alignmentHeads: [GenerationConfig.AlignmentHead]
    let observer: TranscriptionObserver
    let language: String
    private let passes: any TranscriptionPasses
    private let initialPrompt: [Int]
    /// The first window, where the language was told from it.
    private var firstWindow: Window?

    private var segments: [Segment] = []
    /// The tokens of all segments, behind those of the initial prompt.
    private var tokens: [Int]
    /// The tokens from here on are the next window's prompt.
    private var promptStart = 0
    /// Where the last word ended, in seconds.
    private var lastSpeech = 0.0

    package init(
        _ model: any SpeechModel, _ tokenizer: Tokenizer, mel: any MelSource, options: TranscribeOptions,
        alignmentHeads: [GenerationConfig.AlignmentHead], observer: TranscriptionObserver,
        passes: (any TranscriptionPasses)? = nil
    ) throws {
        guard mel.bands == model.dimensions.nMels else {
            throw WhisperError(
                .invalidArgument, "the log-mel has \(mel.bands) bands; the model needs \(model.dimensions.nMels)")
        }
        try options.check(for: model.dimensions)
        self.model = model
        self.tokenizer = tokenizer
        self.mel = mel
        self.options = options
        self.alignmentHeads = alignmentHeads
        self.observer = observer
        self.passes = passes ?? PlainPasses(model: model)
        (language, firstWindow) = try Self.language(options, model, tokenizer, mel, self.passes)
        _ = try tokenizer.startSequence(language: language, task: options.decoding.task)
        initialPrompt = options.initialPrompt.map { tokenizer.encode(" " + $0.strippedOfWhitespace) } ?? []
        tokens = initialPrompt
    }

    /// The language that was asked for, or what the first thirty seconds sound like; the first window, where it is those.
    private static func language(
        _ options: TranscribeOptions, _ model: any SpeechModel, _ tokenizer: Tokenizer, _ mel: any MelSource,
        _ passes: any TranscriptionPasses
    ) throws -> (String, Window?) {
        if let asked = options.decoding.language { return (try tokenizer.languageCode(for: asked), nil) }
        guard tokenizer.isMultilingual else { return ("en", nil) }
        let length = model.dimensions.melFrames
        let beginning = try mel.window(from: 0, count: length)
        var window: Window?
        if let clip = options.clips(contentFrames: mel.contentFrames).first, clip.lowerBound == 0, !clip.isEmpty {
            let span = WindowSpan(seek: 0, frames: min(length, clip.upperBound))
            let padded = try mel.window(from: 0, count: span.frames, paddedTo: length)
            // Of a short recording the padding may be another.
            if padded.elements == beginning.elements {
                window = try Window(
                    span: span, length: length, model: model.listening(at: span, padded),
                    audio: passes.encode(padded, span))
            }
        }
        let audio = try window?.audio ?? passes.encode(beginning, nil)
        return (try likeliest(detectLanguage(window?.model ?? model, tokenizer, audio: audio)), window)
    }

    package mutating func callAsFunction() throws -> Transcription {
        for clip in options.clips(contentFrames: mel.contentFrames) {
            var seek = clip.lowerBound
            while seek < clip.upperBound {
                let window = try window(at: seek, clipEnd: clip.upperBound)
                let next = try transcribe(window)
                // A window that leads nowhere is done with; otherwise it would come again for ever.
                seek = next > seek ? next : seek + window.frames
                observer.progress(Double(min(seek, mel.contentFrames)) / 100, Double(mel.contentFrames) / 100)
            }
        }
        return Transcription(
            text: tokenizer.decode(Array(tokens.dropFirst(initialPrompt.count))), language: language, segments: segments
        )
    }

    /// - Returns: where to go on, in log-mel frames.
    private mutating func transcribe(_ window: Window) throws -> Int {
        let (result, prompt) = try decodeWithFallback(window)
        if isSilent(result) {
            try passes.wrote([], after: prompt)
            return window.seek + window.frames
        }
        var cut = cut(result, window)
        if options.wordTimestamps, try !addWords(to: &cut, window) {
            try passes.wrote([], after: prompt)
            return cut.next
        }
        try passes.wrote(Array(result.tokens[..<cut.taken]), after: prompt)
        for index in cut.segments.indices { cut.segments[index].clearIfEmpty(hasWords: options.wordTimestamps) }
        for var segment in cut.segments {
            segment.id = segments.count
            segments.append(segment)
            tokens += segment.tokens
            try observer.segment(segment)
        }
        // After a high temperature the text is too uncertain to build on.
        if !options.conditionOnPreviousText || result.temperature > 0.5 { promptStart = tokens.count }
        return cut.next
    }

    /// Words for the window's segments, and where to go on after the last of them.
    /// - Returns: whether the segments stand; if not, silence before them is to be skipped first.
    private mutating func addWords(to cut: inout Cut, _ window: Window) throws -> Bool {
        let texts = cut.segments.map { $0.tokens.filter { $0 < tokenizer.endOfText } }
        let alignment = try WordAlignment(window.model, tokenizer, heads: alignmentHeads)(
            texts.flatMap { $0 }, start: tokenizer.startSequence(language: language, task: options.decoding.task),
            language: language, audio: window.audio, frames: window.frames / 2)
        WordTimestamps(prepended: options.prependPunctuations, appended: options.appendPunctuations).add(
            to: &cut.segments, texts: texts, alignment: alignment, offset: window.start, lastSpeech: lastSpeech)

        let end = cut.segments.lastWordEnd
        if !cut.endsWithOneTimestamp, let end, end > window.start { cut.next = melFrame(at: end) }
        if let threshold = options.hallucinationSilenceThreshold {
            let skip = HallucinationSkip(
                threshold: threshold, window: window, contentFrames: mel.contentFrames, lastSpeech: lastSpeech)
            guard skip.apply(to: &cut) else { return false }
        }
        lastSpeech = cut.segments.lastWordEnd ?? lastSpeech
        return true
    }

    // MARK: - Decoding a window

    private mutating func window(at seek: Int, clipEnd: Int) throws -> Window {
        try checkCancellation()
        if let first = firstWindow.take(), first.seek == seek { return first }
        let length = model.dimensions.melFrames
        let span = WindowSpan(seek: seek, frames: min(length, mel.contentFrames - seek, clipEnd - seek))
        let mel = try mel.window(from: seek, count: span.frames, paddedTo: length)
        return try Window(
            span: span, length: length, model: model.listening(at: span, mel), audio: passes.encode(mel, span))
    }

    /// Decodes at one temperature after another until the text passes the thresholds; at last takes what comes.
    /// - Returns: what was written, and what the decoder had read before.
    private func decodeWithFallback(_ window: Window) throws -> (DecodingResult, prompt: [Int]) {
        var decoding = options.decoding
        decoding.language = language
        decoding.prompt = .tokens(prompt())
        var result: (DecodingResult, prompt: [Int])?
        for (attempt, temperature) in options.temperatures.enumerated() {
            decoding.temperature = temperature
            decoding.beamSize = temperature > 0 ? nil : options.decoding.beamSize
            decoding.patience = temperature > 0 ? nil : options.decoding.patience
            decoding.bestOf = temperature > 0 ? options.decoding.bestOf : nil
            let task = try DecodingTask(
                window.model, tokenizer, decoding, isCancelled: { observer.isCancelled() || Task.isCancelled })
            let generator = SampleGenerator(seed: decoding.seed, window: window.seek, attempt: attempt)
            let attempted = try task.run(on: window.audio, generator: generator)
            result = (attempted, try task.initialTokens(language: language))
            if !needsFallback(attempted) { break }
        }
        guard let result else { throw WhisperError(.invalidArgument, "no temperature to decode at") }
        return result
    }

    private func needsFallback(_ result: DecodingResult) -> Bool {
        let isUnlikely = options.logprobThreshold.map { result.avgLogprob < $0 } ?? false
        if isUnlikely, let threshold = options.noSpeechThreshold, (result.noSpeechProb ?? 0) > threshold {
            return false
        }
        return isUnlikely || options.compressionRatioThreshold.map { result.compressionRatio > $0 } ?? false
    }

    private func isSilent(_ result: DecodingResult) -> Bool {
        guard let threshold = options.noSpeechThreshold, (result.noSpeechProb ?? 0) > threshold else { return false }
        return !(options.logprobThreshold.map { result.avgLogprob > $0 } ?? false)
    }

    private func prompt() -> [Int] {
        guard options.carryInitialPrompt else { return Array(tokens[promptStart...]) }
        // What room the initial prompt leaves in half of the context.
        let room = model.dimensions.nTextCtx / 2 - 1 - initialPrompt.count
        return initialPrompt + tokens[max(initialPrompt.count, promptStart)...].suffix(max(0, room))
    }

    private func checkCancellation() throws {
        if observer.isCancelled() || Task.isCancelled {
            throw WhisperError(.cancelled, "the transcription was stopped")
        }
    }
}

/// The part of a recording that one pass of the encoder takes.
struct Window {
    let span: WindowSpan
    /// Log-mel frames that the encoder takes.
    let length: Int
    /// As it listens to this window.
    let model: any SpeechModel
    /// The encoder's output.
    let audio: Tensor

    /// The first log-mel frame, and how many of the recording there are; the rest is padding.
    var seek: Int { span.seek }
    var frames: Int { span.frames }

    /// In seconds; `end` is that of the encoder's window, the padding too.
    var start: Double { Double(seek) / 100 }
    var duration: Double { Double(frames) / 100 }
    var end: Double { Double(seek + length) / 100 }
}

extension TranscribeOptions {
    /// The clips to write down, in log-mel frames. None reaches beyond the recording.
    func clips(contentFrames: Int) -> [Range<Int>] {
        var points = clipTimestamps.map { min(melFrame(at: $0), contentFrames) }
        if points.isEmpty { points = [0] }
        if points.count % 2 == 1 { points.append(contentFrames) }
        return stride(from: 0, to: points.count, by: 2).map { points[$0]..<max(points[$0], points[$0 + 1]) }
    }

    /// - Throws: ``WhisperError`` (`invalidArgument`) for values that make no sense.
    func check(for dimensions: ModelDimensions) throws {
        guard !temperatures.isEmpty, temperatures.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw WhisperError(.invalidArgument, "the temperatures are \(temperatures); expected one or more, each ≥ 0")
        }
        if let stray = clipTimestamps.first(where: { !(0...1e9).contains($0) }) {
            throw WhisperError(.invalidArgument, "a clip cannot begin or end at \(stray) s")
        }
        if let threshold = hallucinationSilenceThreshold, !(0...1e9).contains(threshold) {
            throw WhisperError(.invalidArgument, "the silence threshold is \(threshold) s; expected ≥ 0")
        }
        // Beams go with temperature 0 and best-of with the others, so each is checked where it counts.
        var decoding = decoding
        decoding.prompt = nil
        decoding.temperature = 0
        decoding.bestOf = nil
        try decoding.check(for: dimensions)
        decoding = self.decoding
        decoding.prompt = nil
        decoding.temperature = 1
        decoding.beamSize = nil
        decoding.patience = nil
        try decoding.check(for: dimensions)
    }
}

/// The log-mel frame of a time, 100 a second; halves go to the even one, as in Python.
func melFrame(at seconds: Double) -> Int { Int((seconds * 100).rounded(.toNearestOrEven)) }
