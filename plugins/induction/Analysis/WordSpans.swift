import PluginKit
import PluginTranscripts

/// When the words that the decoder writes are spoken, where the data set has their times.
struct WordSpans {
    private var texts: [Int32: String] = [:]

    /// For each row of cross-attention (a token, at which the next is written) the times of the next token's word, in seconds of the recording;
    /// nil for what is no word, and for words that the data set has otherwise.
    mutating func rows(_ clip: Clip, _ host: Host) throws -> [(start: Double, end: Double)?] {
        var written: [(text: String, tokens: [Int])] = []
        for (place, token) in clip.tokens.enumerated() {
            let text = try self.text(token, host)
            if text.hasPrefix("<|") { continue }
            if written.isEmpty || text.hasPrefix(" ") { written.append(("", [])) }
            written[written.count - 1].text += text
            written[written.count - 1].tokens.append(place)
        }
        // Punctuation alone is no word; two that one label has are left out.
        let words = written.compactMap { word in
            let parts = Words.of(word.text)
            return parts.count == 1 ? (text: parts[0], tokens: word.tokens) : nil
        }
        let end = clip.start + clip.duration
        let heard = clip.words.filter { $0.start < end && $0.end > clip.start }.compactMap { label in
            let parts = Words.of(label.label)
            return parts.count == 1 ? (text: parts[0], label: label) : nil
        }
        var spans = [(start: Double, end: Double)?](repeating: nil, count: clip.tokens.count)
        for case .kept(let place, let other) in WordAlignment(words.map(\.text), heard.map(\.text)).steps {
            for token in words[place].tokens where token > 0 {
                spans[token - 1] = (heard[other].label.start, heard[other].label.end)
            }
        }
        return spans
    }

    private mutating func text(_ token: Int32, _ host: Host) throws -> String {
        if let known = texts[token] { return known }
        let text = try host.decode([token])
        texts[token] = text
        return text
    }

    /// A head's attention to the word that is written, and to the words of other rows, half of them further: shares, means over the rows.
    /// - Parameters:
    ///   - pattern: of one head, tokens by frames.
    ///   - spans: of each row, in frames of the window, half open; at least two that differ.
    static func shares(
        _ pattern: UnsafeBufferPointer<Float>, keys: Int, _ spans: [(row: Int, frames: Range<Int>)]
    ) -> (score: Double, null: Double) {
        var (score, null) = (0.0, 0.0)
        for (place, span) in spans.enumerated() {
            func mass(_ frames: Range<Int>) -> Double {
                frames.clamped(to: 0..<keys).reduce(0.0) { $0 + Double(pattern[span.row * keys + $1]) }
            }
            score += mass(span.frames)
            null += mass(spans[(place + spans.count / 2) % spans.count].frames)
        }
        return (score / Double(spans.count), null / Double(spans.count))
    }
}
