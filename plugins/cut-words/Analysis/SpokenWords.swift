import PluginDraws
import PluginTranscripts

/// The words of a recording whose times are known and that the model writes.
struct SpokenWords {
    struct Word: Equatable {
        /// Which of the recording's words.
        let spoken: Int
        let text: String
        let start, end: Double
        /// Which of the transcript's.
        let place: Int
    }

    let all: [Word]

    /// - Parameter transcript: that of the whole recording.
    init(_ recording: HeardRecording, transcript: String) {
        // What is written as several words has no times for each.
        let spoken = recording.words.enumerated().compactMap { place, word in
            let words = Words.of(word.text)
            return words.count == 1 && word.end > word.start ? (place: place, text: words[0], word: word) : nil
        }
        let places = WordAlignment(spoken.map(\.text), Words.of(transcript)).places
        all = zip(spoken, places).compactMap { spoken, place in
            place.map {
                Word(spoken: spoken.place, text: spoken.text, start: spoken.word.start, end: spoken.word.end, place: $0)
            }
        }
    }

    /// Some of them, drawn by the seed and the recording's name alone, in their order; all for 0.
    func drawn(_ count: Int, of name: String, seed: UInt64) -> [Word] {
        guard count > 0, count < all.count else { return all }
        let keys = all.map { Hashing.key(seed: seed, purpose: "cut", "\(name) \($0.spoken)") }
        return all.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count).sorted().map { all[$0] }
    }
}
