import Foundation

/// What logits say comes next, beside what the model says in the end.
struct Prediction: Sendable {
    /// The most probable token; of equals, the one with the smaller id.
    var top = 0
    /// Of the token that the model finds most probable in the end: 1 for the first. Tokens that are as probable do not count.
    var rank = 1
    /// Of that token, natural.
    var logProbability = 0.0
    /// KL(final ‖ this), nats.
    var divergence = 0.0
    /// Nats.
    var entropy = 0.0

    init() {}

    /// - Parameters:
    ///   - logits: one for each token of the vocabulary.
    ///   - final: the last logits, of the same position.
    init(_ logits: UnsafeBufferPointer<Float>, final: UnsafeBufferPointer<Float>, finalPartition: Double) {
        let token = Self.top(final), partition = Self.partition(logits)
        top = Self.top(logits)
        logProbability = Double(logits[token]) - partition
        var above = 0, divergence = 0.0, entropy = 0.0
        for place in logits.indices {
            if logits[place] > logits[token] { above += 1 }
            let own = Double(logits[place]) - partition, last = Double(final[place]) - finalPartition
            let probability = exp(last), ownProbability = exp(own)
            // 0 log 0 is 0.
            if probability > 0 { divergence += probability * (last - own) }
            if ownProbability > 0 { entropy -= ownProbability * own }
        }
        rank = above + 1
        // Of two that are the same, rounding may leave a little below nothing.
        self.divergence = max(0, divergence)
        self.entropy = entropy
    }

    /// log Σ exp(logits), so that log p = logit − it.
    static func partition(_ logits: UnsafeBufferPointer<Float>) -> Double {
        let peak = Double(logits.max() ?? 0)
        return peak + log(logits.reduce(0.0) { $0 + exp(Double($1) - peak) })
    }

    static func top(_ logits: UnsafeBufferPointer<Float>) -> Int {
        var best = 0
        for place in logits.indices where logits[place] > logits[best] { best = place }
        return best
    }
}
