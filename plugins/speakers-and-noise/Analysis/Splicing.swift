import Foundation
import PluginDraws

/// Sounds made of others: 16 kHz, mono.
enum Splicing {
    static let rate = 16_000

    /// The part from the first to the last stretch of 20 ms that is at most 30 dB below the loudest; empty where all is silent.
    static func spoken(_ samples: [Float]) -> Range<Int> {
        let step = rate / 50
        let powers = stride(from: 0, to: samples.count, by: step).map {
            power(samples[$0..<min($0 + step, samples.count)])
        }
        guard let loudest = powers.max(), loudest > 0, let first = powers.firstIndex(where: { $0 >= loudest / 1000 }),
            let last = powers.lastIndex(where: { $0 >= loudest / 1000 })
        else { return 0..<0 }
        return first * step..<min((last + 1) * step, samples.count)
    }

    /// Mean square; 0 of nothing.
    static func power(_ samples: ArraySlice<Float>) -> Double {
        samples.isEmpty ? 0 : samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)
    }

    /// One end of what is spoken.
    /// - Returns: nil where less is spoken.
    static func end(of samples: [Float], seconds: Double) -> [Float]? {
        let part = spoken(samples), count = Int(seconds * Double(rate))
        return part.count >= count && count > 0 ? Array(samples[part.upperBound - count..<part.upperBound]) : nil
    }

    static func beginning(of samples: [Float], seconds: Double) -> [Float]? {
        let part = spoken(samples), count = Int(seconds * Double(rate))
        return part.count >= count && count > 0 ? Array(samples[part.lowerBound..<part.lowerBound + count]) : nil
    }

    /// The second behind the first, as loud (of one root mean square), with as much silence between.
    static func splice(_ first: [Float], _ second: [Float], gap: Double) -> [Float] {
        first + [Float](repeating: 0, count: Int(gap * Double(rate))) + level(second, as: first, decibels: 0)
    }

    /// Both at once from their beginnings, the second so many decibels louder than the first; as long as the longer. It is made quieter
    /// where it would exceed full scale.
    static func mix(_ first: [Float], _ second: [Float], decibels: Double) -> [Float] {
        let other = level(second, as: first, decibels: decibels)
        var sum = [Float](repeating: 0, count: max(first.count, other.count))
        for (place, value) in first.enumerated() { sum[place] += value }
        for (place, value) in other.enumerated() { sum[place] += value }
        let peak = sum.reduce(0) { max($0, abs($1)) }
        return peak > 1 ? sum.map { $0 / peak } : sum
    }

    private static func level(_ samples: [Float], as other: [Float], decibels: Double) -> [Float] {
        let (own, wanted) = (power(samples[spoken(samples)]), power(other[spoken(other)]))
        guard own > 0, wanted > 0 else { return samples }
        let factor = Float((wanted / own).squareRoot() * pow(10, decibels / 20))
        return samples.map { $0 * factor }
    }

    /// Sounds in which nobody speaks, of ten seconds each.
    static func made(seed: UInt64) -> [(name: String, samples: [Float])] {
        let count = 10 * rate
        /// White, uniform, of a level below full scale.
        func noise(_ decibels: Double) -> [Float] {
            var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "noise", "\(decibels)"))
            let peak = Float(3.0.squareRoot() * pow(10, decibels / 20))
            return (0..<count).map { _ in draws.uniform() * peak }
        }
        let chord = (0..<count).map { place -> Float in
            let time = Double(place) / Double(rate)
            // A major chord, struck every second.
            let loudness = 0.1 * exp(-3 * time.truncatingRemainder(dividingBy: 1))
            return Float([220.0, 277.18, 329.63].reduce(0) { $0 + loudness * sin(2 * .pi * $1 * time) })
        }
        return [
            ("made: silence", [Float](repeating: 0, count: count)), ("made: noise at -60 dB", noise(-60)),
            ("made: noise at -40 dB", noise(-40)), ("made: noise at -20 dB", noise(-20)), ("made: chord", chord),
        ]
    }
}
