import Kernels
import Mel
import TensorFiles
import TestHost
import Testing

/// A model whose causal path is known, with gradients by hand. All of it is linear but the logarithm of the end.
///
///     encoder.blocks.0.attn.z   [frames, 2, 2]: head 0 hears bands 20–29, head 1 bands 50–59: their mean, and 1
///     encoder.blocks.0.mlp.1    [frames, 4]: neuron 0 is twice head 0, neuron 1 is head 1, the others are off
///     decoder.blocks.0.cross_attn.z [tokens, 2, 2]: head 0 sums neuron 0 over frames 10–19, head 1 a tenth of neuron 1 over all
///     decoder.logits            [tokens, 16]: token 5 gets a fifth of both heads, the others nothing
final class PlantedModel {
    static let bands = 80, heads = 2, width = 2, neurons = 4, vocabulary = 16
    static let encoderHead = "encoder.blocks.0.attn.z", neuron = "encoder.blocks.0.mlp.1"
    static let crossHead = "decoder.blocks.0.cross_attn.z", logits = "decoder.logits"
    static let order = ["log_mel", encoderHead, neuron, crossHead, logits]
    /// Of the word.
    static let window = 10..<20
    /// Passes that were asked for.
    private(set) var passes = 0

    /// Each place's values, by its name.
    private struct State {
        var values: [String: [Float]]
        var frames: Int, tokens: Int
        func shape(_ hook: String) -> [Int] {
            switch hook {
            case "log_mel": [PlantedModel.bands, 2 * frames]
            case PlantedModel.encoderHead: [frames, PlantedModel.heads, PlantedModel.width]
            case PlantedModel.neuron: [frames, PlantedModel.neurons]
            case PlantedModel.crossHead: [tokens, PlantedModel.heads, PlantedModel.width]
            default: [tokens, PlantedModel.vocabulary]
            }
        }
    }

    /// Bands that a head of the encoder hears.
    private static func hears(_ head: Int) -> Range<Int> { head == 0 ? 20..<30 : 50..<60 }

    /// How much neuron 0 or 1 of a frame gives to the cross-attention head of its number.
    private static func reads(_ head: Int, _ frame: Int) -> Float {
        head == 0 ? (window.contains(frame) ? 1 : 0) : 0.1
    }

    func services() -> TestServices {
        var services = TestServices()
        services.pass = { [self] in try pass($0) }
        services.encode = { text, _ in text == "<|endoftext|>" ? [10] : [5] }
        services.decode = { $0.map { $0 == 5 ? " rug" : " word\($0)" }.joined() }
        services.transcribe = { _, _, _ in " rug" }
        return services
    }

    private func pass(_ pass: TestPass) throws -> (values: [Double], tensors: [TestTensor]) {
        passes += 1
        let state = forward(pass)
        var tensors = pass.hooks.contains { $0.hasPrefix("log_mel") } ? [tensor("log_mel", state)] : []
        let wanted = Self.order.dropFirst().filter { hook in pass.hooks.contains { matches($0, hook) } }
            .filter { !$0.hasPrefix("decoder.") || state.tokens > 0 }
        tensors += wanted.map { tensor($0, state) }
        var values: [Double] = []
        for (index, objective) in pass.objectives.enumerated() {
            let (hook, weights) = try read(objective, state)
            values.append(zip(weights, state.values[hook] ?? []).reduce(0) { $0 + Double($1.0) * Double($1.1) })
            let gradients = backward(from: hook, weights, state, pass.interventions)
            let suffix = pass.objectives.count > 1 ? "@grad\(index + 1)" : "@grad"
            for place in (wanted.reversed() + (pass.hooks.contains("log_mel") ? ["log_mel"] : [])) {
                guard let gradient = gradients[place] else { continue }
                var found = tensor(place, state)
                found.hook += suffix
                found.values = gradient
                tensors.append(found)
            }
        }
        return (values, tensors)
    }

    private func matches(_ glob: String, _ hook: String) -> Bool {
        let (glob, hook) = (glob.split(separator: "."), hook.split(separator: "."))
        return glob.count == hook.count && zip(glob, hook).allSatisfy { $0 == "*" || $0 == $1 }
    }

    private func tensor(_ hook: String, _ state: State) -> TestTensor {
        let shape = state.shape(hook), isMel = hook == "log_mel"
        return TestTensor(
            hook,
            axes: isMel
                ? ["band", "mel_frame"] : hook.hasPrefix("decoder.") ? ["token", "column"] : ["frame", "column"],
            shape: shape, values: state.values[hook] ?? [], validPositions: isMel ? shape[1] : shape[0])
    }

    // MARK: - Forward

