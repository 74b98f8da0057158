/// One feature's values in all sampled frames, as keys that sort as the values do.
struct FeatureColumn {
    /// One for each row of the sample.
    let keys: [UInt16]
    /// Rows in ascending order of their keys; of equal ones in the order of the rows.
    private let order: [Int]

    /// - Parameter bits: half precision; `sign` −1 mirrors them.
    init(_ bits: UnsafeBufferPointer<UInt16>, sign: Float) {
        keys = bits.map { Self.key($0, sign: sign) }
        order = Self.sorted(keys)
    }

    /// Rows of one part: their keys, and their places in ascending order.
    struct Part {
        let keys: [UInt16]
        let order: [Int]
    }

    /// - Parameter rows: the part's, whose places are counted.
    func part(_ rows: [Int]) -> Part {
        var places = [Int32](repeating: -1, count: keys.count)
        for (place, row) in rows.enumerated() { places[row] = Int32(place) }
        return Part(keys: rows.map { keys[$0] }, order: order.compactMap { places[$0] >= 0 ? Int(places[$0]) : nil })
    }

    /// IEEE 754's order as that of whole numbers; both zeros are one.
    static func key(_ bits: UInt16, sign: Float) -> UInt16 {
        var bits = sign < 0 ? bits ^ 0x8000 : bits
        if bits == 0x8000 { bits = 0 }
        return bits & 0x8000 != 0 ? ~bits : bits | 0x8000
    }

    /// The value of a key.
    static func value(_ key: UInt16) -> Float { Half.value(key & 0x8000 != 0 ? key & 0x7fff : ~key) }

    /// By radix: two passes over bytes.
    private static func sorted(_ keys: [UInt16]) -> [Int] {
        var order = Array(keys.indices)
        var next = order
        for shift in [0, 8] as [UInt16] {
            var starts = [Int](repeating: 0, count: 257)
            for key in keys { starts[Int(key >> shift & 0xff) + 1] += 1 }
            for byte in 0..<256 { starts[byte + 1] += starts[byte] }
            for row in order {
                let byte = Int(keys[row] >> shift & 0xff)
                next[starts[byte]] = row
                starts[byte] += 1
            }
            swap(&order, &next)
        }
        return order
    }
}
