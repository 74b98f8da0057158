import Kernels
import Whisper

/// A change to activations in parts, as a message has it.
public struct InterventionParts: Sendable {
    /// A hook point: name, glob or alias.
    public var hook: String
    /// Frames or tokens that are changed; nil for all.
    public var positions: PositionBounds?
    /// Words of the transcript, in place of positions: a number from 1, or what they say.
    public var words: Words?
    /// Heads that are changed; empty for all.
    public var heads: [UInt32] = []
    /// Columns that are changed; empty for all.
    public var neurons: [UInt32] = []
    /// Who alone reads the change: a hook point, and heads of it.
    public var receiver: Receiver?
    public var operation: Operation

    public init(
        hook: String, positions: PositionBounds? = nil, heads: [UInt32] = [], neurons: [UInt32] = [],
        _ operation: Operation
    ) {
        (self.hook, self.positions, self.heads, self.neurons) = (hook, positions, heads, neurons)
        self.operation = operation
    }

    public enum Words: Sendable, Hashable {
        /// The first, and the last.
        case numbers(UInt32, UInt32)
        case said(String)
    }

    public struct Receiver: Sendable, Hashable {
        public var hook: String
        public var heads: [UInt32]
        public init(hook: String, heads: [UInt32]) { (self.hook, self.heads) = (hook, heads) }
    }

    public enum Operation: Sendable {
        case zero
        case mean
        /// Over a data set.
        case meanOver(String)
        case scale(Float)
        case add(TensorSource, Float)
        case set(TensorSource)
        case noise(standardDeviation: Float, seed: UInt64)
        case clamp(Clamp)
        /// From a recording or a tensor file, at the same place or at another.
        case patch(String, PositionBounds?, Words?)
        /// A data set.
        case resample(String, seed: UInt64)
        case window(UInt32)
        case substitutePadding
        /// A sparse dictionary's reconstruction; its folder.
        case splice(String)
        /// One latent of a sparse dictionary, which lies in a folder.
        case latent(String, UInt32, LatentChange)
        case latentClamp(String, UInt32, Clamp)
    }

    /// Limits of values.
    public struct Clamp: Sendable, Hashable {
        public enum Limit: Sendable, Hashable {
            case value(Float)
            case quantile(Double)
        }
        public var lower: Limit?
        public var upper: Limit?
        /// The data set over which quantiles are measured; nil for what the pass itself gives.
        public var over: String?
        public init(lower: Limit?, upper: Limit?, over: String? = nil) {
            (self.lower, self.upper, self.over) = (lower, upper, over)
        }
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

    /// What no text could say.
    /// - Throws: ``ServiceError`` (`invalidArgument`).
    func check() throws {
        for name in [hook, receiver?.hook ?? ""] where name.contains(where: { $0.isWhitespace || "=@\"".contains($0) })
        {
            throw refusal("'\(name)' names no hook point")
        }
        if let positions {
            let end = positions.end ?? .max
            guard positions.start < end, Int(exactly: positions.start) != nil else {
                throw refusal(
                    "the range of positions \(positions.start):\(end) is empty; expected a start below its end")
            }
        }
        if positions != nil, words != nil { throw refusal("it has positions and words; expected one of them") }
        if let source = patchSource, source.positions, source.words {
            throw refusal("the other recording has positions and words; expected one of them")
        }
    }

    private var patchSource: (positions: Bool, words: Bool)? {
        if case .patch(_, let positions, let words) = operation { (positions != nil, words != nil) } else { nil }
    }

    private func refusal(_ problem: String) -> ServiceError {
        ServiceError(.invalidArgument, "in the intervention \"\(self)\": \(problem)")
    }

    // MARK: - As text

    /// What it names that comes by value.
    var sources: [TensorSource] {
        switch operation {
        case .add(let source, _), .set(let source): [source]
        default: []
        }
    }

    /// - Parameter name: how the text names source number i.
    func text(_ name: (Int) -> String) -> String {
        let place =
            Self.place(positions, words)
            + (heads.isEmpty ? "" : " @heads \(Self.list(heads))")
            + (neurons.isEmpty ? "" : " @neurons \(Self.list(neurons))")
            + (receiver.map { " @to \($0.hook)" + ($0.heads.isEmpty ? "" : ":\(Self.list($0.heads))") } ?? "")
        return "\(hook)\(place) = \(change(name))"
    }

    private static func list(_ numbers: [UInt32]) -> String { numbers.map(String.init).joined(separator: ",") }

    private static func place(_ positions: PositionBounds?, _ words: Words?) -> String {
        switch words {
        case .numbers(let first, let last)?: return " @word \(first)-\(last)"
        case .said(let text)?: return " @\"\(text.filter { $0 != "\"" })\""
        case nil: break
        }
        return positions.map { bounds in
            // No activation reaches that far, so an end beyond is the same as none.
            " @frames \(bounds.start):\(bounds.end.flatMap { Int(exactly: $0) }.map { $0 == .max ? "" : "\($0)" } ?? "")"
        } ?? ""
    }

    private func change(_ name: (Int) -> String) -> String {
        switch operation {
        case .zero: "zero"
        case .mean: "mean"
        case .meanOver(let dataSet): "mean over \(quoted(dataSet))"
        case .scale(let factor): "scale \(factor)"
        case .add(_, let factor): "add \(name(0)) \(factor)"
        case .set: "set \(name(0))"
        case .noise(let deviation, let seed): "noise \(deviation) seed \(seed)"
        case .clamp(let clamp): "\(clamp)"
        case .patch(let file, let positions, let words): "patch \(quoted(file))\(Self.place(positions, words))"
        case .resample(let dataSet, let seed): "resample \(quoted(dataSet)) seed \(seed)"
        case .window(let positions): "window \(positions)"
        case .substitutePadding: "substitute-padding"
        case .splice(let folder): "splice \(quoted(folder))"
        case .latent(let folder, let index, .scale(let factor)): "latent \(quoted(folder)) \(index) = scale \(factor)"
        case .latent(let folder, let index, .set(let value)): "latent \(quoted(folder)) \(index) = set \(value)"
        case .latent(let folder, let index, .clamp): "latent \(quoted(folder)) \(index)"
        case .latentClamp(let folder, let index, let clamp): "latent \(quoted(folder)) \(index) = \(clamp)"
        }
    }
}

extension InterventionParts: CustomStringConvertible {
    /// The text form; a tensor that came by value is named by its shape.
    public var description: String {
        text { number in sources.indices.contains(number) ? "\(sources[number])" : "" }
    }
}

extension InterventionParts.Clamp: CustomStringConvertible {
    public var description: String {
        func text(_ limit: Limit?) -> String {
            switch limit {
            case .value(let value)?: "\(value)"
            case .quantile(let quantile)?: "q\(quantile)"
            case nil: ""
            }
        }
        return "clamp \(text(lower)):\(text(upper))" + (over.map { " over \(quoted($0))" } ?? "")
    }
}

extension InterventionParts.TensorSource: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tensor(let tensor): "tensor\(tensor.shape)"
        case .path(let path): quoted(path)
        }
    }
}

private func quoted(_ path: String) -> String { InterventionText.quoted(path) }
