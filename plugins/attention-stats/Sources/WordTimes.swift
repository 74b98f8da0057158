import PluginKit

/// The times of the words that the decoder reads, where the data set has them.
struct WordTimes {
    private var texts: [Int32: String] = [:]

    /// For each token, the middle of its word in seconds from the recording's beginning; nil for special tokens, and
    /// for all where the transcript and the data set's words are not the same words.
    mutating func middles(_ clip: Clip, _ host: Host) -> [Double?] {
        let none = [Double?](repeating: nil, count: clip.tokens.count)
        let heard = clip.words.filter {
            !Self.letters($0.label).isEmpty && $0.start < clip.start + clip.duration && $0.end > clip.start
        }
        guard !heard.isEmpty else { return none }
        var words: [(text: String, tokens: [Int])] = []
        for (index, token) in clip.tokens.enumerated() {
            guard let piece = text(of: token, host) else { return none }
            if piece.hasPrefix("<|") { continue }
            if words.isEmpty || piece.first == " " { words.append(("", [])) }
            words[words.count - 1].text += Self.letters(piece)
            words[words.count - 1].tokens.append(index)
        }
        words.removeAll { $0.text.isEmpty }
        guard words.map(\.text) == heard.map({ Self.letters($0.label) }) else { return none }
        var middles = none
        for (word, time) in zip(words, heard) {
            for token in word.tokens { middles[token] = (time.start + time.end) / 2 }
        }
        return middles
    }

    private mutating func text(of token: Int32, _ host: Host) -> String? {
        if let known = texts[token] { return known }
        let text = try? host.decode([token])
        texts[token] = text
        return text
    }

    private static func letters(_ text: String) -> String {
        String(text.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "'" })
    }
}
