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
    /// Those of other sounds, whose decoders read the same tokens.
    private var others: [(input: OtherInput, cache: DecoderCache)] = []
    private let dimensions: ModelDimensions

    init(audio: Tensor, sequences: Int, dimensions: ModelDimensions) {
        self.audio = audio
        self.dimensions = dimensions
        self.sequences = sequences
        self.blocks = Array(
            repeating: BlockMemory(
                tokens: SequenceMemory(sequences: sequences, limit: dimensions.nTextCtx, state: dimensions.nTextState)),
            count: dimensions.nTextLayer)
    }

    /// Memory of sequences that have read nothing yet and listen to the same audio, whose keys and values are not computed again.
    ///
    /// Where this one's first run changed them by interventions, they are so in the new one as well.
    public func beginningAgain(sequences: Int, in dimensions: ModelDimensions) -> DecoderCache {
        let other = DecoderCache(audio: audio, sequences: sequences, dimensions: dimensions)
        for layer in blocks.indices { other.blocks[layer].audio = blocks[layer].audio }
        return other
    }

    /// Lets sequence i go on from what sequence `sources[i]` was; the number of sequences may change.
    public func rearrange(_ sources: [Int]) {
        precondition(sources.allSatisfy((0..<sequences).contains), "sources \(sources) of \(sequences) sequences")
        guard sources != Array(0..<sequences) else { return }
        for layer in blocks.indices { blocks[layer].tokens.rearrange(sources) }
        sequences = sources.count
        for other in others { other.cache.rearrange(sources) }
    }

    /// The memory of another sound's decoder, which has read what this one has.
    /// - Parameter audio: the encoder's output for that sound; asked for the first time.
    /// - Throws: ``WhisperError`` (`failedPrecondition`) where this one has read something without it.
    func beside(_ input: OtherInput, audio: () throws -> Tensor?) throws -> DecoderCache {
        if let other = others.first(where: { $0.input === input }) { return other.cache }
        guard length == 0, let output = try audio() else {
            throw WhisperError(
                .failedPrecondition, "the decoder had read \(length) tokens before \(input.name) was to be heard beside"
            )
        }
        let cache = DecoderCache(audio: output, sequences: sequences, dimensions: dimensions)
        others.append((input, cache))
        return cache
    }

    func advance(by tokens: Int) { length += tokens }
}

/// What one block of the decoder remembers.
struct BlockMemory {
    var tokens: SequenceMemory
    /// Keys and values of the audio, from the first run on.
    var audio: HeadMemory?
}
