import Foundation
import Kernels

/// A bound that values are held to.
public enum ClampLimit: Sendable, Equatable {
    case value(Float)
    /// That part of a column's values lies below it, in the pass itself: over the positions that overlap audio, or all of a transcription's
    /// window.
    case quantile(Double)
    /// One value a column, measured before, for each hook point.
    case columns([HookPoint: [Float]])

    /// Whether the two are no contradiction, as far as one can say before a pass.
    func mayLieBelow(_ upper: ClampLimit) -> Bool {
        switch (self, upper) {
        case (.value(let a), .value(let b)): a <= b
        case (.quantile(let a), .quantile(let b)): a <= b
        default: true
        }
    }

    var isOfPass: Bool { if case .quantile = self { true } else { false } }
}

/// Where a quantile of some values lies: between two of them in order of size, as NumPy's `linear` has it.
package struct QuantilePlace: Equatable {
    /// Their numbers among the values, and the weight of the second.
    let lower: Int, upper: Int
    let weight: Double

    /// - Parameter values: at least one.
    package init(_ quantile: Double, of values: [Float]) {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        let place = quantile * Double(order.count - 1)
        let below = Int(place.rounded(.down))
        (lower, upper) = (order[below], order[min(below + 1, order.count - 1)])
        weight = place - Double(below)
    }

    package func value(_ values: [Float]) -> Float {
        weight == 0
            ? values[lower] : Float(Double(values[lower]) * (1 - weight) + Double(values[upper]) * weight)
    }
}

/// Both limits of one column.
struct ColumnClamp {
    struct Limit {
        let value: Float
        /// Of a quantile of the pass: which positions it lies between.
        let place: QuantilePlace?
    }

    let lower: Limit?, upper: Limit?

    /// - Parameters:
    ///   - column: among all columns of all heads.
    ///   - values: those of the pass that count; read where there is a quantile of the pass.
    init(
        _ lower: ClampLimit?, _ upper: ClampLimit?, at point: HookPoint, column: Int, values: () -> [Float]
    ) {
        func limit(_ limit: ClampLimit?) -> Limit? {
            switch limit {
            case nil: return nil
            case .value(let value)?: return Limit(value: value, place: nil)
            case .columns(let measured)?:
                guard let row = measured[point], row.indices.contains(column) else { return nil }
                return Limit(value: row[column], place: nil)
            case .quantile(let quantile)?:
                let values = values()
                guard !values.isEmpty else { return nil }
                let place = QuantilePlace(quantile, of: values)
                return Limit(value: place.value(values), place: place)
            }
        }
        (self.lower, self.upper) = (limit(lower), limit(upper))
    }

    func callAsFunction(_ x: Float) -> Float {
        var x = x
        if let lower, x < lower.value { x = lower.value }
        if let upper, x > upper.value { x = upper.value }
        return x
    }

    /// The limit that a value is held at; nil where it goes through as it is. Of equal limits nothing goes through.
    func holding(_ x: Float) -> Limit? {
        if let lower, let upper, lower.value >= upper.value { return x < lower.value ? lower : upper }
        if let lower, x < lower.value { return lower }
        if let upper, x > upper.value { return upper }
        return nil
    }
}
