import Kernels

/// Where in the model the forward pass is: what turns `hooks(.mlp1, &h)` into a visit of
/// `encoder.blocks.2.mlp.1`.
struct HookScope {
    private let run: HookRun
    private let stack: HookPoint.Stack
    private var layer: Int?
    private var rows: RowPositions
    /// What is read through a normalisation, where an edge may end.
    private var stream: (x: Tensor, norm: Norm)?

    /// The encoder, or a decoder that reads `tokens` new tokens in each of `sequences` sequences.
    init(_ run: HookRun, _ stack: HookPoint.Stack, firstPosition: Int = 0, tokens: Int? = nil, sequences: Int = 1) {
        self.run = run
        self.stack = stack
        self.rows = RowPositions(first: firstPosition, perSequence: tokens, sequences: sequences)
    }

    /// A place where nothing of the run computes.
    func betweenBlocks() throws { try run.betweenBlocks() }

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
    func wants(_ site: HookSite) -> Bool { run.isActive && run.wants(HookPoint(stack, layer: layer, site)) }

    /// Changes the activation as the interventions say, then captures it.
    /// - Throws: the sink's errors, and the signal that the run is complete.
    func callAsFunction(_ site: HookSite, _ x: inout Tensor) throws {
        guard run.isActive else { return }
        let point = HookPoint(stack, layer: layer, site)
        // Keys and values of the audio lie along its frames, however many tokens listen.
        let isOfAudio = stack == .decoder && point.position == .frame
        try run.visit(point, &x, isOfAudio ? .all : rows)
    }
}

// MARK: - Blocks of rows

extension HookScope {
    /// Runs a part of a pass for blocks of `count` rows, side by side on all threads; the hooks that `body` is given know which rows they
    /// see. When all blocks are through, what was captured of them goes to the sink.
    /// - Parameter layer: a block of the encoder whose keys and values are all there: from then on rows that nobody keeps are left out.
    /// - Throws: what `body` throws, of the earliest block; the sink's errors; the signal that the run is complete.
    func forEachBlock(
        of count: Int, readIn layer: Int? = nil, _ body: (Range<Int>, HookScope) throws -> Void
    ) throws {
        let read = layer.flatMap { run.isActive ? run.framesRead(inEncoderBlock: $0) : nil } ?? count
        let blocks = RowBlock.ranges(of: count, whole: run.needsWholeActivations).prefix { $0.lowerBound < read }
        try Parallel.forEach(blocks.count) { block in
            let rows = blocks[block]
            var scope = self
            scope.rows = RowPositions(first: rows.lowerBound, perSequence: nil, sequences: 1)
            scope.rows.whole = rows.count < count ? count : nil
            try run.throughBlock { try body(rows, scope) }
        }
        try run.deliver(stack)
    }

    /// Whether the activation there may be changed, and so has to be laid out; or captured where rows are not a part of it.
    func laysOut(_ site: HookSite) -> Bool {
        guard run.isActive else { return false }
        let point = HookPoint(stack, layer: layer, site)
        return run.changes(point) || (rows.whole == nil && run.wants(point))
    }

    /// Where windows are all that happens to scores and nobody asks for them or their pattern: how far each head sees, and the frame of the first
    /// row. Nil where it is otherwise, so that they have to be laid out.
    func window(_ scores: HookSite, _ pattern: HookSite, heads: Int) -> (reach: [Int?], first: Int)? {
        guard run.isActive, !wants(pattern),
            let reach = run.reach(at: HookPoint(stack, layer: layer, scores), heads: heads)
        else { return nil }
        return (reach, rows.first)
    }

    /// Where rows of scores or patterns are kept as they are made; nil where nobody wants them.
    func recorder(_ site: HookSite, heads: Int, keys: Int) -> RowRecorder? {
        guard run.isActive, let whole = rows.whole else { return nil }
        return run.recorder(HookPoint(stack, layer: layer, site), heads: heads, keys: keys, rows, of: whole)
    }

    /// Says that a recorder has been given all of these rows.
    /// - Throws: the signal that these rows have given their last capture.
    func recorded(_ site: HookSite, rows count: Int) throws {
        try run.recorded(HookPoint(stack, layer: layer, site), first: rows.first, rows: count)
    }
}

/// Which position each row of an activation stands for: rows of one sequence after those of another.
package struct RowPositions {
    /// Position of the first row of every sequence.
    let first: Int
    /// Rows of one sequence; nil where there is one sequence and all rows are its.
    let perSequence: Int?
    let sequences: Int
    /// Rows of the whole activation, where these are some of them; then `first` is the first of these.
    var whole: Int?

    init(first: Int, perSequence: Int?, sequences: Int) {
        (self.first, self.perSequence, self.sequences) = (first, perSequence, sequences)
    }

    func position(ofRow row: Int) -> Int { first + (perSequence.map { row % $0 } ?? row) }
}

// MARK: - Edges

extension HookScope {
    /// The same place, where `x` is read through `norm`.
    func reading(_ x: Tensor, _ norm: Norm) -> HookScope {
        guard !run.edges.isEmpty else { return self }
        var scope = self
        scope.stream = (x, norm)
        return scope
    }

    /// Says what is about to be added to the residual stream, before whom an edge may begin.
    /// - Parameter toStream: what a difference there is in the stream.
    func send(_ site: HookSite, _ x: Tensor, _ toStream: (Tensor) -> Tensor) throws {
        guard !run.edges.isEmpty else { return }
        try run.send(HookPoint(stack, layer: layer, site), x, rows, toStream)
    }

    /// Gives a reader what edges that end there have for it.
    /// - Parameters:
    ///   - y: what it made of the normalised stream.
    ///   - read: makes it.
    func receive(_ site: HookSite, _ y: inout Tensor, _ read: (Tensor) -> Tensor) {
        guard !run.edges.isEmpty, let stream else { return }
        let point = HookPoint(stack, layer: layer, site)
        let view = ActivationView(y.shape, point.site.layout)
        for (heads, delta) in run.edges.ending(at: point, heads: view.heads) {
            var x = stream.x
            x.add(delta)
            let changed = read(stream.norm(x))
            y.withUnsafeMutableBufferPointer { y in
                changed.withUnsafeBufferPointer { changed in
                    for head in heads {
                        for row in 0..<view.positions {
                            let at = view.offset(row, head)
                            for i in at..<at + view.width { y[i] = changed[i] }
                        }
                    }
                }
            }
        }
    }
}
