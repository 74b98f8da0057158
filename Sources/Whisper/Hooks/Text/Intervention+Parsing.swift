import Dictionaries
import Kernels
import TensorFiles

extension Intervention {
    /// What the text form (``InterventionText``) means for a model of these sizes; files are read now.
    /// - Parameter tensor: finds the tensor of a FILE for a hook point; a file that holds one tensor means that one.
    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and what `tensor` and
    ///   reading a dictionary throw.
    public init(
        parsing text: String, dimensions: ModelDimensions,
        tensor: (_ file: String, _ hook: String) throws -> Tensor = SafetensorsFile.activation
    ) throws {
        let text = try InterventionText(text)
        let targets = try HookPoint.matching(text.hook.text, in: dimensions)
        let file = text.file?.text ?? ""
        var points = Set(targets)
        let operation: Operation
        switch text.operation {
        case .zero: operation = .zero
        case .mean: operation = .mean
        case .scale(let factor): operation = .scale(factor)
        case .add(let factor): operation = .add(try tensor(file, targets[0].name), factor)
        case .set: operation = .set(try tensor(file, targets[0].name))
        case .noise(let deviation, let seed): operation = .noise(deviation, seed: seed)
        case .window(let positions):
            operation = .window(positions)
            points = Self.windowed(points)
        case .substitutePadding: operation = .substitutePadding
        case .splice: operation = .splice(try SparseDictionary.read(file))
        case .latent(let latent, let change): operation = .latent(try SparseDictionary.read(file), latent, change)
        }
        try self.init(
            targets: points,
            positions: try text.positions?.range(
                perSecond: targets.first?.position.perSecond, of: text.hook.text, in: text.words),
            heads: text.heads, operation: operation, dimensions: dimensions)
    }
}
