import Client

extension ListeningCard {
    /// Longer recordings are not put on a page.
    static let longest = 40.0

    /// A whole recording, with its words and when they are said: as the data set has them, or as the model times them.
    init(_ sample: Sample, _ plain: WrittenText) {
        self.init(
            title: sample.name, sound: SoundRequest(sample: sample.name, start: 0, end: nil),
            words: sample.words(plain))
    }
}

extension ComparedText {
    /// What became of one text, word by word, with the word error rate behind it.
    init(_ name: String, before: String, after: String) {
        guard let comparison = WordComparison(before, after) else {
            self.init(name: name, words: [WordChange(.kept, after)], note: "too long to compare")
            return
        }
        self.init(
            name: name, words: comparison.changes,
            note: comparison.before.isEmpty ? "" : "\(comparison.rate.percent) changed")
    }
}

extension Sample {
    /// The words and their times: the data set's where the transcript has the same words, the model's own otherwise.
    package func words(_ plain: WrittenText) -> [HeardWord] {
        let known = item.words.map { HeardWord(text: $0.label, start: $0.start, end: $0.end) }
        let same =
            known.map { WordComparison.normalised($0.text) }
            == WordComparison.words(plain.text).map(WordComparison.normalised)
        return same ? known : plain.words
    }
}
