import Drawing

/// The values that bars and lines reach to, with the round ones that are written beside them.
struct ValueScale {
    let low: Double
    let high: Double
    let marks: [(value: Double, text: Text)]
    let unit: Text
    /// What it takes to the left of the plot.
    let width: Double

    /// - Parameter isFromZero: whether what is drawn stands on zero, as bars do.
    init(_ values: [Double], isFromZero: Bool, unit: String, height: Double) {
        let finite = values.filter(\.isFinite)
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        // A line that comes near zero is drawn from there as well.
        if isFromZero || (low > 0 && low < high * 0.4) { low = min(low, 0) }
        if isFromZero { high = max(high, 0) }
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        let ticks = AxisLabels.round(low, high, most: 6)
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : 0
        // It ends at a round value.
        if let last = ticks.last, last < high, (last + step).isFinite { high = last + step }
        if let first = ticks.first, first > low, (first - step).isFinite { low = first - step }
        (self.low, self.high) = (low, high)
        marks = AxisLabels.round(low, high, most: 6).map { ($0, Text(Digits.short($0), AxisLabels.style)) }
        self.unit = Text(unit, AxisLabels.titleStyle, within: height)
        let widest = marks.map(\.text.width).max() ?? 0
        width = (unit.isEmpty ? 10 : self.unit.height + 14) + widest + 10
    }

    /// 0 at the low end, 1 at the high one, whatever lies beyond.
    func share(_ value: Double) -> Double {
        // Halves, because the ends may be as far apart as numbers go.
        let share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return share.isFinite ? min(max(share, 0), 1) : share > 0 ? 1 : 0
    }
}
