import Kernels

/// Keys and values of what a group of sequences has read so far, and of the audio that they listen to.
///
/// One run uses it at a time; it is not Sendable. After a run that stopped early it holds a part of the
/// tokens and is of no further use.
public final class DecoderCache {
    /// The encoder's output, [n_audio_ctx, n_audio_state].
    let audio: Tensor
    var blocks: [BlockMemory]
    /// Sequences that grow side by side.
    public private(set) var sequences: Int
    /// Tokens seen so far, the same number in every sequence.
    public private(set) var length = 0

    init(audio: Tensor, sequences: Int, dimensions: ModelDimensions) {
        self.audio = audio
        self.sequences = sequences
        self.blocks = Array(
            repeating: BlockMemory(
                tokens: SequenceMemory(sequences: sequences, limit: dimensions.nTextCtx, state: dimensions.nTextState)),
            count: dimensions.nTextLayer)
    }

    /// Lets sequence i go on from what sequence `sources[i]` was; the number of sequences may change.
    public func rearrange(_ sources: [Int]) {
        precondition(sources.allSatisfy((0..<sequences).contains), "sources \(sources) of \(sequences) sequences")
        guard sources != Array(0..<sequences) else { return }
        for layer in blocks.indices { blocks[layer].tokens.rearrange(sources) }
        sequences = sources.count
    }

    func advance(by tokens: Int) { length += tokens }
}

/// What one block of the decoder remembers.
struct BlockMemory {
    var tokens: SequenceMemory
    /// Keys and values of the audio, from the first run on.
    var audio: KeysAndValues?
}

/// Keys and values of the tokens of each sequence, with room to grow.
struct SequenceMemory {
    /// One a sequence; `[capacity, state]`, of which `length` rows are in use.
    private(set) var views: [KeysAndValues]
    private(set) var length = 0
    private let limit: Int
    private let state: Int
    private var capacity = 0

    init(sequences: Int, limit: Int, state: Int) {
        let empty = Tensor(shape: [0, state])
        self.views = Array(repeating: KeysAndValues(keys: empty, values: empty, count: 0), count: sequences)
        self.limit = limit
        self.state = state
    }

    /// Appends the rows of new tokens, [sequences × tokens, …], the tokens of one sequence after another.
    mutating func append(keys: Tensor, values: Tensor) {
        let tokens = keys.shape[0] / views.count
        precondition(length + tokens <= limit, "\(length + tokens) tokens in a context of \(limit)")
        if length + tokens > capacity { grow(to: length + tokens) }
        for sequence in views.indices {
            views[sequence].keys.write(keys, rows: sequence * tokens, count: tokens, at: length)
            views[sequence].values.write(values, rows: sequence * tokens, count: tokens, at: length)
            views[sequence].count = length + tokens
        }
        length += tokens
    }

    mutating func rearrange(_ sources: [Int]) { views = sources.map { views[$0] } }

    /// Room for at least `tokens`: twice what there was, up to the context.
    private mutating func grow(to tokens: Int) {
        capacity = min(limit, max(tokens, 2 * capacity, 32))
        for sequence in views.indices {
            var keys = Tensor(uninitialized: [capacity, state]), values = keys
            keys.write(views[sequence].keys, rows: 0, count: length, at: 0)
            values.write(views[sequence].values, rows: 0, count: length, at: 0)
            views[sequence].keys = keys
            views[sequence].values = values
        }
    }
}

extension Tensor {
    /// Copies `count` rows of `source`, from row `first`, to row `destination`. Rows are as wide as this tensor's.
    fileprivate mutating func write(_ source: Tensor, rows first: Int, count: Int, at destination: Int) {
        guard count > 0 else { return }
        let width = shape[1]
        source.withUnsafeBufferPointer { source in
            withUnsafeMutableBufferPointer { out in
                (out.baseAddress! + destination * width)
                    .update(from: source.baseAddress! + first * width, count: count * width)
            }
        }
    }
}
