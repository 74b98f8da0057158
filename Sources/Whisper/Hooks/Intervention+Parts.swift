extension Intervention {
    /// A change at every hook point that a pattern names.
    /// - Parameters:
    ///   - pattern: a name, a glob or an alias (``HookPoint/matching(_:in:)``). A window also may name attention itself.
    ///   - positions: frames or tokens, absolute; nil for all.
    ///   - heads: nil for all.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where nothing matches, or the operation makes no sense there.
    public init(
        at pattern: String, positions: Range<Int>? = nil, heads: [Int]? = nil, operation: Operation,
        dimensions: ModelDimensions
    ) throws {
        var points = Set(try HookPoint.matching(pattern, in: dimensions))
        if case .window = operation { points = Self.windowed(points) }
        try self.init(
            targets: points, positions: positions, heads: heads, operation: operation, dimensions: dimensions)
    }

    /// Where a window acts: on the scores, also where attention itself is named.
    static func windowed(_ points: Set<HookPoint>) -> Set<HookPoint> {
        Set(points.map { $0.site == .attn ? HookPoint($0.stack, layer: $0.layer, .attnScores) : $0 })
    }
}
