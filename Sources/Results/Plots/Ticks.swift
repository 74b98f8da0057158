import Foundation

extension AxisLabels {
    /// Positions that are written on: round values of an axis with values, evenly spaced ones of one with labels.
    static func ticks(_ axis: ArrayAxis, most: Int) -> [(position: Double, text: String)] {
        guard axis.count > 0 else { return [] }
        let most = max(most, 2)
        guard axis.labels.isEmpty else {
            let step = (axis.count + most - 1) / most
            return stride(from: 0, to: axis.count, by: step).map { (Double($0), axis.label($0)) }
        }
        let last = axis.value(Double(axis.count - 1))
        let ticks = round(min(axis.first, last), max(axis.first, last), most: most).map { value in
            (position: (value - axis.first) / axis.step, text: Digits.plain(value))
        }
        // Few cells have round values between them, and none there: of four layers nobody asks for 0.5.
        let ofCells = ticks.filter { abs($0.position - $0.position.rounded()) < 1e-6 }
        return ofCells.count < 2 ? ticks : ofCells
    }

    /// Multiples of 1, 2 or 5 times a power of ten between two values, `most` at most; the values themselves where they
    /// are equal, or so far apart that nothing lies between.
    static func round(_ low: Double, _ high: Double, most: Int) -> [Double] {
        let span = high - low
        guard span > 0, span.isFinite else { return [low] }
        let raw = span / Double(max(most, 1))
        let power = pow(10, log10(raw).rounded(.down))
        guard power > 0, power.isFinite else { return [low] }
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.999 } ?? power * 10
        let first = (low / step).rounded(.up)
        let count = ((high / step).rounded(.down) - first)
        guard first.isFinite, count.isFinite, count >= 0, count < 1000 else { return [low, high] }
        return (0...Int(count)).map { (first + Double($0)) * step }.map { abs($0) < step / 1e6 ? 0 : $0 }
    }
}
