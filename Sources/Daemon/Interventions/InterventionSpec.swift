import Dictionaries
import Kernels
import TensorFiles
import Whisper

/// A change to activations as it was asked for, before anybody knows whether it suits the model.
public enum InterventionSpec: Sendable {
    /// The text form (``Whisper/Intervention``).
    case text(String)
    /// The same in parts.
    /// - Parameters:
    ///   - hook: a hook point: name, glob or alias.
    ///   - positions: frames or tokens that are changed; nil for all.
    ///   - heads: heads that are changed; empty for all.
    case parts(hook: String, positions: PositionBounds?, heads: [UInt32], Operation)

    public enum Operation: Sendable {
        case zero
        case mean
        case scale(Float)
        case add(TensorSource, Float)
        case set(TensorSource)
        case noise(standardDeviation: Float, seed: UInt64)
        case window(UInt32)
        case substitutePadding
        /// A sparse dictionary's reconstruction; its folder.
        case splice(String)
        /// One latent of a sparse dictionary, which lies in a folder.
        case latent(String, UInt32, LatentChange)
    }

    /// Positions, half open; without an end, up to the last.
    public struct PositionBounds: Sendable, Hashable {
        public var start: UInt64
        public var end: UInt64?
        public init(start: UInt64, end: UInt64? = nil) {
            self.start = start
            self.end = end
        }
    }

    public enum TensorSource: Sendable {
        case tensor(Tensor)
        /// A safetensors file with one tensor, or with one of the hook point's name.
        case path(String)
    }

    /// The change for a model of these sizes; tensors in files are read now.
    /// - Throws: ``WhisperError`` or ``ServiceError`` (`invalidArgument`) that say what makes no sense, and what reading
    ///   a tensor's file throws.
    public func intervention(_ dimensions: ModelDimensions) throws -> Intervention {
        guard case .parts(let hook, let bounds, let heads, let operation) = self else {
            return try Intervention(parsing: description, dimensions: dimensions)
        }
        let positions = try bounds.map { bounds -> Range<Int> in
            let end = bounds.end ?? .max
            guard bounds.start < end, let start = Int(exactly: bounds.start) else {
                throw refusal("the range of positions \(bounds.start):\(end) is empty; expected a start below its end")
            }
            // No activation reaches that far, so an end beyond is the same as none.
            return start..<Int(clamping: end)
        }
        let points = try HookPoint.matching(hook, in: dimensions)
        return try Intervention(
            at: hook, positions: positions, heads: heads.isEmpty ? nil : heads.map { Int($0) },
            operation: resolved(operation, hook: points.first?.name ?? hook), dimensions: dimensions)
    }

    private func resolved(_ operation: Operation, hook: String) throws -> Intervention.Operation {
        switch operation {
        case .zero: .zero
        case .mean: .mean
        case .scale(let factor): .scale(try finite(factor, "factor"))
        case .add(let source, let factor): .add(try tensor(source, hook), try finite(factor, "factor"))
        case .set(let source): .set(try tensor(source, hook))
        case .noise(let deviation, let seed): .noise(try finite(deviation, "standard deviation"), seed: seed)
        case .window(let positions): .window(Int(positions))
        case .substitutePadding: .substitutePadding
        case .splice(let folder): .splice(try SparseDictionary.read(folder))
        case .latent(let folder, let index, let change):
            .latent(try SparseDictionary.read(folder), Int(index), try finite(change))
        }
    }

    private func finite(_ change: LatentChange) throws -> LatentChange {
        switch change {
        case .scale(let factor): .scale(try finite(factor, "factor"))
        case .set(let value): .set(try finite(value, "value"))
        }
    }

    private func tensor(_ source: TensorSource, _ hook: String) throws -> Tensor {
        switch source {
        case .tensor(let tensor): return tensor
        case .path(let path): return try SafetensorsFile.activation(path, hook)
        }
    }

    private func finite(_ number: Float, _ what: String) throws -> Float {
        guard number.isFinite else { throw refusal("the \(what) is \(number); expected a finite number") }
        return number
    }

    private func refusal(_ problem: String) -> ServiceError {
        ServiceError(.invalidArgument, "in the intervention \"\(self)\": \(problem)")
    }
}

extension InterventionSpec: CustomStringConvertible {
    /// The text form; a tensor that came by value is named by its shape.
    public var description: String {
        guard case .parts(let hook, let bounds, let heads, let operation) = self else {
            if case .text(let text) = self { return text }
            return ""
        }
        let frames = bounds.map { " @frames \($0.start):\($0.end.map(String.init) ?? "")" } ?? ""
        let chosen = heads.isEmpty ? "" : " @heads \(heads.map(String.init).joined(separator: ","))"
        return "\(hook)\(frames)\(chosen) = \(operation)"
    }
}

extension InterventionSpec.Operation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .zero: "zero"
        case .mean: "mean"
        case .scale(let factor): "scale \(factor)"
        case .add(let source, let factor): "add \(source) \(factor)"
        case .set(let source): "set \(source)"
        case .noise(let deviation, let seed): "noise \(deviation) seed \(seed)"
        case .window(let positions): "window \(positions)"
        case .substitutePadding: "substitute-padding"
        case .splice(let folder): "splice \(quoted(folder))"
        case .latent(let folder, let index, .scale(let factor)): "latent \(quoted(folder)) \(index) = scale \(factor)"
        case .latent(let folder, let index, .set(let value)): "latent \(quoted(folder)) \(index) = set \(value)"
        }
    }
}

extension InterventionSpec.TensorSource: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tensor(let tensor): "tensor\(tensor.shape)"
        case .path(let path): quoted(path)
        }
    }
}

private func quoted(_ path: String) -> String { InterventionText.quoted(path) }
