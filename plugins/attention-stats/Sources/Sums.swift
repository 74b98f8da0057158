/// Sums that do not depend on the order of what is added: whole multiples of 2⁻⁴⁰ in 128-bit integers. So the result
/// of a run is the same, to the bit, however its recordings were divided and merged.
///
/// What is added is rounded once, by at most 2⁻⁴¹ (5e-13), and one value may reach 2⁸⁶.
struct Sums: Codable, Equatable {
    private(set) var values: [Int128]

    init(count: Int) { values = Array(repeating: 0, count: count) }

    subscript(index: Int) -> Double { Double(values[index]) / Self.unit }

    private static let unit = Double(1 << 40)

    /// - Returns: false where a number is not finite or too large; then nothing was added.
    mutating func add(_ numbers: [Double]) -> Bool {
        guard numbers.count == values.count, numbers.allSatisfy({ abs($0) < 0x1p80 }) else { return false }
        return add(numbers.map { Int128(($0 * Self.unit).rounded()) })
    }

    /// - Returns: false where the sizes differ or the sum has no room; then nothing was added.
    mutating func add(_ other: Sums) -> Bool { add(other.values) }

    private mutating func add(_ numbers: [Int128]) -> Bool {
        guard numbers.count == values.count else { return false }
        let sums = zip(values, numbers).map { $0.addingReportingOverflow($1) }
        guard sums.allSatisfy({ !$0.overflow }) else { return false }
        values = sums.map(\.partialValue)
        return true
    }

    // Two 64-bit halves a value, the low one first: numbers of that size are written as they are.

    init(from decoder: any Decoder) throws {
        let halves = try decoder.singleValueContainer().decode([Int64].self)
        values = stride(from: 0, to: halves.count - 1, by: 2).map {
            Int128(halves[$0 + 1]) << 64 | Int128(UInt64(bitPattern: halves[$0]))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values.flatMap { [Int64(truncatingIfNeeded: $0), Int64(truncatingIfNeeded: $0 >> 64)] })
    }
}
