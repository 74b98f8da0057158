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
            targets: points, positions: try text.range(perSecond: targets.first?.position.perSecond),
            heads: text.heads, operation: operation, dimensions: dimensions)
    }
}

extension InterventionText {
    /// Its positions, where frames come so many a second; nil where it names none.
    fileprivate func range(perSecond: Double?) throws -> Range<Int>? {
        guard let positions else { return nil }
        func position(_ bound: Bounds.Bound, _ open: Int) throws -> Int {
            switch bound {
            case .open: return open
            case .position(let position): return position
            case .seconds(let seconds):
                guard let perSecond else {
                    throw words.error(
                        "\(seconds) s is no position, since \(hook.text) has none in time; expected tokens",
                        at: positions.word)
                }
                return Int((seconds * perSecond).rounded())
            }
        }
        let lower = try position(positions.lower, 0), upper = try position(positions.upper, .max)
        guard lower < upper else {
            throw words.error("the range \(positions.word.text) is empty", at: positions.word)
        }
        return lower..<upper
    }
}
