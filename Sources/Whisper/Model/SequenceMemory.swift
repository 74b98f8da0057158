import Kernels

/// Keys and values of the tokens of sequences that grow side by side.
///
/// A token's row is written once and never copied: a sequence is a list of rows, and sequences that were one share the rows of their
/// common past. So beams cost their lists alone.
struct SequenceMemory {
    /// For each sequence the row of each of its tokens.
    private var rows: [[Int32]]
    /// Tokens of each sequence.
    private(set) var length = 0
    private var keys: Tensor  // [capacity, state]
    private var values: Tensor
    /// Rows that have been written.
    private var used = 0
    private let limit: Int
    private let state: Int

    var sequences: Int { rows.count }

    /// - Parameter limit: tokens that a sequence can have, n_text_ctx.
    init(sequences: Int, limit: Int, state: Int) {
        rows = Array(repeating: [], count: sequences)
        keys = Tensor(shape: [0, state])
        values = keys
        self.limit = limit
        self.state = state
    }

    /// Appends the rows of new tokens, [sequences × tokens, …], the tokens of one sequence after another.
    mutating func append(keys k: Tensor, values v: Tensor) {
        let count = k.shape[0], tokens = count / sequences
        precondition(length + tokens <= limit, "\(length + tokens) tokens in a context of \(limit)")
        if used + count > keys.shape[0] { grow(to: used + count) }
        keys.write(k, at: used)
        values.write(v, at: used)
        for sequence in rows.indices {
            let first = used + sequence * tokens
            rows[sequence].append(contentsOf: (first..<first + tokens).lazy.map(Int32.init))
        }
        used += count
        length += tokens
    }

    /// Lets sequence i go on from what sequence `sources[i]` was.
    mutating func rearrange(_ sources: [Int]) { rows = sources.map { rows[$0] } }

    /// Calls `body` with the keys, rows of `state`, and the rows of one sequence's tokens in their order.
    func withKeys<R>(
        ofSequence sequence: Int, _ body: (UnsafePointer<Float>, UnsafeBufferPointer<Int32>) -> R
    ) -> R {
        keys.withUnsafeBufferPointer { keys in
            rows[sequence].withUnsafeBufferPointer { body(keys.baseAddress!, $0) }
        }
    }

    /// The same with the values.
    func withValues<R>(
        ofSequence sequence: Int, _ body: (UnsafePointer<Float>, UnsafeBufferPointer<Int32>) -> R
    ) -> R {
        values.withUnsafeBufferPointer { values in
            rows[sequence].withUnsafeBufferPointer { body(values.baseAddress!, $0) }
        }
    }

    /// Room for at least `count` rows: twice what there was.
    private mutating func grow(to count: Int) {
        let capacity = max(count, 2 * keys.shape[0], 32)
        for path in [\SequenceMemory.keys, \.values] {
            var larger = Tensor(uninitialized: [capacity, state])
            larger.write(self[keyPath: path].rows(0..<used), at: 0)
            self[keyPath: path] = larger
        }
    }
}

extension Tensor {
    /// Copies the rows of `source` to the rows from `row` on. Rows are as wide as this tensor's.
    fileprivate mutating func write(_ source: Tensor, at row: Int) {
        let width = shape[1]
        source.withUnsafeBufferPointer { source in
            withUnsafeMutableBufferPointer { out in
                guard let from = source.baseAddress else { return }
                (out.baseAddress! + row * width).update(from: from, count: source.count)
            }
        }
    }
}
