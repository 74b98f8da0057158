import PluginKit

/// The results: tables of all heads, and a heat map for each statistic and each kind of attention.
struct Drawing {
    /// By kind, layer and head.
    private let layers: [(sums: LayerSums, heads: [HeadStatistics])]
    private let settings: Settings

    init(_ layers: [String: LayerSums], _ layout: HeadLayout, _ settings: Settings) {
        self.settings = settings
        self.layers = AttentionKind.allCases.flatMap { kind in
            layers.values.filter { $0.kind == kind }.sorted { $0.layer < $1.layer }
        }.map { sums in (sums, sums.heads.map { HeadStatistics($0, sums.kind, layout, settings) }) }
    }

    private struct Statistic: Sendable {
        let id, title: String
        let unit: @Sendable (AttentionKind) -> String
        let value: @Sendable (HeadStatistics) -> Double
    }

    private static let statistics: [Statistic] = [
        .init(id: "distance", title: "mean distance", unit: \.distanceUnit, value: \.distance),
        .init(id: "entropy", title: "entropy", unit: { _ in "nats" }, value: \.entropy),
        .init(
            id: "normalised-entropy", title: "entropy over its greatest", unit: { _ in "" }, value: \.normalisedEntropy),
        .init(id: "diagonality", title: "diagonality", unit: { _ in "" }, value: \.diagonality),
        .init(id: "local", title: "mass within local-width", unit: { _ in "" }, value: \.local),
        .init(id: "sink", title: "mass on the sink", unit: { _ in "" }, value: \.sink),
        .init(id: "padding", title: "mass on padding", unit: { _ in "" }, value: \.padding),
    ]

    static let outputs: [Output] =
        [
            .scalar("recordings", title: "Recordings heard"),
            .table("heads", title: "Heads", "A row for each head of each layer"),
            .table("classes", title: "Classes of heads", "How many heads are of each class"),
            .table("recording-heads", title: "Heads, for one recording"),
        ]
        + AttentionKind.allCases.flatMap { kind in
            statistics.map {
                .matrix(
                    "\(kind.rawValue)-\($0.id)", title: "\(kind.rawValue): \($0.title)", unit: $0.unit(kind),
                    axes: (Axis("layer"), Axis("head")))
            } + [
                .matrix(
                    "\(kind.rawValue)-distances", title: "\(kind.rawValue): mass by distance",
                    "How much of a head's mass lies at which distance, in frames or tokens"),
                .matrix(
                    "\(kind.rawValue)-offsets", title: "\(kind.rawValue): mass by offset",
                    "How much of a head's mass lies how far before or behind the query"),
            ]
        }

    func emitTable(_ id: String, _ results: Results, recording: String? = nil) throws {
        let columns =
            ["attention", "layer", "head", "class", "distance", "unit", "entropy", "normalised entropy", "diagonality"]
            + settings.within.map { "within \($0)" } + ["sink", "padding", "offset", "offset share", "rows"]
        var rows: [[Cell]] = []
        for (sums, heads) in layers {
            for (number, head) in heads.enumerated() {
                var row: [Cell] = [
                    .text(sums.kind.rawValue), .number(Double(sums.layer)), .number(Double(number)),
                    .text(head.headClass.rawValue), .number(head.distance), .text(sums.kind.distanceUnit),
                    .number(head.entropy), .number(head.normalisedEntropy), .number(head.diagonality),
                ]
                row += head.within.map(Cell.number)
                row += [head.sink, head.padding, head.bestOffset, head.offsetShare, Double(head.rows)].map(Cell.number)
                rows.append(row)
            }
        }
        try results.emit(id, .table(columns: columns, rows: rows), recording: recording, mayBeNaN: true)
    }

    func emitClasses(_ results: Results) throws {
        var rows: [[Cell]] = []
        for kind in settings.kinds {
            let heads = layers.filter { $0.sums.kind == kind }.flatMap(\.heads)
            let counts = HeadClass.allCases.map { name in heads.count { $0.headClass == name } }
            rows.append([.text(kind.rawValue)] + counts.map { .number(Double($0)) })
        }
        try results.emit("classes", .table(columns: ["attention"] + HeadClass.allCases.map(\.rawValue), rows: rows))
    }

    func emitMaps(_ kind: AttentionKind, _ results: Results) throws {
        let own = layers.filter { $0.sums.kind == kind }
        guard let width = own.map(\.heads.count).max(), width > 0 else { return }
        let axes = [
            Axis("layer", labels: own.map { String($0.sums.layer) }),
            Axis("head", labels: (0..<width).map(String.init)),
        ]
        for statistic in Self.statistics {
            let values = own.flatMap { layer in
                (0..<width).map { $0 < layer.heads.count ? statistic.value(layer.heads[$0]) : .nan }
            }
            try results.emit(
                "\(kind.rawValue)-\(statistic.id)",
                .matrix(values, rows: own.count, columns: width, axes: axes), mayBeNaN: true)
        }
        let heads = own.flatMap(\.heads)
        let names = Axis(
            "head", labels: own.flatMap { layer in layer.heads.indices.map { "\(layer.sums.layer).\($0)" } })
        let unit = kind == .decoder ? "tokens" : "frames"
        let bins = Settings.bins.enumerated().map { index, from in
            index + 1 < Settings.bins.count ? Self.range(from, Settings.bins[index + 1] - 1) : "\(from)+"
        }
        try results.emit(
            "\(kind.rawValue)-distances",
            .matrix(
                heads.flatMap(\.histogram), rows: heads.count, columns: bins.count,
                axes: [names, Axis("distance", unit: unit, labels: bins)]), mayBeNaN: true)
        try results.emit(
            "\(kind.rawValue)-offsets",
            .matrix(
                heads.flatMap(\.offsets), rows: heads.count, columns: 2 * Settings.maxOffset + 1,
                axes: [names, Axis("offset", unit: unit, first: -Double(Settings.maxOffset))]), mayBeNaN: true)
    }

    private static func range(_ from: Int, _ to: Int) -> String { from == to ? "\(from)" : "\(from)–\(to)" }
}
