import Foundation

/// What may come next: logits and the probabilities that they stand for.
struct Distribution: Sendable {
    let logits: ArraySlice<Float>
    /// log Σ exp(logits), so that log p = logit − it.
    let logPartition: Double

    /// - Parameter logits: one for each token of the vocabulary; −∞ for what cannot come.
    init(_ logits: ArraySlice<Float>) {
        self.logits = logits
        let peak = Double(logits.max() ?? 0)
        self.logPartition =
            peak.isFinite ? peak + log(logits.reduce(0.0) { $0 + exp(Double($1) - peak) }) : .nan
    }

    func logit(_ token: Int) -> Double { Double(logits[logits.startIndex + token]) }
    func logProbability(_ token: Int) -> Double { logit(token) - logPartition }
    func probability(_ token: Int) -> Double { exp(logProbability(token)) }

    /// Nats.
    var entropy: Double {
        logits.reduce(0.0) { sum, logit in
            let logProbability = Double(logit) - logPartition
            return logProbability.isFinite ? sum - exp(logProbability) * logProbability : sum
        }
    }

    /// The `count` most probable tokens, the most probable first; of equals, the smaller id first.
    func top(_ count: Int) -> [Int] {
        guard count > 0 else { return [] }
        var best: [(logit: Float, token: Int)] = []
        for (token, logit) in logits.enumerated() {
            if best.count == count, let last = best.last, logit <= last.logit { continue }
            let place = best.firstIndex { $0.logit < logit } ?? best.count
            best.insert((logit, token), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.token)
    }
}
