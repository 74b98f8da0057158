import Dictionaries
import Kernels

/// A number that a pass gives, to be differentiated: a sum of parts, each read at one hook point.
public struct Objective: Sendable {
    /// One part.
    struct Term: Sendable {
        let point: HookPoint
        /// Its value, and its gradient with respect to the activation there, of the same shape.
        let evaluate: @Sendable (Tensor) throws -> (value: Double, gradient: Tensor)
    }

    let terms: [Term]

    /// Where it is read.
    public var points: Set<HookPoint> { Set(terms.map(\.point)) }

    init(_ point: HookPoint, _ evaluate: @escaping @Sendable (Tensor) throws -> (Double, Tensor)) {
        terms = [Term(point: point, evaluate: evaluate)]
    }

    /// The sum of several.
    public init(_ parts: [Objective]) { terms = parts.flatMap(\.terms) }
}

// MARK: - Linear ones

extension Objective {
    /// The sum of all of the encoder's outputs, padding's too: what the post *Interpreting OpenAI's Whisper* differentiates.
    public static var encoderSum: Objective {
        Objective(HookPoint(.encoder, .lnPost)) { x in
            (x.total, Tensor(shape: x.shape, repeatElement(1, count: x.count)))
        }
    }

    /// Σ wᵢ xᵢ over an activation.
    /// - Parameter weights: of the activation's shape; or one row of it, for every one of `positions` alike; or the first so many
    ///   positions of it, as a trace of valid frames writes them.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for weights that are not finite; later, where they do not fit the activation.
    public static func linear(
        _ weights: Tensor, at point: HookPoint, positions: Range<Int>? = nil, name: String = "the objective"
    ) throws -> Objective {
        let stray = weights.withUnsafeBufferPointer { $0.firstIndex { !$0.isFinite } }
        if let stray {
            throw WhisperError(
                .invalidArgument,
                "\(name) at \(point) has \(weights.withUnsafeBufferPointer { $0[stray] }) as its element \(stray); "
                    + "expected finite numbers")
        }
        return Objective(point) { x in
            let g = try weights.spread(over: x.shape, at: point, positions, name)
            return (g.product(with: x), g)
        }
    }

    /// One element of every position, summed: a neuron, a direction of a head, the attention to one key.
    /// - Parameters:
    ///   - column: within a row, or within a head's part of it; nil sums all.
    ///   - head: nil where the point has none, or for all.
    ///   - positions: frames or tokens; nil for all.
    /// - Throws: ``WhisperError`` (`invalidArgument`), when it is read, for what the activation has not.
    public static func element(
        _ column: Int?, head: Int? = nil, at point: HookPoint, positions: Range<Int>? = nil
    ) -> Objective {
        Objective(point) { x in
            let view = ActivationView(x.shape, point.site.layout)
            let rows = try point.checked(positions, of: view.positions)
            let columns = try column.map { try point.checked($0, "an index", of: view.width) } ?? 0..<view.width
            let heads = try head.map { try point.checked($0, "a head", of: view.heads) } ?? 0..<view.heads
            var g = Tensor(shape: x.shape)
            g.withUnsafeMutableBufferPointer { g in
                for head in heads {
                    for row in rows { for column in columns { g[view.offset(row, head) + column] = 1 } }
                }
            }
            return (g.product(with: x), g)
        }
    }

    /// A latent of a dictionary, summed over positions.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a latent that is not there; later, for a dictionary of another width.
    public static func latent(
        _ latent: Int, of dictionary: SparseDictionary, at point: HookPoint, positions: Range<Int>? = nil
    ) throws -> Objective {
        guard point.site.layout != .headsFirst else {
            throw WhisperError(
                .invalidArgument, "a dictionary reads rows of all heads together; \(point) has no such rows")
        }
        try point.withDictionary { try dictionary.check(latent: latent) }
        return Objective(point) { x in
            let rows = try point.checked(positions, of: x.shape[0]), width = x.count / max(x.shape[0], 1)
            let flat = x.reshaped([x.shape[0], width]).rows(rows)
            var g = Tensor(shape: x.shape), value = 0.0
            try point.withDictionary {
                let codes = try dictionary.encode(flat)
                value = (0..<rows.count).reduce(0) { $0 + Double(codes[$1, latent]) }
                let slopes = try dictionary.latentBackward(
                    latent, [Float](repeating: 1, count: rows.count), at: flat)
                g.withUnsafeMutableBufferPointer { g in
                    slopes.withUnsafeBufferPointer { slopes in
                        for i in slopes.indices { g[rows.lowerBound * width + i] = slopes[i] }
                    }
                }
            }
            return (value, g)
        }
    }
}

extension HookPoint {
    /// Positions of an activation that has so many.
    fileprivate func checked(_ positions: Range<Int>?, of count: Int) throws -> Range<Int> {
        guard let positions else { return 0..<count }
        let upper = positions.upperBound == .max ? count : positions.upperBound
        guard positions.lowerBound < upper, upper <= count else {
            let bounds = positions.upperBound == .max ? "\(positions.lowerBound):" : "\(positions.lowerBound):\(upper)"
            throw WhisperError(
                .invalidArgument, "the objective reads \(position.rawValue)s \(bounds) of \(self), which has \(count)")
        }
        return positions.lowerBound..<upper
    }

    /// Says where a dictionary was of no use.
    fileprivate func withDictionary<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as DictionaryError {
            throw WhisperError(.invalidArgument, "at \(self): \(error.message)")
        }
    }

    fileprivate func checked(_ index: Int, _ what: String, of count: Int) throws -> Range<Int> {
        guard (0..<count).contains(index) else {
            throw WhisperError(
                .invalidArgument, "the objective reads \(what) \(index) of \(self), which has 0 to \(count - 1)")
        }
        return index..<index + 1
    }
}

extension Tensor {
    /// Σ xᵢ, in double precision.
    fileprivate var total: Double { withUnsafeBufferPointer { $0.reduce(0) { $0 + Double($1) } } }

    /// Σ xᵢ yᵢ, in double precision; what has no weight adds nothing, whatever it is.
    fileprivate func product(with other: Tensor) -> Double {
        withUnsafeBufferPointer { x in
            other.withUnsafeBufferPointer { y in
                var sum = 0.0
                for i in x.indices where x[i] != 0 { sum += Double(x[i]) * Double(y[i]) }
                return sum
            }
        }
    }

    /// Weights laid over an activation of `shape`; zeros where they say nothing.
    fileprivate func spread(
        over shape: [Int], at point: HookPoint, _ positions: Range<Int>?, _ name: String
    ) throws -> Tensor {
        let axis = point.positionAxis, inner = shape[(axis + 1)...].reduce(1, *), outer = shape[..<axis].reduce(1, *)
        let row = outer * inner, there = row > 0 ? count / row : 0
        guard there > 0, there * row == count, there == 1 || there <= shape[axis] else {
            throw WhisperError(
                .invalidArgument,
                "\(name) has a tensor of shape \(self.shape) for \(point), whose activation is \(shape); expected that shape, "
                    + "fewer positions of it, or one row")
        }
        let chosen = try point.checked(positions, of: shape[axis])
        var g = Tensor(shape: shape)
        withUnsafeBufferPointer { weights in
            g.withUnsafeMutableBufferPointer { g in
                for o in 0..<outer {
                    for position in there == 1 ? chosen : chosen.clamped(to: 0..<there) {
                        for i in 0..<inner {
                            g[(o * shape[axis] + position) * inner + i] =
                                weights[(o * there + (there == 1 ? 0 : position)) * inner + i]
                        }
                    }
                }
            }
        }
        return g
    }
}
