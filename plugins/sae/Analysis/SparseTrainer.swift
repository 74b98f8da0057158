import Dictionaries
import Kernels
import PluginDraws
import PluginKit

/// A dictionary in training, with all that training rests on: saved and read again, it goes on to the bit.
///
/// Positions come one by one into a shuffle buffer, where a new one takes the place of any; batches are drawn from all of
/// it. When the buffer is full for the first time its mean and its mean square become the centre and the unit of all that
/// follows, and the steps that its positions are worth are made up for. How many steps are made is a matter of the positions,
/// never of the clock.
package struct SparseTrainer: Codable, Sendable {
    let settings: TrainingSettings
    let inputs: Int
    private(set) var weights: Weights
    private var adam: Adam
    private var draws: SplitMix
    /// Positions as they came, [positions, inputs].
    private(set) var buffer: [Float] = []
    /// Of the first full buffer; empty before.
    private(set) var centre: [Float] = []
    /// What one unit is, in the activations' own.
    private(set) var unit: Float = 1
    /// Positions that came, and those for which no step was made yet, times ``TrainingSettings/passes``.
    private(set) var positions = 0
    private var owed = 0.0
    /// For each latent, positions since it last had a code.
    private var silence: [Int]
    private(set) var progress = TrainingProgress()

    /// JumpReLU's thresholds learn so many times as fast. They are logarithms, of which Adam changes each by no more than the rate a
    /// step: at the weights' own rate they would not follow codes that grow by half in a thousand steps.
    private static let thresholdHaste: Float = 10

    var steps: Int { adam.step }
    var hasBegun: Bool { !centre.isEmpty }
    var filled: Int { buffer.count / inputs }

    package init(settings: TrainingSettings, inputs: Int, seed: UInt64) {
        self.settings = settings
        self.inputs = inputs
        var draws = SplitMix(seed: seed)
        let isJump = settings.variant == .jumpReLU
        let none = Weights(latents: settings.latents, inputs: inputs, hasThresholds: isJump)
        var weights = none
        for i in weights.decoder.indices { weights.decoder[i] = draws.uniform() }
        Self.normalise(&weights.decoder, inputs)
        weights.encoder = weights.decoder
        self.weights = weights
        self.draws = draws
        adam = Adam(first: none, second: none)
        silence = [Int](repeating: 0, count: settings.latents)
    }

    /// Told before each step how many steps there have been, and how many there will be when the call is through.
    package typealias Between = (_ done: Int, _ total: Int) throws -> Void

    /// Takes in positions, [count, inputs], and makes the steps that they are worth.
    /// - Throws: ``PluginKit/PluginError`` for numbers that are not finite, and what `between` throws.
    package mutating func add(_ values: [Float], between: Between = { _, _ in }) throws {
        for start in stride(from: 0, to: values.count - values.count % inputs, by: inputs) {
            let position = values[start..<start + inputs]
            guard position.allSatisfy(\.isFinite) else {
                throw PluginError(.failed, "an activation of \(settings.hook) is not finite")
            }
            if filled < settings.buffer {
                buffer += position
            } else {
                let place = draws.next(below: settings.buffer) * inputs
                buffer.replaceSubrange(place..<place + inputs, with: position)
            }
            positions += 1
            owed += settings.passes
        }
        if filled == settings.buffer { try train(until: steps + Int(owed / Double(settings.batch)), between) }
    }

    /// Makes what is owed after the last position, which for a data set smaller than the buffer is all; and `least` steps in
    /// all.
    package mutating func settle(least: Int = 0, _ between: Between = { _, _ in }) throws {
        try train(until: max(least, steps + Int((owed / Double(settings.batch)).rounded(.up))), between)
    }

    /// Makes steps until there have been `total`.
    mutating func train(until total: Int, _ between: Between = { _, _ in }) throws {
        guard filled > 0 else { return }
        if !hasBegun { begin() }
        while steps < total {
            try between(steps, total)
            step()
        }
    }

    /// One step over a batch from the buffer.
    mutating func step() {
        owed = max(0, owed - Double(settings.batch))
        let x = batch()
        let dead = settings.auxiliary > 0 && settings.variant != .l1 ? deadLatents : []
        let (outcome, slopes) = Objective(settings: settings, inputs: inputs).evaluate(x, weights, dead: dead)
        let rate = settings.learningRate * min(1, Float(adam.step + 1) / Float(max(settings.warmUp, 1)))
        adam.descend(
            &weights, slopes, isTied: settings.isTied, rate: rate, thresholdRate: Self.thresholdHaste * rate)
        for latent in silence.indices {
            silence[latent] = outcome.fired[latent] ? 0 : silence[latent] + settings.batch
        }
        progress.add(
            outcome, step: adam.step, positions: settings.batch,
            dead: Double(deadLatents.count) / Double(settings.latents))
    }

    private var deadLatents: [Int] { silence.indices.filter { silence[$0] >= settings.deadAfter } }

    private mutating func begin() {
        let count = filled
        var means = [Double](repeating: 0, count: inputs)
        for row in 0..<count { for i in 0..<inputs { means[i] += Double(buffer[row * inputs + i]) } }
        centre = means.map { Float($0 / Double(count)) }
        var squares = 0.0
        for row in 0..<count {
            for i in 0..<inputs {
                let difference = Double(buffer[row * inputs + i] - centre[i])
                squares += difference * difference
            }
        }
        let root = Float((squares / Double(count * inputs)).squareRoot())
        unit = root > 0 && root.isFinite ? root : 1
        if settings.variant == .jumpReLU { beginThresholds() }
    }

    /// Thresholds begin where k latents are active: they move slowly, and a training that begins far away ends there.
    private mutating func beginThresholds() {
        var pre = Objective(settings: settings, inputs: inputs).preActivations(batch(), weights).pre
        let smallest = pre.withUnsafeMutableBufferPointer {
            LargestValues.keep(settings.k * settings.batch, of: $0)
        }
        let start = Float(naturalLogarithm(Double(smallest ?? 1)))
        weights.logThreshold = weights.logThreshold.map { _ in start }
    }

    private mutating func batch() -> [Float] {
        let count = filled
        return normalised((0..<settings.batch).map { _ in draws.next(below: count) })
    }

    /// Positions of the buffer as the training sees them, [positions, inputs].
    private func normalised(_ positions: [Int]) -> [Float] {
        var x: [Float] = []
        x.reserveCapacity(positions.count * inputs)
        for position in positions {
            let place = position * inputs
            for i in 0..<inputs { x.append((buffer[place + i] - centre[i]) / unit) }
        }
        return x
    }

    /// What stands in for BatchTopK's choice where there is no batch: the mean of the smallest code that is kept (Bussmann et
    /// al. 2024), of batches of the last buffer under the weights as they are. A running mean of the training's own would lag
    /// behind, and leave fewer latents active than were asked for.
    func batchThreshold() -> Float {
        let count = min(settings.batch, filled), batches = max(1, min(8, filled / settings.batch))
        var sum = 0.0
        for batch in 0..<batches {
            let x = normalised((0..<count).map { (batch + $0 * batches) * filled / (count * batches) })
            var codes = Objective(settings: settings, inputs: inputs).preActivations(x, weights).pre
            sum += Double(codes.withUnsafeMutableBufferPointer { LargestValues.keep(settings.k * count, of: $0) } ?? 0)
        }
        return Float(sum / Double(batches))
    }

    private static func normalise(_ directions: inout [Float], _ inputs: Int) {
        for start in stride(from: 0, to: directions.count, by: inputs) {
            var squares: Float = 0
            for i in start..<start + inputs { squares += directions[i] * directions[i] }
            guard squares > 0 else { continue }
            let length = squares.squareRoot()
            for i in start..<start + inputs { directions[i] /= length }
        }
    }

    // MARK: - The result

    /// The dictionary of the activations themselves: centre and unit are folded into biases and thresholds, and the
    /// directions keep the length 1. BatchTopK is JumpReLU now, with one threshold.
    /// - Throws: ``PluginKit/PluginError`` where nothing was added.
    package func dictionary(hook: String, model: String) throws -> SparseDictionary {
        guard hasBegun else { throw PluginError(.invalidArgument, "no activation of \(settings.hook) was added") }
        let activation: SparseDictionary.Activation =
            switch settings.variant {
            case .batchTopK:
                .jumpReLU([Float](repeating: batchThreshold() * unit, count: settings.latents))
            case .topK: .topK(settings.k)
            case .jumpReLU: .jumpReLU(weights.logThreshold.map { exponential($0) * unit })
            case .l1: .relu
            }
        do {
            return try SparseDictionary(
                encoder: Tensor(shape: [settings.latents, inputs], weights.encoder),
                decoder: Tensor(shape: [settings.latents, inputs], weights.decoder),
                encoderBias: weights.encoderBias.map { $0 * unit },
                decoderBias: zip(centre, weights.decoderBias).map { $0 + unit * $1 }, activation: activation,
                hook: hook, model: model)
        } catch let error as DictionaryError {
            throw PluginError(.failed, "the training has gone wrong: \(error.message); a smaller lr may help")
        }
    }

    // MARK: - From a file

    /// Whether what was read can be: sizes that fit one another, numbers that are numbers.
    /// - Throws: ``PluginKit/PluginError`` (`invalidArgument`).
    func check() throws {
        func damaged(_ why: String) -> PluginError {
            PluginError(.invalidArgument, "the saved state is damaged: \(why)")
        }
        guard (1...1 << 20).contains(inputs), (1...1 << 24).contains(settings.latents), settings.batch >= 1,
            settings.buffer >= 1
        else {
            throw damaged(
                "\(settings.latents) latents of \(inputs), batches of \(settings.batch) of \(settings.buffer)")
        }
        let shape = Weights(
            latents: settings.latents, inputs: inputs, hasThresholds: settings.variant == .jumpReLU)
        for part in [weights, adam.first, adam.second] where !part.isSound(beside: shape) {
            throw damaged("weights of another size, or not finite")
        }
        guard buffer.count % inputs == 0, buffer.count / inputs <= settings.buffer, buffer.allSatisfy(\.isFinite),
            centre.isEmpty || (centre.count == inputs && !buffer.isEmpty), centre.allSatisfy(\.isFinite),
            unit.isFinite, unit > 0, silence.count == settings.latents,
            silence.allSatisfy({ (0..<1 << 60).contains($0) }), adam.step >= 0, adam.step < 1 << 60,
            (0..<1 << 60).contains(positions), owed.isFinite, owed >= 0, owed < 1e15,
            progress.isSound
        else { throw damaged("its counters and its buffer contradict each other") }
    }
}
