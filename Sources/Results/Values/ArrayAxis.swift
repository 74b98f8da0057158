import Foundation
import Messages

/// One dimension of an array: what it counts, and what its positions are called.
package struct ArrayAxis: Sendable, Equatable {
    package var name: String
    package var unit: String
    /// One for each position, or none.
    package var labels: [String]
    /// Where there are no labels, position i is `first + i × step`.
    package var first: Double
    package var step: Double
    package var count: Int

    package init(
        name: String = "", unit: String = "", labels: [String] = [], first: Double = 0, step: Double = 1, count: Int
    ) {
        self.name = name
        self.unit = unit
        self.labels = labels
        self.first = first
        self.step = step
        self.count = count
    }

    /// An axis that says nothing of its positions, or nothing that can be drawn (an infinite step), counts them from 0.
    /// Labels of another number than there are positions are cut, or go on as numbers.
    package init(_ axis: V1.ResultAxis, count: Int) {
        self.init(
            name: axis.name, unit: axis.unit, labels: Array(axis.labels.prefix(count)), first: axis.first,
            step: axis.step, count: count)
        let last = first + step * Double(count)
        if step == 0 || !step.isFinite || !first.isFinite || !last.isFinite { (first, step) = (0, 1) }
    }

    /// The value at a position, which may lie between two.
    package func value(_ position: Double) -> Double { first + position * step }

    /// What a position is called.
    package func label(_ index: Int) -> String {
        index < labels.count ? labels[index] : Digits.plain(value(Double(index)))
    }

    /// `time (s)`; empty where the axis has no name.
    package var title: String { unit.isEmpty ? name : name.isEmpty ? unit : "\(name) (\(unit))" }

    /// Whether it is one of time, in seconds.
    var isTime: Bool { labels.isEmpty && (unit == "s" || unit == "seconds") }

    /// Each `factor`th position, called as the first of those that it stands for.
    package func every(_ factor: Int) -> ArrayAxis {
        guard factor > 1 else { return self }
        var axis = self
        axis.count = (count + factor - 1) / factor
        axis.step = step * Double(factor)
        axis.labels = stride(from: 0, to: labels.count, by: factor).map { labels[$0] }
        return axis
    }
}
