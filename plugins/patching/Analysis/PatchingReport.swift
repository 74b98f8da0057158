import PluginKit

/// What is told of all pairs.
struct PatchingReport {
    static let outputs: [Output] = [
        .text("summary", title: "Summary"),
        .table(
            "pairs", title: "Pairs",
            "Logit differences (answer less other) of both recordings; pairs that are not used say too little"),
        .matrix(
            "frames", title: "Recovered by frames", axes: (Axis("behind block"), Axis("time", unit: "s")),
            "The part of the logit difference that comes back with the clean encoder stream at these frames alone; mean over pairs"
        ),
        .matrix(
            "attributed_frames", title: "Recovered by frames, by attribution",
            axes: (Axis("behind block"), Axis("time", unit: "s")),
            "The same to first order: two forward passes, one backward"),
        .matrix(
            "frames_of_pair", title: "Recovered by frames, one pair",
            axes: (Axis("behind block"), Axis("time", unit: "s"))),
        .matrix(
            "tokens", title: "Recovered by tokens",
            axes: (Axis("behind block"), Axis("token", unit: "before the answer")),
            "With the clean decoder stream at one token"),
        .matrix("encoder_heads", title: "Recovered by encoder heads", axes: (Axis("layer"), Axis("head"))),
        .matrix("decoder_heads", title: "Recovered by decoder heads", axes: (Axis("layer"), Axis("head"))),
        .matrix("cross_heads", title: "Recovered by cross-attention heads", axes: (Axis("layer"), Axis("head"))),
        .table("best", title: "Single parts, the best first", "Heads and MLPs, at all positions"),
        .table("agreement", title: "Attribution beside the exact effect", "Over all places of all pairs, in logits"),
        .table(
            "paths", title: "Paths",
            "What is recovered where one reader alone gets the part's clean contribution; the best of each"),
        .table(
            "steering", title: "Steering by the difference of the classes",
            "Added to the corrupted recording, times a factor; beside a random direction of the same length"),
    ]

    private let run: Run
    private let step: Int
    var notes: [String]
    var paths: Paths?
    var steering: Steering?
    private(set) var means = MeanEffects([])
    private var pairs: [PatchedPair] = []
    private var rows: [[Cell]] = []

    init(run: Run, step: Int, notes: [String]) { (self.run, self.step, self.notes) = (run, step, notes) }

    mutating func add(_ contrast: Contrast, isUsed: Bool, _ host: Host) throws {
        rows.append([
            .text(contrast.pair.name), .text(contrast.pair.clean.name), .text(contrast.pair.corrupted.name),
            .text(try host.decode([contrast.answer])), .text(try host.decode([contrast.other])),
            .number(contrast.clean),
            .number(contrast.corrupted), .text(contrast.clean > 0 && contrast.corrupted < 0 ? "yes" : "no"),
            .text(isUsed ? "yes" : "no"), .text(contrast.tokens.map(String.init).joined(separator: " ")),
            .number(Double(contrast.answer)), .number(Double(contrast.other)),
        ])
    }

    mutating func take(_ pairs: [PatchedPair]) { (self.pairs, means) = (pairs, MeanEffects(pairs)) }

    func emit(to results: Results) throws {
        try results.emit("summary", .text(summary))
        try results.emit(
            "pairs",
            .table(
                columns: [
                    "pair", "clean", "corrupted", "answer", "other", "clean difference", "corrupted difference",
                    "told apart",
                    "used", "tokens read", "answer token", "other token",
                ],
                rows: rows))
        guard !pairs.isEmpty else { return }
        let windows = means.extent(.frames)
        try emit("frames", results, windows) { means.recovered(.frames, $0, $1) }
        try emit("attributed_frames", results, windows) { means.attributed(.frames, $0, $1) }
        for pair in pairs {
            let own = MeanEffects([pair])
            try emit("frames_of_pair", results, own.extent(.frames), of: pair.contrast.pair.name) {
                own.recovered(.frames, $0, $1)
            }
        }
        try emitTokens(to: results)
        for (id, kind) in [
            ("encoder_heads", Place.Kind.encoderHead), ("decoder_heads", .decoderHead), ("cross_heads", .crossHead),
        ] {
            let (layers, heads) =
                kind == .encoderHead ? (run.nAudioLayer, run.nAudioHead) : (run.nTextLayer, run.nTextHead)
            let values = (0..<layers).flatMap { layer in (0..<heads).map { means.recovered(kind, layer, $0) } }
            try results.emit(id, .matrix(values, rows: layers, columns: heads), mayBeNaN: true)
        }
        try results.emit(
            "best",
            .table(
                columns: ["part", "layer", "head", "recovered", "by attribution"],
                rows: means.best.prefix(20).map { place, recovered, attributed in
                    [
                        .text(place.kind.rawValue), .number(Double(place.layer)),
                        .number(place.head.map(Double.init) ?? .nan),
                        .number(recovered), .number(attributed),
                    ]
                }), mayBeNaN: true)
        try results.emit(
            "agreement",
            .table(
                columns: ["places", "number", "Pearson", "Spearman", "same sign"],
                rows: agreements.map { name, count, found in
                    [
                        .text(name), .number(Double(count)), .number(found.pearson), .number(found.spearman),
                        .number(found.sameSign),
                    ]
                }), mayBeNaN: true)
        if let paths {
            let sorted = paths.edges.sorted { $0.recovered > $1.recovered }
            try results.emit(
                "paths",
                .table(
                    columns: ["from", "to", "recovered"],
                    rows: sorted.prefix(60).map {
                        [.text($0.sender.name), .text($0.receiver), .number($0.recovered)]
                    }))
        }
        if let steering, !steering.rows.isEmpty {
            try results.emit(
                "steering",
                .table(
                    columns: [
                        "behind block", "factor", "change", "turned over", "random change", "random turned over",
                    ],
                    rows: steering.rows.map {
                        [Double($0.layer), $0.factor, $0.change, $0.turned, $0.randomChange, $0.randomTurned].map(
                            Cell.number)
                    }))
        }
    }

