import Kernels

/// Where in the model the forward pass is: what turns `hooks(.mlp1, &h)` into a visit of
/// `encoder.blocks.2.mlp.1`.
struct HookScope {
    private let run: HookRun
    private let stack: HookPoint.Stack
    private var layer: Int?
    private var rows: RowPositions

    /// The encoder, or a decoder that reads `tokens` new tokens in each of `sequences` sequences.
    init(_ run: HookRun, _ stack: HookPoint.Stack, firstPosition: Int = 0, tokens: Int? = nil, sequences: Int = 1) {
        self.run = run
        self.stack = stack
        self.rows = RowPositions(first: firstPosition, perSequence: tokens, sequences: sequences)
    }

    func block(_ layer: Int) -> HookScope {
        var scope = self
        scope.layer = layer
        return scope
    }

    /// The same place where only the last token of each sequence is left.
    func atLastPosition() -> HookScope {
        var scope = self
        scope.rows = RowPositions(
            first: rows.first + (rows.perSequence ?? 1) - 1, perSequence: 1, sequences: rows.sequences)
        return scope
    }

    /// Whether anything is to be captured or changed there; where not, it need not be laid out at all.
    func wants(_ site: HookSite) -> Bool { run.wants(HookPoint(stack, layer: layer, site)) }

    /// Frames of this block of the encoder that anybody looks at, of `count`; all of them outside a block.
    func framesRead(of count: Int) -> Int {
        guard run.isActive, stack == .encoder, let layer else { return count }
        return min(run.framesRead(inEncoderBlock: layer) ?? count, count)
    }

    /// Changes the activation as the interventions say, then captures it.
    /// - Throws: the sink's errors, and the signal that the run is complete.
    func callAsFunction(_ site: HookSite, _ x: inout Tensor) throws {
        guard run.isActive else { return }
        try run.visit(HookPoint(stack, layer: layer, site), &x, rows)
    }
}

/// Which position each row of an activation stands for: rows of one sequence after those of another.
struct RowPositions {
    /// Position of the first row of every sequence.
    let first: Int
    /// Rows of one sequence; nil where there is one sequence and all rows are its.
    let perSequence: Int?
    let sequences: Int

    func position(ofRow row: Int) -> Int { first + (perSequence.map { row % $0 } ?? row) }
}
