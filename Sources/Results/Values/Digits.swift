import Foundation

/// Numbers as people read them.
package enum Digits {
    /// Four significant digits; `–` for no value.
    package static func short(_ value: Double) -> String { format(value, 4) }

    /// Seven, which tell neighbours on an axis apart.
    package static func plain(_ value: Double) -> String { format(value, 7) }

    private static func format(_ value: Double, _ digits: Int) -> String {
        if let special = special(value) { return special }
        if value == value.rounded(), abs(value) < 1e9 { return String(Int(value)) }
        return String(format: "%.\(digits)g", value)
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "–" }
        return value.isInfinite ? (value < 0 ? "−∞" : "∞") : nil
    }

    /// The numbers of a column, with the same number of digits behind the point: enough for four of the largest.
    package static func column(_ values: [Double]) -> [String] {
        let finite = values.filter(\.isFinite)
        let largest = finite.map { abs($0) }.max() ?? 0
        if finite.allSatisfy({ $0 == $0.rounded() && abs($0) < 1e15 }) {
            return values.map { special($0) ?? String(Int($0)) }
        }
        guard largest < 1e7, largest >= 1e-3 else {
            return values.map { special($0) ?? String(format: "%.3e", $0) }
        }
        let decimals = min(max(3 - Int(log10(largest).rounded(.down)), 1), 6)
        return values.map { special($0) ?? String(format: "%.\(decimals)f", $0) }
    }
}
