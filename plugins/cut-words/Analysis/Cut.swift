import PluginTranscripts

/// One word of one recording, cut.
struct Cut: Codable {
    let recording: UInt64
    let name: String
    /// Which of the recording's words, and as it is compared.
    let spoken: Int
    let word: String
    /// Seconds that the word lasts, and what was cut beside it, to each side.
    let duration, margin: Double
    let frames: [Int]
    /// Which word of the unchanged transcript it is.
    let place: Int
    let unchanged, changed: String

    var isSound: Bool {
        duration.isFinite && margin.isFinite && frames.count == 2 && Words.of(unchanged).indices.contains(place)
    }

    /// What became of the words.
    struct Outcome {
        /// Whether the word is written no more; and whether nothing stands in its place.
        let isGone, isLost: Bool
        /// Nothing but the word is gone, and nothing has come.
        let isExact: Bool
        /// All other words are there, whatever came.
        let isAlone: Bool
        let isUnchanged: Bool
        /// For each word of the unchanged transcript, its offset from the cut one, and whether it is gone.
        let others: [(offset: Int, isGone: Bool)]
        let added: Int

        /// Whether the word so far from it is gone; nil where there is none.
        func isGone(at offset: Int) -> Bool? { others.first { $0.offset == offset }?.isGone }
    }

    var outcome: Outcome {
        let alignment = WordAlignment(unchanged, changed)
        let kept = alignment.isKept
        let others = kept.indices.filter { $0 != place }.map { (offset: $0 - place, isGone: !kept[$0]) }
        let isGone = kept.indices.contains(place) && !kept[place]
        let added = alignment.steps.count { if case .added = $0 { true } else { false } }
        let isLost = alignment.steps.contains(.lost(place))
        let isAlone = isGone && !others.contains(where: \.isGone)
        return Outcome(
            isGone: isGone, isLost: isLost, isExact: isAlone && isLost && added == 0, isAlone: isAlone,
            isUnchanged: alignment.errors == 0, others: others, added: added)
    }
}
