import Messages
import PluginHost
import Wire

extension LiveOptions {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for what is no padding, no context, or no intervention.
    init(_ message: V1.LiveOpen) throws {
        self.init()
        language = message.language.language
        transcribes = message.transcribe
        features = message.features.map {
            Feature(hook: $0.hook, index: Int($0.index), dictionary: $0.dictionary.nonEmpty)
        }
        if message.stepMs > 0 { step = Double(message.stepMs) / 1000 }
        window = message.windowMs > 0 ? Double(message.windowMs) / 1000 : nil
        padding = try WindowPadding(message.padding) ?? padding
        context = try EncoderContext(message.context)
        rolling = try message.rolling.map { try Rolling($0) }
        interventions = try InterventionSpec.all(message.interventions)
        compares = message.compare
        echoes = message.echo
        plugins = try message.plugins.map {
            Plugin(
                id: $0.pluginId, arguments: $0.arguments.map(PluginArgument.init),
                permissions: try PluginPermissions($0.permissions))
        }
        guard plugins.isEmpty || rolling != nil else {
            throw ServiceError(.invalidArgument, "plugins hear what settles in a rolling context: set 'rolling'")
        }
        // A device does not wait.
        if message.device != nil { rolling?.passesOver = true }
    }
}

extension LiveOptions.Rolling {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for times that are no whole frames.
    init(_ message: V1.LiveRolling) throws {
        self.init()
        if message.hopMs > 0 { hopFrames = try Self.frames(message.hopMs, "hop") }
        frames = message.contextMs > 0 ? try Self.frames(message.contextMs, "context") : nil
        if message.revision != 0 { revision = message.revision }
        inSilence = message.inSilence
    }

    private static func frames(_ milliseconds: UInt32, _ what: String) throws -> Int {
        guard milliseconds % 20 == 0 else {
            throw ServiceError(
                .invalidArgument, "a \(what) of \(milliseconds) ms; expected whole frames of 20 ms")
        }
        return Int(milliseconds / 20)
    }
}

extension V1.LiveEvent {
    init(_ numbered: LiveEvents.Numbered) {
        self.init(
            seq: numbered.seq, dropped: numbered.dropped, event: Event(numbered.event),
            capturedUnixNs: numbered.captured ?? 0, madeUnixNs: numbered.made)
    }
}

extension V1.LiveEvent.Event {
    fileprivate init(_ event: LiveEvent) {
        switch event {
        case .level(let start, let end, let rms, let peak, let voice):
            self = .level(V1.LiveLevel(start: start, end: end, rmsDb: rms, peakDb: peak, voice: voice))
        case .hypothesis(let hypothesis):
            self = .hypothesis(
                V1.LiveHypothesis(
                    start: hypothesis.start, end: hypothesis.end, text: hypothesis.text, stable: hypothesis.stable,
                    plain: hypothesis.isPlain))
        case .segment(let segment):
            self = .segment(
                V1.LiveSegment(
                    start: segment.start, end: segment.end, text: segment.text, avgLogprob: segment.avgLogprob,
                    noSpeechProb: segment.noSpeechProb, plain: segment.isPlain))
        case .activations(let start, let framesPerSecond, let values):
            self = .activations(
                V1.LiveActivations(
                    start: start, framesPerSecond: framesPerSecond,
                    features: values.map { V1.FeatureValues(values: $0) }))
        case .end(let duration, let skippedSteps, let padding, let mergedHops):
            self = .end(
                V1.LiveEnd(
                    duration: duration, skippedSteps: skippedSteps, padding: padding.message, mergedHops: mergedHops))
        case .readings(let reading):
            self = .readings(
                V1.LiveReadings(
                    start: reading.start, end: reading.end, framesPerSecond: 50,
                    frames: reading.frames.map { UInt32($0) }, settled: UInt32(reading.settled),
                    features: reading.values.map { V1.FeatureValues(values: $0) }))
        case .unread(let start, let end, let isSilence):
            self = .unread(V1.LiveUnread(start: start, end: end, reason: isSilence ? .silence : .busy))
        case .gap(let start, let end, let reason):
            self = .gap(V1.LiveGap(start: start, end: end, reason: reason))
        case .steering(let start, let interventions):
            self = .steering(V1.LiveSteering(start: start, interventions: interventions))
        case .heard(let start, let samples):
            self = .heard(
                V1.LiveHeard(
                    start: start,
                    pcmS16le: samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }))
        case .marked(let time, let label): self = .marked(V1.LiveMarked(time: time, label: label))
        case .source(let source):
            self = .source(
                V1.LiveSource(
                    state: source.lost == nil ? .open : .lost, device: source.device, sampleRate: source.sampleRate,
                    latency: source.latency, reason: source.lost ?? ""))
        case .plugin(let news): self = .plugin(V1.LivePluginNews(news))
        }
    }
}

extension V1.LivePluginNews {
    fileprivate init(_ news: LivePluginNews) {
        let what: News =
            switch news.kind {
            case .description(let description): .description(V1.PluginDescription(description))
            case .result(let result): .result(V1.PluginResult(result))
            case .log(let log): .log(V1.PluginLog(log))
            case .failure(let reason): .failure(reason)
            }
        self.init(plugin: UInt32(clamping: news.plugin), start: news.start, end: news.end, news: what)
    }
}
