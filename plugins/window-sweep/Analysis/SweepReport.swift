import PluginKit
import PluginTranscripts

/// The results of a sweep.
struct SweepReport {
    let run: Run
    let windows: [Int]
    let scopes: [Scope]
    let recordings: [SweptRecording]
    let reaches: [HeadReach]
    let localShare: Double

    static let outputs: [Output] = [
        .table("sweep", title: "Word errors as the window falls", "A row for each set of heads and each window"),
        .matrix(
            "wer", title: "Word error rate", axes: (Axis("heads"), Axis("window")),
            "At most one error for each word of a recording"),
        .table("texts", title: "What is written", "For each recording"),
        .table("reach", title: "How far heads look", "Over frames that overlap sound"),
        .matrix("distance", title: "Mean distance", unit: "s", axes: (Axis("layer"), Axis("head"))),
        .text("summary", title: "In words"),
    ]

    func emit(_ results: Results) throws {
        let points = scopes.map { scope in
            windows.indices.map { SweepPoint(recordings, scope, windows: windows, place: $0, seed: run.seed) }
        }
        try results.emit("sweep", sweepTable(points.flatMap { $0.compactMap { $0 } }), mayBeNaN: true)
        if !recordings.isEmpty {
            let rates = points.flatMap { $0.map { $0?.errors.boundedRate ?? .nan } }
            let axes = [
                Axis("heads", labels: scopes.map(\.name)), Axis("window", labels: windows.map(String.init)),
            ]
            try results.emit(
                "wer", .matrix(rates, rows: scopes.count, columns: windows.count, axes: axes), mayBeNaN: true)
        }
        try results.emit("texts", textTable, mayBeNaN: true)
        try results.emit("reach", reachTable, mayBeNaN: true)
        var distances = [Double](repeating: .nan, count: run.nAudioLayer * run.nAudioHead)
        for reach in reaches where reach.layer < run.nAudioLayer && reach.head < run.nAudioHead {
            distances[reach.layer * run.nAudioHead + reach.head] = reach.meanDistance
        }
        if !reaches.isEmpty {
            let axes = [("layer", run.nAudioLayer), ("head", run.nAudioHead)].map {
                Axis($0, labels: (0..<$1).map(String.init))
            }
            try results.emit(
                "distance", .matrix(distances, rows: run.nAudioLayer, columns: run.nAudioHead, axes: axes),
                mayBeNaN: true)
        }
        try results.emit("summary", .text(summary(points)))
    }

    private func sweepTable(_ points: [SweepPoint]) -> ResultValue {
        .table(
            columns: [
                "heads", "window", "seconds", "wer", "bounded_wer", "change", "low_95", "high_95", "recordings",
                "differing",
            ],
            rows: points.map { point in
                [
                    .text(point.scope.name), .number(Double(point.window)), .number(Double(point.window) / 50),
                    .number(point.errors.rate), .number(point.errors.boundedRate),
                    .number(point.errors.boundedRate - point.unchanged.boundedRate), .number(point.interval.low),
                    .number(point.interval.high), .number(Double(point.recordings)), .number(Double(point.differing)),
                ]
            })
    }

    private var textTable: ResultValue {
        var rows: [[Cell]] = []
        for recording in recordings {
            func row(_ heads: String, _ window: Double, _ text: String) -> [Cell] {
                let errors = recording.errors(text)
                return [
                    .text(recording.name), .text(heads), .number(window), .number(errors.rate),
                    .text(WordAlignment(recording.reference, text).difference),
                ]
            }
            rows.append(row("unchanged", .nan, recording.unchanged))
            for scope in scopes {
                for (window, text) in zip(windows, recording.texts[scope.name] ?? []) {
                    rows.append(row(scope.name, Double(window), text))
                }
            }
        }
        return .table(columns: ["recording", "heads", "window", "wer", "difference"], rows: rows)
    }

    private var reachTable: ResultValue {
        .table(
            columns: ["layer", "head", "distance (s)", "share_near", "local"],
            rows: reaches.map { reach in
                [
                    .number(Double(reach.layer)), .number(Double(reach.head)), .number(reach.meanDistance),
                    .number(reach.share), .text(reach.share >= localShare ? "yes" : "no"),
                ]
            })
    }

    private func summary(_ points: [[SweepPoint?]]) -> String {
        let local = reaches.filter { $0.share >= localShare }
        let byLayer = (0..<run.nAudioLayer).map { layer in String(local.count { $0.layer == layer }) }
        var parts = [
            "\(local.count) of \(reaches.count) heads are local, by block \(byLayer.joined(separator: ", ")).",
            "\(recordings.count) recordings; errors are bounded by the words of each.",
        ]
        let own = recordings.count(where: \.isReferenceOwn)
        if own > 0 { parts.append("Of \(own) of them what is written unchanged stands for what was said.") }
        for row in points {
            guard let scope = row.compactMap(\.self).first?.scope else { continue }
            let rates = row.compactMap(\.self).map { "\($0.window): \(percent($0.errors.boundedRate))" }
            parts.append("\(scope.name): \(rates.joined(separator: ", ")).")
        }
        return parts.joined(separator: " ")
    }
}
