import PluginKit
import PluginTranscripts

/// The results, and how they are declared.
enum LensReport {
    static let outputs: [Output] = [
        .table(
            "layers", title: "Logit lens", "The decoder's residual stream after each block, read as if it were the last"
        ),
        .vector(
            "log-probability", title: "Log-probability of the last token", unit: "nats",
            "Of the token that the model finds most probable in the end, at each layer"),
        .vector("divergence", title: "Divergence from the last distribution", unit: "nats", "KL(final ‖ layer)"),
        .vector(
            "settled", title: "Where the token is settled", unit: "share of tokens", plot: .bar,
            "From which layer on the last token is the most probable"),
        .table("tokens", title: "Tokens, for one recording", "What each layer finds most probable at each position"),
        .matrix(
            "map", title: "Log-probability of the last token", unit: "nats",
            "Layers down, tokens of the transcript across"),
        .table("encoder", title: "DecoderLens", "What is written when the decoder reads each stage of the encoder"),
        .vector(
            "encoder-errors", title: "Word errors by stage of the encoder", unit: "share",
            "At most as many as there are words; against the data set's texts, or the whole encoder's where there are none"
        ),
        .table("texts", title: "Transcripts by stage of the encoder, for one recording"),
        .scalar("recordings", title: "Recordings"),
    ]

    static func tell(_ state: LensState, _ results: Results) throws {
        try results.emit("recordings", .scalar(Double(state.recordings)))
        if !state.layers.isEmpty { try tellLayers(state, results) }
        if !state.stages.isEmpty { try tellStages(state.stages, results) }
    }

    private static func tellLayers(_ state: LensState, _ results: Results) throws {
        let axis = Axis("layer", labels: state.layers.indices.map(LogitLens.name))
        let tokens = Double(max(1, state.settled.reduce(0, +)))
        try results.emit(
            "layers",
            .table(
                columns: ["layer", "tokens"] + LayerSums.ranks.map { $0 == 1 ? "first" : "in first \($0)" }
                    + ["mean rank", "log-probability", "KL from final", "entropy", "settled"],
                rows: state.layers.enumerated().map { layer, sums in
                    [.text(LogitLens.name(layer)), .number(Double(sums.positions))] + sums.shares.map(Cell.number)
                        + [
                            .number(sums.meanRank), .number(sums.meanLogProbability), .number(sums.meanDivergence),
                            .number(sums.meanEntropy), .number(Double(state.settled[layer]) / tokens),
                        ]
                }), mayBeNaN: true)
        try results.emit(
            "log-probability", .vector(state.layers.map(\.meanLogProbability), axis: axis), mayBeNaN: true)
        try results.emit("divergence", .vector(state.layers.map(\.meanDivergence), axis: axis), mayBeNaN: true)
        try results.emit("settled", .vector(state.settled.map { Double($0) / tokens }, axis: axis))
    }

    private static func tellStages(_ stages: [EncoderLens.StageSums], _ results: Results) throws {
        let hasTexts = stages.contains { $0.errors.words > 0 }
        try results.emit(
            "encoder",
            .table(
                columns: ["stage", "recordings", "words", "empty", "WER", "bounded WER", "WER from whole"],
                rows: stages.enumerated().map { stage, sums in
                    [
                        .text(EncoderLens.name(stage)), .number(Double(sums.recordings)), .number(Double(sums.words)),
                        .number(Double(sums.empty)), .number(sums.errors.rate), .number(sums.errors.boundedRate),
                        .number(sums.changes.rate),
                    ]
                }), mayBeNaN: true)
        try results.emit(
            "encoder-errors",
            .vector(
                stages.map { hasTexts ? $0.errors.boundedRate : $0.changes.boundedRate },
                axis: Axis("stage", labels: stages.indices.map(EncoderLens.name))), mayBeNaN: true)
    }

    /// - Parameter texts: of all tokens that occur.
    static func tokens(_ positions: [LensState.Open.Position], _ texts: [Int: String]) -> ResultValue {
        let layers = positions.first?.tops.count ?? 0
        let columns =
            ["window", "position", "after id", "after", "id", "token"]
            + (0..<layers).flatMap { layer in
                ["top", "rank", "log-probability"].map { "\(LogitLens.name(layer)) \($0)" }
            }
        return .table(
            columns: columns,
            rows: positions.map { position in
                [
                    .number(Double(position.window + 1)), .number(Double(position.position)),
                    .number(Double(position.read)), .text(texts[position.read] ?? ""),
                    .number(Double(position.final)), .text(texts[position.final] ?? ""),
                ]
                    + (0..<layers).flatMap { layer -> [Cell] in
                        [
                            .text(texts[position.tops[layer]] ?? ""), .number(Double(position.ranks[layer])),
                            .number(position.logProbabilities[layer]),
                        ]
                    }
            })
    }

    static func texts(_ texts: [String], _ expected: String?) -> ResultValue {
        let whole = Words.of(texts.last ?? "")
        return .table(
            columns: ["stage", "text", "WER", "WER from whole"],
            rows: texts.enumerated().map { stage, text in
                let own = Words.of(text)
                let errors = expected.map { WordErrors(Words.of($0), own) } ?? WordErrors()
                return [
                    .text(EncoderLens.name(stage)), .text(text), .number(errors.rate),
                    .number(WordErrors(whole, own).rate),
                ]
            })
    }
}
