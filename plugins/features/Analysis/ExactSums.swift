import PluginKit

/// Sums that do not depend on the order of what is added: whole multiples of 2⁻⁴⁰, in two integers each, so that adding is
/// a few instructions. What is added is rounded once, by at most 2⁻⁴¹ (5e-13), and may reach ±2⁴⁶.
struct ExactSums {
    /// A number as high · 2³² + low multiples of the unit.
    struct Parts {
        let high: Int64
        let low: UInt64

        /// nil where the number is not finite, or too large.
        init?(_ value: Double) {
            guard abs(value) < 0x1p46 else { return nil }
            let scaled = (value * 0x1p40).rounded()
            let upper = (scaled * 0x1p-32).rounded(.down)
            high = Int64(upper)
            low = UInt64(scaled - upper * 0x1p32)
        }
    }

    let high: Store<Int64>
    /// Each part is below 2³², so there is room for 2³² of them.
    let low: Store<UInt64>

    init(count: Int) {
        high = Store(repeating: 0, count: count)
        low = Store(repeating: 0, count: count)
    }

    /// - Returns: false where there is no room.
    func add(_ parts: Parts, at index: Int) -> Bool { add(parts.high, parts.low, at: index) }

    func add(_ other: ExactSums) throws {
        for index in 0..<high.count where !add(other.high[index], other.low[index], at: index) { throw Self.full }
    }

    private func add(_ more: Int64, _ less: UInt64, at index: Int) -> Bool {
        let (upper, over) = high[index].addingReportingOverflow(more)
        let (lower, above) = low[index].addingReportingOverflow(less)
        guard !over, !above else { return false }
        (high[index], low[index]) = (upper, lower)
        return true
    }

    static let full = PluginError(.limit, "a sum of activations has no more room: they are too large, or too many")

    subscript(index: Int) -> Double { Double(Int128(high[index]) << 32 + Int128(low[index])) * 0x1p-40 }
}
