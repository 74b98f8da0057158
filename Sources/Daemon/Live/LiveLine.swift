import Audio
import Synchronization
import Whisper

/// One listener's line: sound comes in at one end, and its lanes make events of it side by side, each at its own pace.
///
/// One thread appends; each lane is stepped by a task of its own.
final class LiveLine: Sendable {
    /// A lane, and how its passes are made: those of features, which are short, urgently and on an account of their own, so that they go
    /// before text, which takes longer.
    struct Lane: Sendable {
        let lane: LiveLane
        let isUrgent: Bool
        /// Enough sound is there.
        let ready = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        /// Whether interventions act on it.
        let isSteered: Bool
        /// What is to be said when it has heard all.
        var finish: @Sendable (EngineTurn?) throws -> [LiveEvent] = { _ in [] }
    }

    let lanes: [Lane]
    let events: LiveEvents
    /// Ends when no more sound comes: where nothing but levels is wanted there is no lane to wait for.
    let heard = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let clock: CaptureClock
    private let padding: WindowPadding
    private let dimensions: ModelDimensions
    /// Encoder frames of the longest context that interventions act on.
    private let frames: Int
    private struct State {
        /// Samples that came or were lost.
        var samples = 0
        /// The number of the device's sample that is the first here.
        var origin: Int?
        var level: LevelMeter?
        var interventions: [String]
    }
    private let state: Mutex<State>

    /// - Parameter plugins: those of the options, started.
    /// - Throws: ``ServiceError`` or ``WhisperError`` (`invalidArgument`) for options that make no sense for this model; what loading
    ///   it and reading dictionaries throws.
    init(model: LoadedModel, options: LiveOptions, plugins: [LivePlugin] = [], turn: EngineTurn? = nil) throws {
        dimensions = model.dimensions
        padding = options.padding
        clock = CaptureClock()
        events = LiveEvents(clock: clock)
        let sources = InterventionSources(model: model, turn: turn, padding: options.padding, samples: nil)
        let steering = try options.interventions.interventions(model.dimensions, sources.material)
        let hasText = options.transcribes || options.rolling == nil
        frames = try hasText ? dimensions.nAudioCtx : options.rolling?.contextFrames(dimensions) ?? dimensions.nAudioCtx
        for intervention in steering { try intervention.check(withinFrames: frames) }
        var lanes: [Lane] = []
        if let rolling = options.rolling {
            _ = try rolling.contextFrames(model.dimensions)
            if !options.features.isEmpty {
                let readings = try LiveReadings(options.features, model.dimensions)
                let lane = try LiveLane(interventions: steering) { origin, interventions in
                    try RollingFeatures(
                        model: model, readings: readings, options: rolling, origin: origin,
                        interventions: interventions)
                }
                lanes.append(Lane(lane: lane, isUrgent: true, isSteered: true))
            }
            for plugin in plugins {
                let lane = try LiveLane(interventions: steering) { origin, interventions in
                    try RollingPlugin(
                        model: model, plugin: plugin, options: rolling, origin: origin, interventions: interventions)
                }
                lanes.append(Lane(lane: lane, isUrgent: false, isSteered: true, finish: plugin.finish))
            }
        }
        if hasText {
            let copies = options.compares ? [false, true] : [false]
            for isPlain in copies {
                let lane = try LiveLane(interventions: isPlain ? [] : steering) { origin, interventions in
                    try LiveSession(
                        model: model, options: options, interventions: interventions, origin: origin, isPlain: isPlain)
                }
                lanes.append(Lane(lane: lane, isUrgent: false, isSteered: !isPlain))
            }
        }
        self.lanes = lanes
        state = Mutex(
            State(
                level: options.rolling.map { LevelMeter(hopFrames: $0.hopFrames, echoes: options.echoes) },
                interventions: options.interventions.map(\.description)))
        if !options.interventions.isEmpty { tellSteering() }
        for plugin in plugins { events.push(plugin.begin()) }
    }

