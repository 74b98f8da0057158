import Audio
import Kernels
import Synchronization
import Whisper

/// Features of sound while it is being made, from a short context that rolls along with it, as they settle.
///
/// A pass is made whenever a hop of new sound is there: over the context that ends with it, whose beginning lies on the grid of
/// ``RollingContext``. What it says of frames that nobody was told of yet, or that changed by enough, is told. When a context is whole, the
/// frames in its middle settle: their values are told for the last time, and they depend on the sound alone. So where the engine is busy
/// hops become wider and values come later, and are the same in the end.
///
/// Where nobody speaks in a context, no pass is made, and its frames are told to be unread.
final class RollingFeatures: LiveListener {
    private let model: WhisperModel
    private let readings: LiveReadings
    private let options: LiveOptions.Rolling
    private let inbox = LiveInbox()
    private let state: Mutex<State>
    private let interventions: Mutex<[Intervention]>
    private let mergedHops = Mutex<UInt64>(0)

    private struct State {
        var sound: RollingSound
        /// What was told of frames that are not settled.
        var told: [Int: [Float]] = [:]
        /// The greatest magnitude of each feature so far.
        var scales: [Float]
    }

    /// - Parameter origin: samples before the first one here.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for hops and contexts that make no sense.
    init(
        model: LoadedModel, readings: LiveReadings, options: LiveOptions.Rolling, origin: Int = 0,
        interventions: [Intervention] = []
    ) throws {
        let frames = try options.contextFrames(model.dimensions)
        self.model = try model.model()
        self.readings = readings
        self.options = options
        self.interventions = Mutex(interventions)
        state = Mutex(
            State(
                sound: RollingSound(frames: frames, bands: model.dimensions.nMels, origin: origin),
                scales: [Float](repeating: 0, count: readings.count)))
    }

    var backlog: Int { inbox.count }
    var isReady: Bool { backlog >= options.hopFrames * EncoderFrames.samples }
    var merged: UInt64 { mergedHops.withLock { $0 } }
    func append(_ samples: [Int16]) { inbox.append(samples) }
    func steer(_ interventions: [Intervention]) { self.interventions.withLock { $0 = interventions } }

    /// - Throws: what `turn` throws; what the model throws.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent] { try state.withLock { try listen(&$0, isLast: false, turn) } }

    func close(_ turn: EngineTurn?) throws -> [LiveEvent] { try state.withLock { try listen(&$0, isLast: true, turn) } }

    // MARK: - Hearing

    private func listen(_ state: inout State, isLast: Bool, _ turn: EngineTurn?) throws -> [LiveEvent] {
        var new = inbox.take(wholeFrames: !isLast)
        let due = new.count / (options.hopFrames * EncoderFrames.samples)
        var passes = 0
        var events: [LiveEvent] = []
        func pass(_ state: inout State, settling end: Int) throws {
            try turn?.checkpoint()
            if let event = try tell(&state, settling: end, turn) { events.append(event) }
            passes += 1
        }
        new = passOver(&state, new, &events)
        while !new.isEmpty || (isLast && passes == 0 && state.sound.samples > 0) {
            let room = state.sound.room
            state.sound.hear(new.prefix(room))
            new = new.dropFirst(room)
            if state.sound.isWhole, !(isLast && new.isEmpty) {
                try pass(&state, settling: state.sound.context.settledEnd)
                state.sound.advance()
            } else {
                try pass(&state, settling: isLast ? .max : state.sound.settled)
            }
        }
        mergedHops.withLock { $0 += UInt64(max(0, due - passes)) }
        return events
    }

    /// Where sound does not wait for us, what cannot be heard in time is given up, and told.
    private func passOver(
        _ state: inout State, _ new: ArraySlice<Int16>, _ events: inout [LiveEvent]
    ) -> ArraySlice<Int16> {
        guard options.passesOver else { return new }
        let (rest, unheard) = state.sound.passOver(new)
        guard let unheard else { return rest }
        state.told = state.told.filter { $0.key >= unheard.upperBound }
        if !readings.isEmpty {
            events.append(
                .unread(
                    start: state.sound.seconds(unheard.lowerBound), end: state.sound.seconds(unheard.upperBound),
                    isSilence: false))
        }
        return rest
    }

    // MARK: - Telling

    /// One pass over the context as far as it has come.
    /// - Parameter end: frames before it settle, as far as there are any.
    private func tell(_ state: inout State, settling end: Int, _ turn: EngineTurn?) throws -> LiveEvent? {
        let sound = state.sound
        let (start, count) = (sound.context.start, sound.frames)
        let settledEnd = min(end, start + count)
        defer { settle(&state, before: settledEnd) }
        guard !readings.isEmpty else { return nil }
        guard options.inSilence || sound.hasVoice else {
            guard settledEnd > sound.settled else { return nil }
            return .unread(
                start: sound.seconds(sound.settled), end: sound.secondsHeard(settledEnd), isSilence: true)
        }
        let first = sound.settled - start
        let values = try turn.undisturbed { try self.values(sound, frames: first..<count) }
        var told = LiveReading(
            start: sound.seconds(start), end: sound.secondsHeard(start + count), frames: [],
            settled: max(0, settledEnd - sound.settled), values: values.map { _ in [] })
        for frame in first..<count {
            let now = values.map { $0[frame - first] }
            guard start + frame < settledEnd || changed(now, state.told[start + frame], state.scales) else { continue }
            state.told[start + frame] = now
            told.frames.append(frame)
            for (feature, value) in now.enumerated() {
                told.values[feature].append(value)
                state.scales[feature] = max(state.scales[feature], abs(value))
            }
        }
        return told.frames.isEmpty ? nil : .readings(told)
    }

    private func settle(_ state: inout State, before end: Int) {
        let first = state.sound.settled
        guard state.sound.settle(before: end) else { return }
        for frame in first..<end { state.told[frame] = nil }
    }

    private func changed(_ now: [Float], _ before: [Float]?, _ scales: [Float]) -> Bool {
        guard let before else { return true }
        return zip(zip(now, before), scales).contains { abs($0.0 - $0.1) > options.revision * $1 }
    }

    /// The features in some frames of the context.
    private func values(_ sound: RollingSound, frames: Range<Int>) throws -> [[Float]] {
        var captured: [HookPoint: CapturedTensor] = [:]
        _ = try WindowPass(
            model, sound.window(model.dimensions),
            PassPlan(captures: readings.points, interventions: interventions.withLock { $0 }),
            validFrames: sound.frames
        ) { captured[$0.hook] = $0 }
        return try readings.values(in: captured, frames: frames)
    }
}
