import Foundation
import Kernels

/// Logits after one sequence's last token, `[n_vocab]`, and the probabilities that they stand for.
extension [Float] {
    /// log Σ exp xᵢ over `range`, about its maximum so that nothing overflows; -∞ for nothing or nothing but -∞.
    func logSumExp(in range: Range<Int>) -> Float {
        withUnsafeBufferPointer { all in
            let some = UnsafeBufferPointer(rebasing: all[range])
            let peak = Reductions.largest(some)
            guard peak != -.infinity else { return some.contains { $0.isNaN } ? .nan : -.infinity }
            return peak + Float(log(Reductions.sumOfExponentials(some, shift: peak)))
        }
    }

    /// The normaliser of the softmax over all tokens.
    /// - Throws: ``WhisperError`` where there is no distribution: NaN among the logits, or every token suppressed.
    func logNormaliser() throws -> Float {
        let normaliser = logSumExp(in: indices)
        guard normaliser.isFinite else {
            throw normaliser.isNaN || normaliser > 0
                ? WhisperError(.dataLoss, "the model's logits are not finite numbers; its weights may be damaged")
                : WhisperError(.invalidArgument, "every token of the vocabulary is suppressed")
        }
        return normaliser
    }

    /// The first of the largest values.
    func indexOfLargest() -> Int {
        withUnsafeBufferPointer { Reductions.indexOfLargest($0) }
    }

    /// The indices of the `count` largest values, the largest first, and of equals the one that comes first.
    func indicesOfLargest(_ count: Int) -> [Int] {
        var best: [Int] = []
        for i in indices {
            if best.count == count, let last = best.last, !(self[i] > self[last]) { continue }
            let place = best.firstIndex { self[i] > self[$0] } ?? best.count
            best.insert(i, at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }

    mutating func suppress(_ range: Range<Int>) {
        for i in range.clamped(to: indices) { self[i] = -.infinity }
    }
}

/// A seeded source of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
package struct SampleGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// A stream of its own for each window of a recording and each attempt at it.
    package init(seed: UInt64, window: Int = 0, attempt: Int = 0) {
        state = seed
        for part in [window, attempt] { state = next() ^ UInt64(bitPattern: Int64(part)) }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// An index drawn with probability softmax(logits / temperature).
    package mutating func draw(from logits: [Float], temperature: Double) -> Int {
        let peak = logits.max() ?? 0
        let weights = logits.map { exp(Double($0 - peak) / temperature) }
        var left = Double.random(in: 0..<1, using: &self) * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() where weight > 0 {
            left -= weight
            if left < 0 { return index }
        }
        return logits.indexOfLargest()
    }
}
