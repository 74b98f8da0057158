import PluginKit
import PluginTranscripts

/// The results of cutting.
struct CutReport {
    let cuts: [Cut]
    let places: [CutWordsPlugin.PlaceCut]
    let margins: [Double]
    let hook: String
    let place: CutPlace?
    let spoken, written: Int

    /// How far from a cut words are told apart.
    private static let farthest = 5

    static let outputs: [Output] = [
        .text("difference", title: "What the cut does", "Words that are gone and that have come"),
        .table("places", title: "Recordings, cut at the place that was asked for"),
        .table("margins", title: "What is gone, by what is cut beside the word", "Shares of the cuts"),
        .matrix(
            "offsets", title: "Share of words that are gone",
            axes: (Axis("margin (s)"), Axis("words from the cut one")),
            "By what is cut beside the word, and by how far a word is from it"),
        .table("lengths", title: "What is gone, by how long the word lasts"),
        .table("cuts", title: "Cuts", "Each word, each margin"),
        .text("summary", title: "In words"),
    ]

    func emit(_ results: Results) throws {
        guard place == nil else { return try emitPlaces(results) }
        let outcomes = margins.map { margin in cuts.filter { $0.margin == margin }.map(\.outcome) }
        try results.emit("margins", marginTable(outcomes), mayBeNaN: true)
        if !cuts.isEmpty {
            let offsets = Array(-Self.farthest...Self.farthest)
            let values = outcomes.flatMap { row in offsets.map { CutStatistics.gone(row, at: $0) } }
            let axes = [
                Axis("margin (s)", labels: margins.map { String($0) }),
                Axis("words from the cut one", labels: offsets.map(String.init)),
            ]
            try results.emit(
                "offsets", .matrix(values, rows: margins.count, columns: offsets.count, axes: axes), mayBeNaN: true)
        }
        try results.emit("lengths", lengthTable, mayBeNaN: true)
        try results.emit("cuts", cutTable)
        try results.emit("summary", .text(summary(outcomes)))
    }

    private func emitPlaces(_ results: Results) throws {
        try results.emit(
            "places",
            .table(
                columns: ["recording", "place", "gone", "come", "unchanged", "cut", "difference"],
                rows: places.map { cut in
                    let alignment = WordAlignment(cut.unchanged, cut.changed)
                    let kept = alignment.isKept.count { $0 }
                    return [
                        .text(cut.name), .text(place?.text ?? ""), .number(Double(alignment.expected.count - kept)),
                        .number(Double(alignment.actual.count - kept)), .text(cut.unchanged), .text(cut.changed),
                        .text(alignment.difference),
                    ]
                }))
    }

    private func marginTable(_ outcomes: [[Cut.Outcome]]) -> ResultValue {
        .table(
            columns: [
                "margin (s)", "cuts", "gone", "lost", "exactly", "alone", "before", "behind", "far", "added",
                "unchanged",
            ],
            rows: zip(margins, outcomes).map { margin, row in
                let all = CutStatistics(row)
                return
                    ([margin, Double(all.cuts), all.gone, all.lost, all.exact, all.alone, all.before, all.behind]
                    + [all.far, all.added, all.unchanged]).map(Cell.number)
            })
    }

    private var lengthTable: ResultValue {
        let bounds = [(0.0, 0.15), (0.15, 0.3), (0.3, Double.infinity)]
        var rows: [[Cell]] = []
        for (from, to) in bounds {
            let here = cuts.filter { ($0.duration >= from) && ($0.duration < to) }
            for margin in margins {
                let outcomes = here.filter { $0.margin == margin }.map(\.outcome)
                guard !outcomes.isEmpty else { continue }
                let all = CutStatistics(outcomes)
                rows.append([
                    .text(to.isFinite ? "\(from)–\(to) s" : "\(from) s and more"), .number(margin),
                    .number(Double(all.cuts)), .number(all.gone), .number(all.exact), .number(all.before),
                    .number(all.behind),
                ])
            }
        }
        return .table(columns: ["word lasts", "margin (s)", "cuts", "gone", "exactly", "before", "behind"], rows: rows)
    }

    private var cutTable: ResultValue {
        .table(
            columns: ["recording", "word", "margin (s)", "frames", "outcome", "difference"],
            rows: cuts.map { cut in
                let outcome = cut.outcome
                let name =
                    outcome.isExact
                    ? "exactly" : outcome.isAlone ? "alone" : outcome.isGone ? "with others" : "there"
                return [
                    .text(cut.name), .text(cut.word), .number(cut.margin), .text("\(cut.frames[0]):\(cut.frames[1])"),
                    .text(name), .text(WordAlignment(cut.unchanged, cut.changed).difference),
                ]
            })
    }

    private func summary(_ outcomes: [[Cut.Outcome]]) -> String {
        guard !cuts.isEmpty else { return "No word was cut: none whose time is known is written." }
        let recordings = Set(cuts.map(\.recording)).count,
            words = Set(cuts.map { "\($0.recording) \($0.spoken)" }).count
        var parts = [
            "\(words) words of \(recordings) recordings, cut at \(hook); of \(spoken) words with times \(written) are written."
        ]
        for (margin, row) in zip(margins, outcomes) where !row.isEmpty {
            let all = CutStatistics(row)
            parts.append(
                "\(margin) s to each side: gone \(percent(all.gone)), exactly the word \(percent(all.exact)), the word before "
                    + "\(percent(all.before)) and behind \(percent(all.behind)), far words \(percent(all.far)).")
        }
        return parts.joined(separator: " ")
    }
}
