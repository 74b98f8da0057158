import Messages
import StrictJSON

extension V1.LiveEvent {
    /// An event as a line of JSON: its kind, `seq`, `dropped`, times in seconds from the first sample, and, where they are known,
    /// `captured` and `made` in seconds since 1970. Nil for the first message, which says nothing of the sound.
    /// - Parameters:
    ///   - names: of the features, in their order.
    ///   - plugins: what is known of the session's plugins.
    /// - Throws: ``Results/ResultError`` for a plugin's result that it did not declare.
    func json(_ names: [String], _ plugins: inout ListenPlugins) throws -> JSON? {
        var said = content(names)
        if case .plugin(let news)? = event { said = try plugins.json(news).map { ("plugin", $0) } }
        guard let (kind, members) = said else { return nil }
        var all: [(String, JSON)] = [("event", .string(kind)), ("seq", .unsigned(seq))]
        if dropped > 0 { all.append(("dropped", .unsigned(dropped))) }
        all += members
        if capturedUnixNs != 0 { all.append(("captured", .number(Double(capturedUnixNs) / 1e9))) }
        if madeUnixNs != 0 { all.append(("made", .number(Double(madeUnixNs) / 1e9))) }
        return .object(all)
    }

    private func content(_ names: [String]) -> (String, [(String, JSON)])? {
        switch event {
        case .level(let level)?:
            return (
                "level",
                span(level.start, level.end) + [
                    ("rms_db", .number(Double(level.rmsDb))), ("peak_db", .number(Double(level.peakDb))),
                    ("voice", .bool(level.voice)),
                ]
            )
        case .hypothesis(let one)?:
            return (
                "hypothesis",
                span(one.start, one.end) + [("text", .string(one.text)), ("stable", .string(one.stable))]
                    + plain(one.plain)
            )
        case .segment(let one)?:
            return (
                "segment",
                span(one.start, one.end) + [
                    ("text", .string(one.text)), ("avg_logprob", .number(one.avgLogprob)),
                    ("no_speech_prob", one.noSpeechProb.map { .number($0) } ?? .null),
                ] + plain(one.plain)
            )
        case .readings(let one)?:
            let times = one.frames.map { JSON.number(one.start + Double($0) / max(one.framesPerSecond, 1)) }
            return (
                "readings",
                span(one.start, one.end) + [
                    ("settled", .integer(Int(one.settled))), ("times", .array(times)),
                    (
                        "features",
                        .object(zip(names, one.features).map { ($0, .array($1.values.map { .number(Double($0)) })) })
                    ),
                ]
            )
        case .unread(let one)?: return ("unread", span(one.start, one.end) + [("reason", .string(one.reason.name))])
        case .gap(let one)?: return ("gap", span(one.start, one.end) + [("reason", .string(one.reason))])
        case .steering(let one)?:
            return (
                "steering",
                [("start", .number(one.start)), ("interventions", .array(one.interventions.map { .string($0) }))]
            )
        case .marked(let one)?: return ("mark", [("time", .number(one.time)), ("label", .string(one.label))])
        case .source(let one)?:
            return (
                one.state == .lost ? "lost" : "open",
                [
                    ("device", .string(one.device)), ("sample_rate", .number(one.sampleRate)),
                    ("latency", .number(one.latency)), ("reason", .string(one.reason)),
                ]
            )
        case .end(let one)?:
            return (
                "end",
                [
                    ("duration", .number(one.duration)), ("skipped_steps", .unsigned(one.skippedSteps)),
                    ("merged_hops", .unsigned(one.mergedHops)),
                ]
            )
        case .activations?, .heard?, .plugin?, .started?, nil: return nil
        }
    }

    private func span(_ start: Double, _ end: Double) -> [(String, JSON)] {
        [("start", .number(start)), ("end", .number(end))]
    }

    private func plain(_ isPlain: Bool) -> [(String, JSON)] { isPlain ? [("plain", .bool(true))] : [] }
}
