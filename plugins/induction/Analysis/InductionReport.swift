import PluginKit

/// The results, and how they are declared.
struct InductionReport {
    let table: HeadTable
    let offsets: [[OffsetSums]]
    let copying: RepeatedTokens.Copying?
    let state: InductionPlugin.State

    static let outputs: [Output] =
        [
            .table("best", title: "Heads of each kind", "The five with most attention beyond the null"),
            .table("heads", title: "Heads", "Shares of attention, beside the null of each kind"),
            .table(
                "copying", title: "Repeated tokens",
                "Log-probabilities of random tokens, of the same once more, and of others in their place"),
            .scalar("repeated", title: "Recordings of which a sound was played twice"),
            .scalar("aligned", title: "Windows with words and their times"),
        ]
        + HeadKind.allCases.map { kind in
            .matrix(
                kind.rawValue, title: kind.title, unit: "share of attention beyond the null",
                axes: (Axis("layer"), Axis("head")))
        }

    /// One head as one kind.
    private struct Row {
        let kind: HeadKind
        let layer, head: Int
        let score, null: Double
        let standardised: Double
        let trials: Int
        let note: String

        var cells: [Cell] {
            [
                .text(kind.part), .number(Double(layer)), .number(Double(head)), .text(kind.name), .number(score),
                .number(null), .number(score - null), .number(standardised), .number(Double(trials)), .text(note),
            ]
        }
        static let columns = ["part", "layer", "head", "kind", "score", "null", "excess", "z", "trials", "note"]
    }

    private func rows(_ kind: HeadKind) -> [[Row]] {
        guard kind != .encoderOffset else {
            return offsets.enumerated().map { layer, heads in
                heads.enumerated().map { head, sums in
                    let best = sums.best
                    return Row(
                        kind: kind, layer: layer, head: head, score: best.share, null: best.even, standardised: .nan,
                        trials: state.repeated, note: "\(best.offset) frames")
                }
            }
        }
        return table[kind].enumerated().map { layer, heads in
            heads.enumerated().map { head, evidence in
                Row(
                    kind: kind, layer: layer, head: head, score: evidence.meanScore, null: evidence.meanNull,
                    standardised: evidence.standardised, trials: evidence.trials, note: "")
            }
        }
    }

    func tell(_ results: Results) throws {
        try results.emit("repeated", .scalar(Double(state.repeated)))
        try results.emit("aligned", .scalar(Double(state.aligned)))
        let kinds = HeadKind.allCases.map { (kind: $0, rows: rows($0)) }.filter { !$0.rows.isEmpty }
        guard !kinds.isEmpty else { return }
        func excess(_ row: Row) -> Double { row.score - row.null }
        let best = kinds.flatMap { kind in
            kind.rows.joined().sorted { (-excess($0), $0.layer, $0.head) < (-excess($1), $1.layer, $1.head) }.prefix(5)
        }
        try results.emit("best", .table(columns: Row.columns, rows: best.map(\.cells)), mayBeNaN: true)
        try results.emit(
            "heads", .table(columns: Row.columns, rows: kinds.flatMap { $0.rows.joined().map(\.cells) }), mayBeNaN: true
        )
        for (kind, rows) in kinds {
            let width = rows.map(\.count).max() ?? 0
            try results.emit(
                kind.rawValue,
                .matrix(
                    rows.flatMap { row in (0..<width).map { $0 < row.count ? excess(row[$0]) : .nan } },
                    rows: rows.count, columns: width), mayBeNaN: true)
        }
        guard let copying else { return }
        try results.emit(
            "copying",
            .table(
                columns: ["tokens", "first copy", "second copy", "other tokens", "most probable"],
                rows: [
                    [
                        .number(Double(copying.tokens)), .number(copying.first), .number(copying.second),
                        .number(copying.other), .number(copying.top),
                    ]
                ]))
    }
}
