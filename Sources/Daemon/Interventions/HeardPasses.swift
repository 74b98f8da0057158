import Kernels
import Whisper

/// The passes of a transcription whose words somebody wants to find again: where each window began, and what the decoder read in it.
final class HeardPasses: TranscriptionPasses {
    private struct Read {
        let seek: Int
        var prompt = 0
        var tokens: [Int] = []
    }

    private let model: WhisperModel
    private var windows: [Read] = []

    init(_ model: WhisperModel) { self.model = model }

    func encode(_ mel: Tensor, _ span: WindowSpan?) throws -> Tensor {
        if let span { windows.append(Read(seek: span.seek)) }
        return try model.encode(mel)
    }

    func wrote(_ tokens: [Int], after prompt: [Int]) {
        guard let last = windows.indices.last else { return }
        (windows[last].prompt, windows[last].tokens) = (prompt.count, tokens)
    }

    /// The words of the transcript, in order.
    func words(of transcription: Transcription, _ tokenizer: Tokenizer) -> [HeardWord] {
        windows.flatMap { window in
            let words = transcription.segments.filter { $0.seek == window.seek }.flatMap { $0.words ?? [] }
            let tokens = Self.tokens(of: words.map(\.word), in: window.tokens, from: window.prompt, tokenizer)
            return zip(words, tokens).map { word, tokens in
                let start = Int((word.start * 100).rounded()), end = Int((word.end * 100).rounded())
                return HeardWord(
                    text: word.word, melFrames: start..<max(end, start + 1), window: window.seek, tokens: tokens)
            }
        }
    }

    /// The tokens that spell each word, as places in what the decoder read: those whose bytes are its.
    private static func tokens(
        of words: [String], in tokens: [Int], from first: Int, _ tokenizer: Tokenizer
    ) -> [Range<Int>?] {
        var ends: [(place: Int, bytes: Range<Int>)] = [], length = 0
        for (index, token) in tokens.enumerated() where token < tokenizer.endOfText {
            let count = tokenizer.bytes(of: [token]).count
            ends.append((first + index, length..<length + count))
            length += count
        }
        var start = 0
        return words.map { word in
            let bytes = start..<start + word.utf8.count
            start = bytes.upperBound
            let places = ends.filter { $0.bytes.overlaps(bytes) }.map(\.place)
            return places.first.flatMap { first in places.last.map { first..<$0 + 1 } }
        }
    }
}
