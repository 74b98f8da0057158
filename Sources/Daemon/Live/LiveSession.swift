import Audio
import Kernels
import Mel
import Synchronization
import Whisper

/// Listens to sound while it is being made.
///
/// Samples are appended as they come; a step takes what has come since the last, puts it behind the sound that is not
/// committed yet, and runs the model on all of that: one pass of the encoder, with the hooks that the features need,
/// and a greedy decode with timestamps. What becomes final, and when, is ``LiveText``'s rule; committed sound is let go,
/// so the window slides. While the uncommitted sound is silent nothing is decoded, and all but its last fifth of a second
/// is let go.
///
/// Any thread may append; steps come one at a time. Sound is never dropped here: who appends faster than steps are made
/// should watch ``backlog``.
final class LiveSession: LiveListener {
    /// Samples of new sound between two steps.
    let stepSamples: Int

    private let model: WhisperModel
    private let transcriber: Transcriber?
    private let readings: LiveReadings
    private let decoding: DecodingOptions
    private let padding: WindowPadding
    /// Samples that the encoder sees at most, whole frames.
    private let limit: Int
    /// Samples before the first one here.
    private let origin: Int
    private let context: EncoderContext
    /// Whether levels are told: with features of their own pace they come at that.
    private let tellsLevels: Bool
    /// Whether this is the text without interventions, beside another.
    private let isPlain: Bool
    private let interventions: Mutex<[Intervention]>
    private let inbox = Mutex<[Int16]>([])
    private let state: Mutex<State>

    /// What a step leaves to the next.
    private struct State {
        /// The uncommitted sound.
        var sound: [Int16] = []
        /// Where it begins, in encoder frames from the first sample.
        var firstFrame = 0
        /// The uncommitted sound's log-mel, whose frames are computed as they come and not once a step.
        var mel: StreamingMel
        /// Samples that came, in all.
        var received = 0
        /// The first frame whose features were not reported yet.
        var nextFrame = 0
        var hasHypothesis = false
        /// The hypothesis before, without what became final since.
        var hypothesis = ""
        var skipped: UInt64 = 0
    }

    /// - Throws: ``ServiceError`` or ``WhisperError`` (`invalidArgument`) for options that make no sense for this model;
    ///   `notFound` where it has no vocabulary and is to write. Loads the model.
    convenience init(model: LoadedModel, options: LiveOptions) throws {
        try self.init(
            model: model, options: options,
            interventions: options.interventions.interventions(
                model.dimensions,
                InterventionSources(model: model, turn: nil, padding: options.padding, samples: nil).material))
    }

    /// - Parameters:
    ///   - interventions: what passes run under, to begin with.
    ///   - origin: samples before the first one here.
    ///   - isPlain: whether this is the text without interventions, beside another.
    init(
        model: LoadedModel, options: LiveOptions, interventions: [Intervention], origin: Int = 0, isPlain: Bool = false
    ) throws {
        let own = Double(model.dimensions.nAudioCtx) / Double(EncoderFrames.rate)
        let window = options.window ?? own
        guard options.step.isFinite, (0.1...3600).contains(options.step) else {
            throw ServiceError(.invalidArgument, "a step of \(options.step) s; expected 0.1 s or more")
        }
        guard window.isFinite, window >= min(1, own), window <= own else {
            throw ServiceError(
                .invalidArgument, "a window of \(window) s; expected 1 s to the model's own \(own) s")
        }
        readings = try LiveReadings(options.rolling == nil ? options.features : [], model.dimensions)
        guard options.transcribes || !readings.isEmpty else {
            throw ServiceError(
                .invalidArgument, "the request asks for neither text nor features; set transcribe, or name features")
        }
        transcriber = options.transcribes ? try model.transcriber() : nil
        if let language = options.language { _ = try transcriber?.tokenizer.languageCode(for: language) }
        self.model = try model.model()
        var decoding = DecodingOptions()
        decoding.language = options.language
        self.decoding = decoding
        padding = options.padding
        context = options.context
        tellsLevels = options.rolling == nil
        self.origin = origin
        self.isPlain = isPlain
        self.interventions = Mutex(interventions)
        stepSamples = Int(options.step * Double(SampleBuffer.sampleRate))
        limit = max(1, Int(window * Double(EncoderFrames.rate))) * EncoderFrames.samples
        state = Mutex(State(mel: StreamingMel(bands: model.dimensions.nMels)))
    }

    /// Samples that came and were not processed yet.
    var backlog: Int { inbox.withLock(\.count) }

    /// Whether there is enough new sound for a step.
    var isReady: Bool { backlog >= stepSamples }

    /// 16 kHz mono samples, as they come.
    func append(_ samples: [Int16]) { inbox.withLock { $0 += samples } }