    private func forward(_ pass: TestPass) -> State {
        let mel: [Float], frames: Int
        if let given = pass.logMel {
            (mel, frames) = (given.elements, given.shape[1] / 2)
        } else {
            let samples = pass.samples ?? []
            frames = max(1, samples.count / 320)
            mel =
                LogMel(bands: Self.bands).window(
                    Array(samples.prefix(frames * 320)), firstFrames: 2 * frames
                ).elements
        }
        var state = State(values: ["log_mel": mel], frames: frames, tokens: pass.tokens.count)
        var z = [Float](repeating: 0, count: frames * 4), neurons = [Float](repeating: 0, count: frames * 4)
        for frame in 0..<frames {
            for head in 0..<2 where !isZero(Self.encoderHead, "@heads \(head)", pass.interventions) {
                var sum: Float = 0
                for band in Self.hears(head) {
                    sum += mel[band * 2 * frames + 2 * frame] + mel[band * 2 * frames + 2 * frame + 1]
                }
                z[frame * 4 + head * 2] = 1 + sum / 20
            }
            for neuron in 0..<2 where !isZero(Self.neuron, "@neurons \(neuron)", pass.interventions) {
                neurons[frame * 4 + neuron] = z[frame * 4 + neuron * 2] * (neuron == 0 ? 2 : 1)
            }
        }
        (state.values[Self.encoderHead], state.values[Self.neuron]) = (z, neurons)
        var cross = [Float](repeating: 0, count: state.tokens * 4),
            logits = [Float](repeating: 0, count: state.tokens * 16)
        for token in 0..<state.tokens {
            for head in 0..<2 where !isZero(Self.crossHead, "@heads \(head)", pass.interventions) {
                for frame in 0..<frames {
                    cross[token * 4 + head * 2] += Self.reads(head, frame) * neurons[frame * 4 + head]
                }
            }
            logits[token * 16 + 5] = 0.2 * (cross[token * 4] + cross[token * 4 + 2])
        }
        (state.values[Self.crossHead], state.values[Self.logits]) = (cross, logits)
        return state
    }

    private func isZero(_ hook: String, _ part: String, _ interventions: [String]) -> Bool {
        interventions.contains("\(hook) \(part) = zero")
    }

    // MARK: - Back

    /// The gradients at every place before an objective Σ weight · value at `hook`, that place's own too.
    private func backward(
        from hook: String, _ weights: [Float], _ state: State, _ interventions: [String]
    ) -> [String: [Float]] {
        var gradients = [hook: weights]
        let frames = state.frames
        if let g = gradients[Self.logits] {
            var cross = [Float](repeating: 0, count: state.tokens * 4)
            for token in 0..<state.tokens {
                (cross[token * 4], cross[token * 4 + 2]) = (0.2 * g[token * 16 + 5], 0.2 * g[token * 16 + 5])
            }
            gradients[Self.crossHead] = cross
        }
        if let g = gradients[Self.crossHead] {
            var neurons = [Float](repeating: 0, count: frames * 4)
            for token in 0..<state.tokens {
                for frame in 0..<frames {
                    for head in 0..<2 {
                        neurons[frame * 4 + head] += g[token * 4 + head * 2] * Self.reads(head, frame)
                    }
                }
            }
            gradients[Self.neuron] = neurons
        }
        if let g = gradients[Self.neuron] {
            var z = [Float](repeating: 0, count: frames * 4)
            for frame in 0..<frames {
                (z[frame * 4], z[frame * 4 + 2]) = (2 * g[frame * 4], g[frame * 4 + 1])
            }
            gradients[Self.encoderHead] = z
        }
        if let g = gradients[Self.encoderHead] {
            var mel = [Float](repeating: 0, count: Self.bands * 2 * frames)
            for frame in 0..<frames {
                for head in 0..<2 {
                    for band in Self.hears(head) {
                        for half in 0..<2 { mel[band * 2 * frames + 2 * frame + half] += g[frame * 4 + head * 2] / 20 }
                    }
                }
            }
            gradients["log_mel"] = mel
        }
        return gradients
    }

    private func read(_ objective: String, _ state: State) throws -> (hook: String, weights: [Float]) {
        if objective.hasPrefix("\"") {
            let file = try SafetensorsFile(path: String(objective.dropFirst().dropLast()))
            let hook = try #require(file.names.first)
            let given = try file.tensor(named: hook).elements
            let whole = state.shape(hook).reduce(1, *)
            return (hook, given + [Float](repeating: 0, count: max(0, whole - given.count)))
        }
        // HOOK:INDEX@frames a:b
        let parts = objective.split(whereSeparator: { ":@ ".contains($0) }).map(String.init)
        // It has no activation function: before and behind it is the same.
        let hook = parts[0].hasSuffix(".mlp.0") ? Self.neuron : parts[0], index = Int(parts[1]),
            frames = (Int(parts[3]) ?? 0)..<(Int(parts[4]) ?? 0)
        let shape = state.shape(hook), row = shape.dropFirst().reduce(1, *)
        var weights = [Float](repeating: 0, count: shape.reduce(1, *))
        for frame in frames {
            for column in 0..<row where index == nil || column == index { weights[frame * row + column] = 1 }
        }
        return (hook, weights)
    }
}