    private func emit(
        _ id: String, _ results: Results, _ windows: Int, of pair: String? = nil, _ value: (Int, Int) -> Double
    ) throws {
        let layers = -1..<run.nAudioLayer
        try results.emit(
            id,
            .matrix(
                layers.flatMap { layer in (0..<windows).map { value(layer, $0) } }, rows: layers.count,
                columns: windows,
                axes: [
                    Axis("behind block", labels: layers.map { $0 < 0 ? "input" : "\($0)" }),
                    Axis("time", unit: "s", step: Double(step) / 50),
                ]), recording: pair, mayBeNaN: true)
    }

    private func emitTokens(to results: Results) throws {
        let tokens = means.extent(.tokens), layers = run.nTextLayer
        let back = Array((0..<tokens).reversed())
        try results.emit(
            "tokens",
            .matrix(
                (0..<layers).flatMap { layer in back.map { means.recovered(.tokens, layer, $0) } }, rows: layers,
                columns: tokens,
                axes: [
                    Axis("behind block", labels: (0..<layers).map(String.init)),
                    Axis("token", unit: "before the answer", labels: back.map { $0 == 0 ? "last" : "-\($0)" }),
                ]), mayBeNaN: true)
    }

    /// Of each kind of place, and of all.
    private var agreements: [(String, Int, Correlation)] {
        let all = pairs.flatMap(\.effects)
        func agreement(_ name: String, _ effects: [Effect]) -> (String, Int, Correlation) {
            (name, effects.count, Correlation(effects.map(\.exact), effects.map(\.attributed)))
        }
        return Place.Kind.allCases.map { kind in agreement(kind.rawValue, all.filter { $0.place.kind == kind }) }
            + [agreement("all", all)]
    }

    private var summary: String {
        let used = pairs.count
        var lines = ["\(used) of \(rows.count) pairs are told apart far enough to be looked at."]
        if let best = means.best.first {
            lines.append(
                "The single part that brings most back is the \(best.place.name): \(Self.percent(best.recovered)) of the logit difference."
            )
        }
        if let all = agreements.last, !all.2.pearson.isNaN {
            let passes = pairs.reduce(0) { $0 + $1.effects.count }
            lines.append(
                "Attribution, of \(3 * used) passes, agrees with \(passes) exact exchanges: Pearson \(Self.short(all.2.pearson)), Spearman "
                    + "\(Self.short(all.2.spearman)).")
        }
        if let best = paths?.edges.max(by: { $0.recovered < $1.recovered }) {
            lines.append(
                "The strongest path is \(best.sender.name) to \(best.receiver): \(Self.percent(best.recovered)).")
        }
        if let best = steering?.rows.max(by: { ($0.lead, $0.change) < ($1.lead, $1.change) }) {
            lines.append(
                "Steering behind block \(best.layer) by \(best.factor) times the other pairs' difference turns \(Self.percent(best.turned)) of the "
                    + "choices over (a random direction \(Self.percent(best.randomTurned))).")
        }
        return (lines + notes).joined(separator: "\n")
    }

    private static func percent(_ share: Double) -> String {
        Int(exactly: (100 * share).rounded()).map { "\($0) %" } ?? "\(share)"
    }
    private static func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
