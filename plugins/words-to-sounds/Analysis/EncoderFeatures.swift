import Dictionaries
import Kernels
import PluginKit

/// What the encoder's features are: neurons of some hook points, or latents of a dictionary at one.
enum FeatureKind {
    /// Globs.
    case neurons([String])
    case latents(SparseDictionary, folder: String)

    var hooks: [String] {
        switch self {
        case .neurons(let globs): globs
        case .latents(let dictionary, _): [dictionary.hook]
        }
    }
}

/// A neuron or a latent.
struct EncoderFeature: Hashable {
    let hook: String
    let index: Int
}

extension FeatureKind {
    func name(_ feature: EncoderFeature) -> String {
        switch self {
        case .neurons: "\(feature.hook):\(feature.index)"
        case .latents: "\(feature.hook) latent \(feature.index)"
        }
    }

    /// The intervention that takes it away.
    func ablation(_ feature: EncoderFeature) -> String {
        switch self {
        case .neurons: "\(feature.hook) @neurons \(feature.index) = zero"
        case .latents(_, let folder): "\(feature.hook) = latent \"\(folder)\" \(feature.index) = zero"
        }
    }

    /// All features at a hook point, frame by frame, `[frames, features]`: of neurons the activation itself, of latents their codes.
    func values(_ activation: Captures.Activation, hook: String) throws -> Captures.Activation {
        switch self {
        case .neurons: return activation
        case .latents(let dictionary, _):
            let codes = try encode(dictionary, activation, hook)
            return Captures.Activation(shape: [activation.shape[0], dictionary.latents], values: codes)
        }
    }

    /// The gradient with respect to each feature, of that with respect to the hook point: a latent adds its code times its direction.
    func gradient(_ gradient: Captures.Activation) throws -> Captures.Activation {
        guard case .latents(let dictionary, _) = self else { return gradient }
        let frames = gradient.shape[0], latents = dictionary.latents, inputs = dictionary.inputs
        let values = [Float](unsafeUninitializedCapacity: frames * latents) { out, count in
            dictionary.decoder.withUnsafeBufferPointer { decoder in
                if let out = out.baseAddress, let decoder = decoder.baseAddress {
                    MatrixProduct.multiplyOnAllThreads(
                        m: frames, n: latents, k: inputs, gradient.values, lda: inputs, decoder, ldb: inputs, .columns,
                        into: out, ldc: latents)
                }
            }
            count = frames * latents
        }
        return Captures.Activation(shape: [frames, latents], values: values)
    }

    /// Weights at the hook point whose functional has the gradient of Σ w[frame] · feature[frame].
    func weights(
        _ feature: EncoderFeature, _ w: [Float], at activation: Captures.Activation
    ) throws -> [Float] {
        switch self {
        case .neurons:
            let width = activation.width
            var weights = [Float](repeating: 0, count: activation.values.count)
            for (frame, weight) in w.enumerated() { weights[frame * width + feature.index] = weight }
            return weights
        case .latents(let dictionary, _):
            let rows = Tensor(shape: [activation.shape[0], dictionary.inputs], activation.values)
            do { return try dictionary.latentBackward(feature.index, w, at: rows).elements } catch let error
                as DictionaryError
            { throw PluginError(.invalidArgument, error.message) }
        }
    }

    private func encode(
        _ dictionary: SparseDictionary, _ activation: Captures.Activation, _ hook: String
    ) throws -> [Float] {
        guard activation.width == dictionary.inputs else {
            throw PluginError(
                .invalidArgument,
                "the dictionary reads \(dictionary.inputs) numbers a frame, and \(hook) has \(activation.width)")
        }
        do {
            return try dictionary.encode(
                Tensor(shape: [activation.shape[0], dictionary.inputs], activation.values)
            ).elements
        } catch let error as DictionaryError { throw PluginError(.invalidArgument, error.message) }
    }
}

extension Captures.Activation {
    /// One column, position by position.
    func column(_ index: Int) -> [Float] {
        let width = width
        return stride(from: index, to: values.count, by: max(width, 1)).map { values[$0] }
    }

    /// Σ over positions of value · gradient, for each column.
    func attributions(_ gradient: Captures.Activation) -> [Double] {
        let width = width
        var sums = [Double](repeating: 0, count: width)
        guard width > 0 else { return sums }
        for position in 0..<min(values.count, gradient.values.count) / width {
            for column in 0..<width {
                let at = position * width + column
                sums[column] += Double(values[at]) * Double(gradient.values[at])
            }
        }
        return sums
    }
}
