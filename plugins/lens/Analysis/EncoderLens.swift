import PluginKit
import PluginTranscripts

/// DecoderLens (Langedijk et al. 2024, arXiv 2310.03686): the decoder reads an intermediate block of the encoder through `encoder.ln_post`.
///
/// The output of a block is what the later ones add to; with what they add set to zero, `encoder.ln_post` gets that block's.
enum EncoderLens {
    /// What a stage is called: the convolutions with their positions, then blocks by their numbers.
    static func name(_ stage: Int) -> String { stage == 0 ? "convolutions" : "block \(stage - 1)" }

    /// What silences the blocks behind a stage, of so many blocks.
    static func interventions(_ stage: Int, blocks: Int) -> [String] {
        (stage..<max(stage, blocks)).flatMap {
            ["encoder.blocks.\($0).attn = zero", "encoder.blocks.\($0).mlp = zero"]
        }
    }

    /// What is written of recordings when the decoder reads one stage.
    struct StageSums: Codable, Equatable {
        var recordings = 0
        /// Recordings of which nothing is written.
        var empty = 0
        var words = 0
        /// Against the data set's text, of recordings that have one.
        var errors = WordErrors()
        /// Against what is written with the whole encoder.
        var changes = WordErrors()

        mutating func add(_ written: String, whole: String, text: String?) {
            let own = Words.of(written)
            recordings += 1
            words += own.count
            if own.isEmpty { empty += 1 }
            changes = changes + WordErrors(Words.of(whole), own)
            if let text { errors = errors + WordErrors(Words.of(text), own) }
        }

        mutating func add(_ other: StageSums) {
            recordings += other.recordings
            empty += other.empty
            words += other.words
            errors = errors + other.errors
            changes = changes + other.changes
        }

        var isSound: Bool {
            [recordings, words].allSatisfy { (0..<1 << 48).contains($0) } && (0...recordings).contains(empty)
                && errors.isSound && changes.isSound
        }
    }
}
