import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Compare

/// Two models whose rows are made of causes: the first eight are in both, four in this one alone, four in the other.
@Suite("Shared dictionaries of two models") struct CrosscoderTests {
    private static let rows = 3000, widths = (24, 20), causes = 16

    private struct Planted {
        var own: [Float] = [], other: [Float] = []
        var labels: [String] = []

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            func direction(_ width: Int) -> [Float] {
                let drawn: [Float] = generator.floats(width)
                let length = drawn.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return drawn.map { $0 / length }
            }
            let directions = (0..<CrosscoderTests.causes).map { cause in
                (
                    own: cause < 12 ? direction(CrosscoderTests.widths.0) : nil,
                    other: cause < 8 || cause >= 12 ? direction(CrosscoderTests.widths.1) : nil
                )
            }
            for _ in 0..<CrosscoderTests.rows {
                // Causes come and go by themselves, two at a time on average; the strongest one is the label.
                let strengths = (0..<CrosscoderTests.causes).map { _ in
                    Int.random(in: 0..<8, using: &generator) == 0 ? Float.random(in: 1...3, using: &generator) : 0
                }
                func row(_ part: (Int) -> [Float]?, _ width: Int) -> [Float] {
                    var row = (0..<width).map { _ in Float.random(in: -0.02...0.02, using: &generator) }
                    for (cause, strength) in strengths.enumerated() where strength > 0 {
                        guard let direction = part(cause) else { continue }
                        for place in 0..<width { row[place] += strength * direction[place] }
                    }
                    return row
                }
                own += row({ directions[$0].own }, CrosscoderTests.widths.0)
                other += row({ directions[$0].other }, CrosscoderTests.widths.1)
                let strongest = strengths.indices.reduce(0) { strengths[$1] > strengths[$0] ? $1 : $0 }
                labels.append(strengths[strongest] > 0 ? "cause \(strongest)" : "")
            }
        }
    }

    private func crosscoder(
        _ planted: Planted, active: Int, isShuffled: Bool = false, between: (Int) throws -> Void = { _ in }
    ) throws -> Crosscoder {
        let own = Columns(planted.own, width: Self.widths.0)
        var other = Columns(planted.other, width: Self.widths.1)
        var draws = SplitMix(seed: 5)
        if isShuffled { other = other.permuted(CarriedProbe.order(Self.rows, &draws)) }
        return try Crosscoder(
            own, other, labels: planted.labels, groups: (0..<Self.rows).map { $0 / 50 },
            Crosscoder.Settings(latents: 32, active: active, steps: 1500, seed: 3), between: between)
    }

    @Test("each cause has a latent where it is: in both models, or in one alone")
    func planted() throws {
        let found = try crosscoder(Planted(seed: 1), active: 2)
        #expect(found.trained == 2400 && found.judged == 600)
        #expect(found.explained.own > 0.8 && found.explained.other > 0.8)
        #expect(found.active > 1 && found.active < 3)
        var known = 0
        for cause in 0..<Self.causes {
            let latents = found.living.filter { $0.label == "cause \(cause)" && $0.precision > 4 * $0.base }
            // A training may leave a cause or two to latents that are nobody's.
            guard let most = latents.max(by: { $0.density < $1.density }) else { continue }
            known += 1
            switch cause {
            case ..<8:
                #expect(Crosscoder.shared.contains(most.share) && most.agreement > 0.1, "cause \(cause): \(most)")
            case ..<12: #expect(most.share > 0.9, "cause \(cause): \(most)")
            default: #expect(most.share < 0.1, "cause \(cause): \(most)")
            }
            #expect(most.cosine.isNaN)
        }
        #expect(known >= 14)
        #expect(found.histogram(10).reduce(0, +) == Double(found.living.count))
        let counts = found.counts
        #expect(counts.shared >= 6 && counts.own >= 3 && counts.other >= 3)
    }

    @Test("of frames in another order nothing is shared; a training is ended by what is thrown")
    func shuffled() throws {
        let planted = Planted(seed: 2)
        let (found, null) = (
            try crosscoder(planted, active: 2), try crosscoder(planted, active: 2, isShuffled: true)
        )
        func sharedDensity(_ one: Crosscoder) -> Double {
            one.living.filter { Crosscoder.shared.contains($0.share) }.reduce(0) { $0 + $1.density }
        }
        #expect(sharedDensity(null) < sharedDensity(found) / 2)
        #expect(found.agreeing >= 8 && null.agreeing <= 2)
        struct Enough: Error {}
        var steps = 0
        #expect(throws: Enough.self) {
            try crosscoder(planted, active: 1) { _ in
                steps += 1
                if steps == 5 { throw Enough() }
            }
        }
        #expect(steps == 5)
    }
}
