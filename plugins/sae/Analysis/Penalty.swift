/// What makes a variant's codes sparse beside the choice of the largest, and how slopes pass through its activation.
struct Penalty {
    private let settings: TrainingSettings
    private let thresholds: [Float]
    /// Pre-activations of the entries, where thresholds learn from them.
    private let pre: [Float]
    /// The slope of the penalty along each code (L1), or along the number of active codes (JumpReLU).
    private let step: Float
    let loss: Double

    /// Makes codes of pre-activations, and counts what is active.
    init(
        _ settings: TrainingSettings, inputs: Int, _ thresholds: [Float], _ codes: inout SparseCodes,
        _ outcome: inout Objective.Outcome
    ) {
        self.settings = settings
        self.thresholds = thresholds
        let isJump = settings.variant == .jumpReLU
        pre = isJump ? codes.values : []
        if isJump {
            for (entry, place) in codes.places.enumerated() where !(codes.values[entry] > thresholds[Int(place)]) {
                codes.values[entry] = 0
            }
        }
        outcome.fired = [Bool](repeating: false, count: codes.latents)
        for (place, value) in zip(codes.places, codes.values) where value > 0 {
            outcome.active += 1
            outcome.fired[Int(place)] = true
        }
        switch settings.variant {
        case .batchTopK, .topK: (step, loss) = (0, 0)
        case .l1:
            // The directions have length 1, so the sum of the codes is what it is over lengths, too.
            step = settings.sparsity / Float(codes.rows * inputs)
            loss = Double(step) * codes.values.reduce(0.0) { $0 + Double($1) }
        case .jumpReLU:
            let excess = Double(outcome.active) / Double(codes.rows) / Double(settings.k) - 1
            step = Float(2 * Double(settings.sparsity) * excess / Double(settings.k * codes.rows))
            loss = Double(settings.sparsity) * excess * excess
        }
    }

    /// Slopes along codes become slopes along pre-activations.
    /// - Returns: the slopes along the logarithms of thresholds.
    func apply(to slopes: inout [Float], _ codes: SparseCodes) -> [Float] {
        switch settings.variant {
        case .batchTopK, .topK: return []
        case .l1:
            for entry in slopes.indices { slopes[entry] += step }
            return []
        case .jumpReLU:
            // A step has no gradient: a rectangle of the bandwidth stands for its derivative.
            var toThreshold = [Float](repeating: 0, count: thresholds.count)
            for (entry, place) in codes.places.enumerated() {
                let threshold = thresholds[Int(place)]
                if abs(pre[entry] - threshold) < settings.bandwidth / 2 {
                    toThreshold[Int(place)] -= threshold * (threshold * slopes[entry] + step) / settings.bandwidth
                }
                if codes.values[entry] == 0 { slopes[entry] = 0 }
            }
            return toThreshold
        }
    }
}
