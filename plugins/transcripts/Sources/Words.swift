/// A text as the words that are compared: small letters, no punctuation, titles in full.
package enum Words {
    /// What Whisper writes short and transcripts of corpora in full (openai/whisper's `EnglishTextNormalizer` has more of them).
    private static let titles = [
        "mr": "mister", "mrs": "missus", "dr": "doctor", "prof": "professor", "capt": "captain",
    ]

    /// Words of letters, numbers and apostrophes in small letters: "Post-mortem, Mr. O’Hara?" is post, mortem, mister, o'hara.
    package static func of(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber || isApostrophe($0)) }.compactMap { part in
            let word = String(part.map { isApostrophe($0) ? "'" : $0 })
            guard word.contains(where: { $0 != "'" }) else { return nil }
            return titles[word] ?? word
        }
    }

    private static func isApostrophe(_ character: Character) -> Bool { character == "'" || character == "’" }
}
