/// All series of one name. The text follows OpenMetrics 1.0.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    let kind: Kind
    var series: [MetricLabels: any MetricSeries]

    func openMetrics(name: String, help: String?) -> String {
        var text = "# TYPE \(name) \(kind.rawValue)\n"
        for unit in ["seconds", "bytes"] where name.hasSuffix("_" + unit) { text += "# UNIT \(name) \(unit)\n" }
        if let help { text += "# HELP \(name) \(OpenMetricsText.escaped(help))\n" }
        for (labels, series) in series.sorted(by: { $0.key < $1.key }) {
            for sample in series.samples {
                let pairs = labels.text(and: sample.label)
                text += "\(name)\(sample.suffix)\(pairs) \(OpenMetricsText.number(sample.value))\n"
            }
        }
        return text
    }
}

/// Names and values of labels, sorted by name.
struct MetricLabels: Hashable, Comparable, Sendable {
    private let names: [String]
    private let values: [String]

    /// Of two labels with the same name the first counts.
    init(_ dimensions: [(String, String)]) {
        let sorted = Dictionary(dimensions.map { (MetricName.sanitised($0.0, colons: false), $0.1) }) { first, _ in
            first
        }
        .sorted { $0.key < $1.key }
        names = sorted.map(\.key)
        values = sorted.map(\.value)
    }

    static func < (a: MetricLabels, b: MetricLabels) -> Bool {
        a.names == b.names
            ? a.values.lexicographicallyPrecedes(b.values) : a.names.lexicographicallyPrecedes(b.names)
    }

    /// `{a="x",b="y"}`, or nothing.
    func text(and own: (String, String)?) -> String {
        let pairs = Array(zip(names, values)) + (own.map { [$0] } ?? [])
        guard !pairs.isEmpty else { return "" }
        return "{" + pairs.map { "\($0)=\"\(OpenMetricsText.escaped($1))\"" }.joined(separator: ",") + "}"
    }
}

enum MetricName {
    /// `name` with an underscore for every character that a metric's name cannot have, `auscult.calls` as
    /// `auscult_calls`.
    static func sanitised(_ name: String, colons: Bool = true) -> String {
        let bytes = name.utf8.map { byte in
            let isAllowed =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
                || (colons && byte == 58)
            return isAllowed ? byte : UInt8(ascii: "_")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.utf8.first.map { (48...57).contains($0) } ?? true ? "_" + text : text
    }

    /// The name of a family: a counter's own is without the `_total` that its sample has.
    static func family(_ label: String, _ kind: MetricFamily.Kind) -> String {
        let name = sanitised(label)
        return kind == .counter && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
    }

    /// What a description is kept under: the name without the endings that its type or its unit gives it, so that it
    /// can be described by the name that the program uses or by the one that is printed.
    static func described(_ label: String) -> String {
        let name = family(label, .counter)
        return name.hasSuffix("_seconds") ? String(name.dropLast("_seconds".count)) : name
    }

    static func withSeconds(_ label: String) -> String { label.hasSuffix("_seconds") ? label : label + "_seconds" }
}

enum OpenMetricsText {
    /// A number: whole ones without a fraction.
    static func number(_ value: Double) -> String {
        guard abs(value) < 1e15, let whole = Int64(exactly: value) else { return canonical(value) }
        return String(whole)
    }

    /// A number as the bound of a bucket: always with a fraction.
    static func canonical(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : String(value)
    }

    static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    }
}
