import PluginKit

/// What one pass gave at some hook points, copied.
struct Captures {
    struct Activation {
        let shape: [Int]
        let values: [Float]
        /// Numbers of one position: of the first axis.
        var width: Int { (shape.first ?? 0) > 0 ? values.count / shape[0] : 0 }
    }

    /// By hook point.
    private(set) var values: [String: Activation] = [:]
    /// By hook point, one for each objective.
    private(set) var gradients: [String: [Activation]] = [:]

    /// - Throws: ``PluginError`` for numbers that are not finite.
    mutating func add(_ tensor: TensorView) throws {
        let activation = Activation(shape: tensor.shape, values: tensor.floats())
        guard activation.values.allSatisfy(\.isFinite) else {
            throw PluginError(.failed, "\(tensor.hook) has numbers that are not finite")
        }
        guard let at = tensor.hook.firstRange(of: "@grad") else {
            values[tensor.hook] = activation
            return
        }
        gradients[String(tensor.hook[..<at.lowerBound]), default: []].append(activation)
    }

    func value(_ hook: String) throws -> Activation { try found(values[hook], hook) }

    /// The gradient of one objective. Where an objective comes before the hook point, it has none there.
    func gradient(_ hook: String, _ objective: Int = 0) throws -> Activation {
        let all = gradients[hook] ?? []
        return try found(all.indices.contains(objective) ? all[objective] : nil, "\(hook)@grad")
    }

    /// The hook points whose names end so, in the order of their names.
    func hooks(endingIn suffix: String) -> [String] { values.keys.filter { $0.hasSuffix(suffix) }.sorted() }

    private func found(_ activation: Activation?, _ name: String) throws -> Activation {
        guard let activation else {
            throw PluginError(
                .notFound, "the host gave no \(name); it gave \(values.keys.sorted().joined(separator: ", "))")
        }
        return activation
    }
}

extension [Float] {
    /// Σ xᵢ yᵢ in double precision, over positions as far as both go.
    func product(with other: [Float]) -> Double {
        var sum = 0.0
        for at in 0..<Swift.min(count, other.count) { sum += Double(self[at]) * Double(other[at]) }
        return sum
    }
}