    /// Processes all sound that has come. Where that is more than a step, steps are merged as far as the window allows,
    /// and those left out are counted.
    /// - Parameter turn: the engine's; its checkpoints come between steps and tokens.
    /// - Throws: what `turn` throws; what the model throws.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent] {
        try state.withLock { try listen(&$0, isLast: false, turn) }
    }

    /// Looks at what is left, makes final what was not, and says that this is the end.
    func finish(_ turn: EngineTurn?) throws -> [LiveEvent] {
        let events = try close(turn)
        return state.withLock { state in
            events + [.end(duration: seconds(samples: state.received), skippedSteps: state.skipped, padding: padding)]
        }
    }

    /// Looks at what is left, and makes final what was not.
    func close(_ turn: EngineTurn?) throws -> [LiveEvent] {
        try state.withLock { try listen(&$0, isLast: true, turn) }
    }

    var merged: UInt64 { state.withLock(\.skipped) }

    /// What the next passes run under.
    func steer(_ interventions: [Intervention]) { self.interventions.withLock { $0 = interventions } }

    /// From the first sample of all.
    private func seconds(samples: Int) -> Double { Double(origin + samples) / Double(SampleBuffer.sampleRate) }
    private func seconds(frames: Int) -> Double { seconds(samples: frames * EncoderFrames.samples) }

    // MARK: - Looking

    private func listen(_ state: inout State, isLast: Bool, _ turn: EngineTurn?) throws -> [LiveEvent] {
        var events: [LiveEvent] = []
        let due = backlog / stepSamples
        var steps = 0
        while true {
            let (new, isEmpty) = take(limit - state.sound.count)
            guard !new.isEmpty || (isLast && steps == 0) else { break }
            try turn?.checkpoint()
            if tellsLevels, !new.isEmpty { events.append(level(of: new, from: state.received)) }
            state.sound += new
            state.mel.append(new.lazy.map { Float($0) / 32768 })
            state.received += new.count
            events += try process(&state, isLast: isLast && isEmpty, turn)
            steps += 1
            if isEmpty { break }
        }
        state.skipped += UInt64(max(0, due - steps))
        return events
    }

    private func take(_ room: Int) -> (samples: [Int16], isEmpty: Bool) {
        inbox.withLock { inbox in
            let taken = Array(inbox.prefix(max(0, room)))
            inbox.removeFirst(taken.count)
            return (taken, inbox.isEmpty)
        }
    }

    private func level(of samples: [Int16], from start: Int) -> LiveEvent {
        .level(
            start: seconds(samples: start), end: seconds(samples: start + samples.count),
            rms: SoundLevel.rms(samples), peak: SoundLevel.peak(samples))
    }

    private func process(_ state: inout State, isLast: Bool, _ turn: EngineTurn?) throws -> [LiveEvent] {
        let isSilent = SoundLevel.isSilent(state.sound[...])
        let writes = transcriber != nil && !isSilent
        var events: [LiveEvent] = []
        var audio: Tensor?
        var changes: [Intervention] = []
        if writes || !readings.isEmpty, !state.sound.isEmpty {
            let captured: [HookPoint: CapturedTensor]
            (audio, captured, changes) = try encode(state, keepsResult: writes, turn)
            events += try activations(captured, &state, isLast: isLast)
        }
        if let transcriber, let audio, writes {
            events += try write(transcriber, audio, changes, &state, isLast: isLast, turn)
        } else if isSilent {
            release(silenceOf: &state)
            if state.hasHypothesis { events.append(hypothesis("", &state)) }
        } else if state.sound.count > limit / 5 * 4 {
            // Nothing is written, so nothing else lets sound go: the window slides by a quarter.
            let frames = (limit / 4 + EncoderFrames.samples - 1) / EncoderFrames.samples
            advance(&state, by: frames)
        }
        return events
    }

    /// The encoder's output, where it is wanted, the features' activations, and what was changed.
    private func encode(
        _ state: State, keepsResult: Bool, _ turn: EngineTurn?
    ) throws -> (Tensor?, [HookPoint: CapturedTensor], [Intervention]) {
        var captured: [HookPoint: CapturedTensor] = [:]
        let valid = EncoderFrames.valid(sampleCount: state.sound.count)
        let frames = context.frames(valid: valid, model.dimensions)
        var mel =
            frames < model.dimensions.nAudioCtx
            ? state.mel.window(encoderFrames: frames)
            : state.mel.window(windowSamples: model.dimensions.windowSamples)
        if padding == .mel { mel = mel.zeroed(afterColumn: min(state.sound.count / LogMel.hop, mel.shape[1])) }
        var plan = PassPlan(captures: readings.points, keepsAudio: keepsResult)
        plan.interventions = interventions.withLock { $0 }
        let pass = try WindowPass(model, mel, plan, validFrames: valid, turn: turn) { captured[$0.hook] = $0 }
        return (keepsResult ? try pass.audio : nil, captured, pass.interventions)
    }

    /// Frames of the uncommitted sound: those that are complete, and at the end the last one too.
    private func frameCount(_ state: State, isLast: Bool) -> Int {
        isLast ? EncoderFrames.valid(sampleCount: state.sound.count) : state.sound.count / EncoderFrames.samples
    }

    /// The features in the frames that were not reported yet.
    private func activations(
        _ captured: [HookPoint: CapturedTensor], _ state: inout State, isLast: Bool
    ) throws -> [LiveEvent] {
        let count = frameCount(state, isLast: isLast)
        let end = state.firstFrame + count
        guard !readings.isEmpty, end > state.nextFrame else { return [] }
        let frames = state.nextFrame - state.firstFrame..<count
        let values = try readings.values(in: captured, frames: frames)
        defer { state.nextFrame = end }
        return [
            .activations(
                start: seconds(frames: state.nextFrame), framesPerSecond: Double(EncoderFrames.rate),
                values: values)
        ]
    }

    // MARK: - Writing

    /// openai/whisper's `compression_ratio_threshold`.
    private static let mostRepeated = 2.4
    /// Tokens a second.
    private static let mostTokens = 15

    private func write(
        _ transcriber: Transcriber, _ audio: Tensor, _ changes: [Intervention], _ state: inout State, isLast: Bool,
        _ turn: EngineTurn?
    ) throws -> [LiveEvent] {
        let probe = TurnProbe(turn)
        var decoding = decoding
        decoding.hooks = HookPlan(interventions: changes)
        // More than anybody says in so much sound: a text that goes in circles ends soon.
        let seconds = state.sound.count / SampleBuffer.sampleRate + 1
        decoding.sampleLength = min(model.dimensions.nTextCtx / 2, 16 + Self.mostTokens * seconds)
        let result = try probe.run {
            try transcriber.decode(audio: audio, options: decoding, isCancelled: probe.isCancelled)
        }
        let tokenizer = transcriber.tokenizer
        let frames = frameCount(state, isLast: isLast)
        // As in a transcription: likely no speech, and an unlikely text; or one that goes in circles, which has no better one to fall back
        // to here, as the next look has.
        let isNothing =
            (result.noSpeechProb ?? 0) > 0.6 && result.avgLogprob < -1 || result.compressionRatio > Self.mostRepeated
        var text =
            isNothing
            ? LiveText()
            : LiveText(tokens: result.tokens, timestampBegin: tokenizer.timestampBegin, frames: frames)
        // What is said to begin where the sound ends is made up of the padding.
        text.pieces.removeAll { $0.start >= frames && $0.start > 0 }
        let final =
            isLast
            ? LiveText.Commitment(pieces: text.pieces.count, frames: frames)
            : text.commitment(
                frames: frames, window: limit / EncoderFrames.samples, silentFrom: silenceStart(state.sound))
        var written = ""
        var events = text.pieces.prefix(final.pieces).compactMap { piece -> LiveEvent? in
            let words = tokenizer.decode(piece.tokens.filter { $0 < tokenizer.endOfText })
            written += words
            guard words.contains(where: { !$0.isWhitespace }) else { return nil }
            return .segment(
                LiveSegment(
                    start: time(state.firstFrame + piece.start, state),
                    end: time(state.firstFrame + min(piece.end ?? final.frames, final.frames), state),
                    text: words, avgLogprob: result.avgLogprob, noSpeechProb: result.noSpeechProb,
                    isPlain: isPlain))
        }
        // What became final is no part of what the next hypothesis may agree with.
        if final.pieces > 0 { state.hypothesis = LiveText.rest(of: state.hypothesis, after: written) }
        advance(&state, by: final.frames)
        let rest = text.pieces.dropFirst(final.pieces).flatMap(\.tokens)
        let words = tokenizer.decode(rest.filter { $0 < tokenizer.endOfText })
        if !words.isEmpty || state.hasHypothesis { events.append(hypothesis(words, &state)) }
        return events
    }

    private func hypothesis(_ text: String, _ state: inout State) -> LiveEvent {
        defer { (state.hypothesis, state.hasHypothesis) = (text, !text.isEmpty) }
        return .hypothesis(
            LiveHypothesis(
                start: time(state.firstFrame, state), end: seconds(samples: state.received), text: text,
                stable: LiveText.agreement(state.hypothesis, text), isPlain: isPlain))
    }

    /// When a frame begins; the last one may reach beyond the sound.
    private func time(_ frame: Int, _ state: State) -> Double {
        min(seconds(frames: frame), seconds(samples: state.received))
    }

    /// The frame from which on the sound is silent to its end.
    private func silenceStart(_ sound: [Int16]) -> Int {
        var start = sound.count
        let block = 5 * EncoderFrames.samples
        while start > 0 {
            let before = max(0, start - block)
            guard SoundLevel.rms(sound[before..<start]) < SoundLevel.threshold else { break }
            start = before
        }
        return EncoderFrames.valid(sampleCount: start)
    }

    private func release(silenceOf state: inout State) {
        // A fifth of a second stays, so that a word's soft beginning is heard whole.
        advance(&state, by: state.sound.count / EncoderFrames.samples - EncoderFrames.rate / 5)
    }

    private func advance(_ state: inout State, by frames: Int) {
        guard frames > 0 else { return }
        let gone = frames * EncoderFrames.samples
        if gone <= state.sound.count {
            state.sound.removeFirst(gone)
            state.mel.removeFirst(frames: gone / LogMel.hop)
        } else {
            state.sound = []
            state.mel = StreamingMel(bands: state.mel.bands)
        }
        state.firstFrame += frames
    }
}
