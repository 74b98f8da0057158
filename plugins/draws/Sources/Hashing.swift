/// Draws that depend on nothing but the seed and what is drawn for.
///
/// A key is hashed with FNV-1a and stirred by SplitMix64's finaliser (Steele, Lea and Flood 2014). So a draw is the same
/// in every process, for every order of the recordings, and for every way to split them.
package enum Hashing {
    /// A 64-bit key for `text` under `seed`; `purpose` keeps draws for different ends apart.
    package static func key(seed: UInt64, purpose: String, _ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xff) &* 0x100_0000_01b3
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return stirred(hash ^ stirred(seed))
    }

    /// A 64-bit key for one row of one recording.
    package static func key(seed: UInt64, recording: UInt64, frame: UInt64) -> UInt64 {
        stirred(stirred(stirred(seed) ^ recording) ^ frame)
    }

    /// SplitMix64's finaliser: a bijection of the 64-bit numbers.
    package static func stirred(_ value: UInt64) -> UInt64 {
        var bits = value &+ 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// What was stirred to give `key`.
    package static func unstirred(_ key: UInt64) -> UInt64 {
        var bits = unshifted(key, 31) &* inverse(0x94d0_49bb_1331_11eb)
        bits = unshifted(bits, 27) &* inverse(0xbf58_476d_1ce4_e5b9)
        return unshifted(bits, 30) &- 0x9e37_79b9_7f4a_7c15
    }

    /// x, where x ^ (x >> shift) is `value`: the upper `shift` bits are right, and each step makes as many more so.
    private static func unshifted(_ value: UInt64, _ shift: UInt64) -> UInt64 {
        var bits = value
        for _ in 0..<(64 / shift) { bits = value ^ (bits >> shift) }
        return bits
    }

    /// The multiplicative inverse modulo 2⁶⁴ of an odd number, by Newton's method: an odd number is its own inverse
    /// modulo 8, and each step doubles the bits that are right.
    private static func inverse(_ odd: UInt64) -> UInt64 {
        var inverse = odd
        for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
        return inverse
    }

    /// The upper 53 bits as a number in [0, 1).
    package static func unit(_ key: UInt64) -> Double { Double(key >> 11) * 0x1p-53 }
}

/// SplitMix64, for draws in a row: a bootstrap, a shuffle buffer. Its state is one number, which can be saved with the rest.
package struct SplitMix: RandomNumberGenerator, Codable, Equatable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        defer { state &+= 0x9e37_79b9_7f4a_7c15 }
        return Hashing.stirred(state)
    }

    /// A whole number below `bound`, each as likely: the upper half of a product, drawn again where that would favour
    /// some (Lemire 2019). Swift's own draws may be made otherwise by another release; these may not.
    /// - Parameter bound: at least 1.
    package mutating func next(below bound: Int) -> Int {
        let bound = UInt64(max(bound, 1))
        var product = next().multipliedFullWidth(by: bound)
        let uneven = (0 &- bound) % bound
        while product.low < uneven { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }

    /// Uniform in −1…1.
    package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
}
