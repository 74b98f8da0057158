import PluginDraws

/// Two samples of activations at the same frames, compared hook point by hook point.
struct Comparison {
    struct Pair {
        let own, other: Int
        /// Linear CKA, and the same with the other's rows in another order.
        let alignment, null: Double
    }

    /// What is said of one own hook point and the one of the other that is most like it.
    struct Detail {
        let pair: Pair
        let matches: NeuronMatches
        /// The same with the other's rows in another order.
        let nullMatches: NeuronMatches
        let probe: CarriedProbe?
    }

    let rows: Int
    /// By own hook point, then by the other's.
    let pairs: [[Pair]]
    /// By own hook point.
    let details: [Detail]

    /// - Parameters:
    ///   - shared: rows that both have.
    ///   - isItself: whether the other is the same model: then a hook point is not compared with itself in `details`.
    ///   - least: rows that a label needs for the probe.
    ///   - progress: is told how many of how many hook points are done, and ends the work by throwing.
    init(
        _ own: ActivationSample, _ other: ActivationSample, shared: [(own: Int, other: Int)], isItself: Bool,
        least: Int, seed: UInt64, progress: (Int, Int) throws -> Void
    ) rethrows {
        rows = shared.count
        let ours = shared.map(\.own), theirs = shared.map(\.other)
        var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "comparison", ""))
        let order = CarriedProbe.order(shared.count, &draws)
        let labelled = CarriedProbe.Rows(
            ours.map { own.label($0) },
            groups: ours.map { own.speaker($0).isEmpty ? "\(own.digests[$0])" : own.speaker($0) }, least: least)
        let others = other.hooks.indices.map { Columns(other.rows($0, theirs), width: other.widths[$0]) }
        let shuffled = others.map { $0.permuted(order) }
        let sizes = others.map { KernelAlignment.size($0) }
        var (pairs, details) = ([[Pair]](), [Detail]())
        for hook in own.hooks.indices {
            try progress(hook, own.hooks.count)
            let x = Columns(own.rows(hook, ours), width: own.widths[hook]), size = KernelAlignment.size(x)
            pairs.append(
                others.indices.map { place in
                    Pair(
                        own: hook, other: place,
                        alignment: KernelAlignment.linear(x, others[place], sizes: (size, sizes[place])),
                        null: KernelAlignment.linear(x, shuffled[place], sizes: (size, sizes[place])))
                })
            let candidates = pairs[hook].filter { !$0.alignment.isNaN && !(isItself && $0.other == hook) }
            guard let best = candidates.max(by: { ($0.alignment, -$0.other) < ($1.alignment, -$1.other) }) else {
                continue
            }
            let standardised = Columns(own.rows(hook, ours), width: own.widths[hook], standardised: true)
            let beside = Columns(
                other.rows(best.other, theirs), width: other.widths[best.other], standardised: true)
            details.append(
                Detail(
                    pair: best, matches: NeuronMatches(standardised, beside),
                    nullMatches: NeuronMatches(standardised, beside.permuted(order)),
                    probe: labelled.map { CarriedProbe(standardised, beside, $0, draws: &draws) }))
        }
        (self.pairs, self.details) = (pairs, details)
    }
}
