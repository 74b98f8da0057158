import Messages
import Results

/// What is known of a session so far: what its events add up to.
struct ListenState {
    /// A feature's newest values, one a frame.
    struct Track {
        let name: String
        /// What an atlas says that it listens to.
        let label: String
        /// By frame, from the first sample; older ones are let go.
        var values: [Int: Float] = [:]
        var greatest: Float = 0
    }

    private static let kept = 250
    private static let rate = 50.0

    var tracks: [Track]
    /// Frames before this one are settled.
    private(set) var settled = 0
    /// The newest frame that was told.
    private(set) var newest = 0
    private(set) var duration = 0.0
    private(set) var level: Float = -120
    /// The highest level of the last seconds.
    private(set) var peak: Float = -120
    private var peakTime = 0.0
    private(set) var hasVoice = false
    /// Final text, as far as it is shown, without interventions last.
    private(set) var text = ["", ""]
    private(set) var hypotheses = [V1.LiveHypothesis(), V1.LiveHypothesis()]
    private(set) var interventions: [String] = []
    private(set) var marks = 0
    private(set) var source = ""
    private(set) var isLost = false
    private(set) var dropped: UInt64 = 0
    private(set) var gaps = 0
    /// The newest result of each output of each plugin, in the order in which they first came.
    private(set) var results: [TypedResult] = []
    /// Why plugins hear no more.
    private(set) var failures: [String] = []
    private var plugins = ListenPlugins()
    /// Seconds from the newest sound of an event to its arrival.
    private(set) var delays: [String: [Double]] = [:]

    init(_ features: [(name: String, label: String)]) {
        tracks = features.map { Track(name: $0.name, label: $0.label) }
    }

    /// - Parameter now: nanoseconds since 1970.
    mutating func take(_ event: V1.LiveEvent, now: Int64) {
        dropped += event.dropped
        func delay(_ kind: String) {
            guard event.capturedUnixNs != 0 else { return }
            delays[kind, default: []].append(Double(now - event.capturedUnixNs) / 1e9)
            if delays[kind]!.count > 200 { delays[kind]!.removeFirst(100) }
        }
        switch event.event {
        case .level(let one)?:
            (level, hasVoice, duration) = (one.rmsDb, one.voice, max(duration, one.end))
            if one.peakDb >= peak || one.end - peakTime > 1.5 { (peak, peakTime) = (one.peakDb, one.end) }
            delay("level")
        case .readings(let one)?:
            take(one)
            delay("features")
        case .hypothesis(let one)?:
            hypotheses[one.plain ? 1 : 0] = one
            duration = max(duration, one.end)
            delay("words")
        case .segment(let one)?:
            let place = one.plain ? 1 : 0
            text[place] = String((text[place] + one.text).suffix(4000))
            hypotheses[place] = V1.LiveHypothesis()
        case .steering(let one)?: interventions = one.interventions
        case .marked?: marks += 1
        case .gap?: gaps += 1
        case .source(let one)?:
            isLost = one.state == .lost
            source = isLost ? "\(one.device) is lost: \(one.reason)" : "\(one.device), \(one.sampleRate.clamped) Hz"
        case .plugin(let one)?: take(one)
        case .end(let one)?: duration = one.duration
        case .unread, .heard, .activations, .started, nil: break
        }
    }

    private mutating func take(_ news: V1.LivePluginNews) {
        if case .failure(let reason)? = news.news { failures.append("\(plugins.id(news)): \(reason)") }
        do {
            guard let result = try plugins.take(news) else { return }
            if let place = results.firstIndex(where: { $0.output.id == result.output.id && $0.file == result.file }) {
                results[place] = result
            } else {
                results.append(result)
            }
        } catch { failures.append("\(plugins.id(news)): \(error)") }
    }

    private mutating func take(_ reading: V1.LiveReadings) {
        let first = (reading.start * Self.rate).clamped
        // A year.
        guard (0..<1 << 31).contains(first) else { return }
        for (place, frame) in reading.frames.enumerated() {
            newest = max(newest, first + Int(frame))
            if place < reading.settled { settled = max(settled, first + Int(frame) + 1) }
        }
        for index in tracks.indices where index < reading.features.count {
            for (frame, value) in zip(reading.frames, reading.features[index].values) {
                tracks[index].values[first + Int(frame)] = value
                tracks[index].greatest = max(tracks[index].greatest, abs(value))
            }
            if tracks[index].values.count > 2 * Self.kept {
                tracks[index].values = tracks[index].values.filter { $0.key > newest - Self.kept }
            }
        }
    }

    /// How strongly a feature answers in the last half second, of what it ever did: 0 to 1.
    func strength(_ track: Track) -> Float {
        guard track.greatest > 0 else { return 0 }
        let recent = (max(0, newest - 25)...max(newest, 0)).compactMap { track.values[$0] }
        return (recent.map { abs($0) }.max() ?? 0) / track.greatest
    }

    /// A percentile of the newest delays, in milliseconds; nil where there are none.
    func delay(_ kind: String, percentile: Double) -> Int? {
        guard let sorted = delays[kind]?.sorted(), !sorted.isEmpty else { return nil }
        return Int((sorted[min(sorted.count - 1, Int(Double(sorted.count) * percentile))] * 1000).rounded())
    }
}