    /// Seconds that came or were lost.
    var duration: Double { Double(state.withLock(\.samples)) / Double(SampleBuffer.sampleRate) }

    var backlog: Int { lanes.map(\.lane.backlog).max() ?? 0 }

    /// Takes samples.
    /// - Parameters:
    ///   - captured: when the first was, in nanoseconds since 1970; nil where it is their arrival that counts.
    ///   - lost: samples that were lost before them, and why.
    func append(_ samples: [Int16], captured: Int64? = nil, lost: Int = 0, reason: String = "lost") throws {
        if lost > 0 { try lose(lost, reason) }
        let first = state.withLock { state in
            defer { state.samples += samples.count }
            return state.samples
        }
        if let captured { clock.set(first, at: captured) } else { clock.arrived(first, count: samples.count) }
        if let levels = state.withLock({ $0.level?.append(samples) }), !levels.isEmpty { events.push(levels) }
        for lane in lanes {
            lane.lane.append(samples)
            if lane.lane.isReady { lane.ready.continuation.yield() }
        }
    }

    /// Takes samples of a device, which counts them.
    /// - Parameter position: the first one's number; what lies between it and the sample before is lost.
    func append(_ samples: [Int16], captured: Int64, position: Int, reason: String) throws {
        let origin = state.withLock { state in
            // Who comes later begins with what comes first.
            let origin = state.origin ?? position
            state.origin = origin
            return origin
        }
        let lost = position - origin - state.withLock(\.samples)
        try append(
            samples, captured: captured, lost: max(0, lost), reason: reason.isEmpty ? "not read in time" : reason)
    }

    /// Nothing more can be done.
    func fail(_ error: any Error) {
        events.finish(error)
        heard.continuation.finish()
        for lane in lanes { lane.ready.continuation.finish() }
    }

    private func lose(_ samples: Int, _ reason: String) throws {
        let (start, end, levels) = state.withLock { state in
            let start = state.samples
            state.samples += samples
            return (start, state.samples, state.level?.resume(at: state.samples) ?? [])
        }
        let rate = Double(SampleBuffer.sampleRate)
        events.push(levels + [.gap(start: Double(start) / rate, end: Double(end) / rate, reason: reason)])
        for lane in lanes { try lane.lane.resume(at: end) }
    }

    /// What the next passes run under.
    /// - Throws: ``WhisperError`` or ``ServiceError`` for what makes no sense for this model; then what held holds on.
    func steer(_ specs: [InterventionSpec]) throws { try steer(specs, specs.interventions(dimensions)) }

    /// The same where some of them are made of other sounds, to which the model has to listen.
    func steer(_ specs: [InterventionSpec], _ model: LoadedModel, _ turn: EngineTurn) throws {
        let sources = InterventionSources(model: model, turn: turn, padding: padding, samples: nil)
        try steer(specs, specs.interventions(dimensions, sources.material))
    }

    private func steer(_ specs: [InterventionSpec], _ interventions: [Intervention]) throws {
        for intervention in interventions { try intervention.check(withinFrames: frames) }
        for lane in lanes where lane.isSteered { lane.lane.steer(interventions) }
        state.withLock { $0.interventions = specs.map(\.description) }
        tellSteering()
    }

    private func tellSteering() {
        events.push([.steering(start: duration, interventions: state.withLock(\.interventions))])
    }

    func mark(_ label: String) { events.push([.marked(time: duration, label: label)]) }

    func tell(_ source: LiveSource) { events.push([.source(source)]) }

    /// No more sound comes.
    func finish() {
        events.push(state.withLock { $0.level?.finish() ?? [] })
        heard.continuation.finish()
        for lane in lanes { lane.ready.continuation.finish() }
    }

    /// All lanes have said their last.
    func end() {
        let texts = lanes.filter { !$0.isUrgent }.reduce(0) { $0 + $1.lane.merged }
        let features = lanes.filter(\.isUrgent).reduce(0) { $0 + $1.lane.merged }
        events.push([.end(duration: duration, skippedSteps: texts, padding: padding, mergedHops: features)])
        events.finish()
    }
}
