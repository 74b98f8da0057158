import PluginKit
import PluginTranscripts

/// The words of a recording, and which of them its transcript does not have.
enum BrokenWords {
    /// Names of what is no phoneme in alignments that are common.
    private static let silences: Set = [
        "", "sil", "sp", "spn", "<sil>", "<eps>", "h#", "pau", "epi", "#h", "noise", "[noise]",
    ]

    /// - Parameter transcript: of the whole recording.
    static func find(_ clip: Clip, transcript: String) -> [SoundStudy.Word] {
        // A label may be of no word, or, where it has a hyphen, of several.
        let labelled = clip.words.flatMap { label in Words.of(label.label).map { (word: $0, label: label) } }
        let kept = WordAlignment(labelled.map(\.word), Words.of(transcript)).isKept
        let speaker = clip.labels["speaker"] ?? clip.name
        return zip(labelled, kept).enumerated().compactMap { place, pair in
            let ((_, label), isKept) = pair
            let sounds = clip.phonemes.filter { phoneme in
                let middle = (phoneme.start + phoneme.end) / 2
                return middle >= label.start && middle < label.end
            }
            .map { $0.label.withoutStress }
            .filter { !silences.contains($0.lowercased()) }
            guard !sounds.isEmpty else { return nil }
            var seen: [String] = []
            for sound in sounds where !seen.contains(sound) { seen.append(sound) }
            return SoundStudy.Word(
                recording: clip.recording, place: place, speaker: speaker, phonemes: seen, length: sounds.count,
                isBroken: !isKept)
        }
    }
}
