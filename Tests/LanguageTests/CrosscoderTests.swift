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
                let cause = Int.random(in: 0..<CrosscoderTests.causes, using: &generator)
                let strength = Float.random(in: 2...3, using: &generator)
                func row(_ direction: [Float]?, _ width: Int) -> [Float] {
                    (0..<width).map { place in
                        (direction?[place] ?? 0) * strength + Float.random(in: -0.02...0.02, using: &generator)
                    }
                }
                own += row(directions[cause].own, CrosscoderTests.widths.0)
                other += row(directions[cause].other, CrosscoderTests.widths.1)
                labels.append("cause \(cause)")
            }
        }
    }

    private func crosscoder(
        _ planted: Planted, isShuffled: Bool = false, between: (Int) throws -> Void = { _ in }
    ) throws -> Crosscoder {
        let own = Columns(planted.own, width: Self.widths.0)
        var other = Columns(planted.other, width: Self.widths.1)
        var draws = SplitMix(seed: 5)
        if isShuffled { other = other.permuted(CarriedProbe.order(Self.rows, &draws)) }
        return try Crosscoder(
            own, other, labels: planted.labels, groups: (0..<Self.rows).map { $0 / 50 },
            Crosscoder.Settings(latents: 48, active: 2, steps: 500, seed: 3), between: between)
    }

    @Test("each cause has a latent where it is: in both models, or in one alone")
    func planted() throws {
        let found = try crosscoder(Planted(seed: 1))
        #expect(found.trained == 2400 && found.judged == 600)
        #expect(found.explained.own > 0.9 && found.explained.other > 0.9)
        #expect(found.active > 0.5 && found.active < 3)
        for cause in 0..<Self.causes {
            let latents = found.living.filter { $0.label == "cause \(cause)" && $0.precision > 0.9 }
            let most = try #require(latents.max { $0.density < $1.density }, "no latent has cause \(cause)")
            switch cause {
            case ..<8: #expect(Crosscoder.shared.contains(most.share), "cause \(cause): \(most)")
            case ..<12: #expect(most.share > 0.9, "cause \(cause): \(most)")
            default: #expect(most.share < 0.1, "cause \(cause): \(most)")
            }
            #expect(abs(most.base - 1 / Double(Self.causes)) < 0.05 && most.cosine.isNaN)
        }
        #expect(found.histogram(10).reduce(0, +) == Double(found.living.count))
        let counts = found.counts
        #expect(counts.shared >= 8 && counts.own >= 4 && counts.other >= 4)
    }

    @Test("of frames in another order nothing is shared; a training is ended by what is thrown")
    func shuffled() throws {
        let planted = Planted(seed: 2)
        let (found, null) = (try crosscoder(planted), try crosscoder(planted, isShuffled: true))
        func sharedDensity(_ one: Crosscoder) -> Double {
            one.living.filter { Crosscoder.shared.contains($0.share) }.reduce(0) { $0 + $1.density }
        }
        #expect(sharedDensity(null) < sharedDensity(found) / 4)
        struct Enough: Error {}
        var steps = 0
        #expect(throws: Enough.self) {
            try crosscoder(planted) { _ in
                steps += 1
                if steps == 5 { throw Enough() }
            }
        }
        #expect(steps == 5)
    }
}
