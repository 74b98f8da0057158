import Audio
import Kernels
import Mel
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
    /// Samples before the first one here.
    private let origin: Int
    private let inbox = Mutex<[Int16]>([])
    private let state: Mutex<State>
    private let interventions: Mutex<[Intervention]>
    private let mergedHops = Mutex<UInt64>(0)

    private struct State {
        var context: RollingContext
        /// From the context's beginning on.
        var mel: StreamingMel
        /// Frames here that are settled, from the first.
        var settled = 0
        /// What was told of frames that are not settled.
        var told: [Int: [Float]] = [:]
        /// The greatest magnitude of each feature so far.
        var scales: [Float]
        var voice = VoiceActivity()
        /// The last frames in which somebody may have spoken, from the context's beginning on.
        var active: [Bool] = []
        var samples: Int { mel.samples.count }
    }

    /// - Throws: ``ServiceError`` (`invalidArgument`) for hops and contexts that make no sense.
    init(
        model: LoadedModel, readings: LiveReadings, options: LiveOptions.Rolling, origin: Int = 0,
        interventions: [Intervention] = []
    ) throws {
        let frames = try options.contextFrames(model.dimensions)
        self.model = try model.model()
        self.readings = readings
        self.options = options
        self.origin = origin
        self.interventions = Mutex(interventions)
        state = Mutex(
            State(
                context: RollingContext(length: frames), mel: StreamingMel(bands: model.dimensions.nMels),
                scales: [Float](repeating: 0, count: readings.count)))
    }

    var backlog: Int { inbox.withLock(\.count) }
    var isReady: Bool { backlog >= options.hopFrames * EncoderFrames.samples }
    var merged: UInt64 { mergedHops.withLock { $0 } }
    func append(_ samples: [Int16]) { inbox.withLock { $0 += samples } }
    func steer(_ interventions: [Intervention]) { self.interventions.withLock { $0 = interventions } }

    /// - Throws: what `turn` throws; what the model throws.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent] { try state.withLock { try listen(&$0, isLast: false, turn) } }

    func close(_ turn: EngineTurn?) throws -> [LiveEvent] { try state.withLock { try listen(&$0, isLast: true, turn) } }

    // MARK: - Hearing

    private func listen(_ state: inout State, isLast: Bool, _ turn: EngineTurn?) throws -> [LiveEvent] {
        var new = take(wholeFrames: !isLast)
        let due = new.count / (options.hopFrames * EncoderFrames.samples)
        var passes = 0
        var events: [LiveEvent] = []
        func pass(_ state: inout State, settling end: Int) throws {
            try turn?.checkpoint()
            if let event = try tell(&state, settling: end, turn) { events.append(event) }
            passes += 1
        }
        new = passOver(&state, new, &events)
        while !new.isEmpty || (isLast && passes == 0 && state.samples > 0) {
            let room = state.context.length * EncoderFrames.samples - state.samples
            hear(new.prefix(room), &state)
            new = new.dropFirst(room)
            if state.samples == state.context.length * EncoderFrames.samples, !(isLast && new.isEmpty) {
                try pass(&state, settling: state.context.settledEnd)
                advance(&state)
            } else {
                try pass(&state, settling: isLast ? .max : state.settled)
            }
        }
        mergedHops.withLock { $0 += UInt64(max(0, due - passes)) }
        return events
    }

    private func take(wholeFrames: Bool) -> ArraySlice<Int16> {
        inbox.withLock { inbox in
            let count = wholeFrames ? inbox.count / EncoderFrames.samples * EncoderFrames.samples : inbox.count
            defer { inbox.removeFirst(count) }
            return inbox.prefix(count)
        }
    }

    private func hear(_ samples: ArraySlice<Int16>, _ state: inout State) {
        for start in stride(from: samples.startIndex, to: samples.endIndex, by: EncoderFrames.samples) {
            let end = min(start + EncoderFrames.samples, samples.endIndex)
            state.active.append(state.voice.isActive(samples[start..<end]))
        }
        state.mel.append(samples.lazy.map { Float($0) / 32768 })
    }

    private func advance(_ state: inout State) {
        state.mel.removeFirst(frames: state.context.stride * EncoderFrames.samples / LogMel.hop)
        state.active.removeFirst(state.context.stride)
        state.context.advance()
    }

    /// Where sound does not wait for us and more than two contexts of it are there, all but the newest are given up.
    private func passOver(
        _ state: inout State, _ new: ArraySlice<Int16>, _ events: inout [LiveEvent]
    ) -> ArraySlice<Int16> {
        let whole = state.context.length * EncoderFrames.samples
        var new = new
        guard options.passesOver, state.samples + new.count > 2 * whole else { return new }
        let first = state.settled
        while state.samples + new.count > whole {
            let room = whole - state.samples
            hear(new.prefix(room), &state)
            new = new.dropFirst(room)
            settle(&state, before: state.context.settledEnd)
            advance(&state)
        }
        if !readings.isEmpty {
            events.append(.unread(start: seconds(first), end: seconds(state.settled), isSilence: false))
        }
        return new
    }

    // MARK: - Telling

    /// One pass over the context as far as it has come.
    /// - Parameter end: frames before it settle, as far as there are any.
    private func tell(_ state: inout State, settling end: Int, _ turn: EngineTurn?) throws -> LiveEvent? {
        let start = state.context.start
        let count = EncoderFrames.valid(sampleCount: state.samples)
        let settledEnd = min(end, start + count)
        defer { settle(&state, before: settledEnd) }
        guard !readings.isEmpty else { return nil }
        guard options.inSilence || state.active.contains(true) else {
            guard settledEnd > state.settled else { return nil }
            return .unread(start: seconds(state.settled), end: seconds(settledEnd, state), isSilence: true)
        }
        let first = state.settled - start
        let values = try turn.undisturbed { try self.values(state, frames: first..<count) }
        var told = LiveReading(
            start: seconds(start), end: seconds(start + count, state), frames: [],
            settled: max(0, settledEnd - state.settled), values: values.map { _ in [] })
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
        guard end > state.settled else { return }
        for frame in state.settled..<end { state.told[frame] = nil }
        state.settled = end
    }

    private func changed(_ now: [Float], _ before: [Float]?, _ scales: [Float]) -> Bool {
        guard let before else { return true }
        return zip(zip(now, before), scales).contains { abs($0.0 - $0.1) > options.revision * $1 }
    }

    /// The features in some frames of the context.
    private func values(_ state: State, frames: Range<Int>) throws -> [[Float]] {
        let count = EncoderFrames.valid(sampleCount: state.samples)
        var captured: [HookPoint: CapturedTensor] = [:]
        _ = try WindowPass(
            model, state.mel.window(encoderFrames: EncoderContext.auto.frames(valid: count, model.dimensions)),
            PassPlan(captures: readings.points, interventions: interventions.withLock { $0 }), validFrames: count
        ) { captured[$0.hook] = $0 }
        return try readings.values(in: captured, frames: frames)
    }

    /// When a frame begins.
    private func seconds(_ frame: Int) -> Double {
        Double(origin + frame * EncoderFrames.samples) / Double(SampleBuffer.sampleRate)
    }

    /// The same, and no later than the sound's end.
    private func seconds(_ frame: Int, _ state: State) -> Double {
        let end = origin + state.context.start * EncoderFrames.samples + state.samples
        return min(seconds(frame), Double(end) / Double(SampleBuffer.sampleRate))
    }
}
