import PluginDraws
import PluginTranscripts

/// A recording, another of its speaker, and one of another speaker.
struct SplicedPair {
    let first, same, other: HeardRecording
    let speaker: String

    /// One for each recording at most, and so many at most: each with two others that the seed and the names draw.
    static func drawn(
        from recordings: [HeardRecording], speaker column: String, atMost count: Int, seed: UInt64
    ) -> [SplicedPair] {
        let spoken = recordings.compactMap { recording in
            recording.labels[column].flatMap { $0.isEmpty ? nil : (recording: recording, speaker: $0) }
        }
        func first(_ all: [(recording: HeardRecording, speaker: String)], _ purpose: String, _ name: String)
            -> HeardRecording?
        {
            all.map { ($0.recording, Hashing.key(seed: seed, purpose: purpose, "\(name) \($0.recording.name)")) }
                .min { ($0.1, $0.0.recording) < ($1.1, $1.0.recording) }?.0
        }
        let all = spoken.compactMap { one -> SplicedPair? in
            let own = spoken.filter { $0.speaker == one.speaker && $0.recording.recording != one.recording.recording }
            let others = spoken.filter { $0.speaker != one.speaker }
            guard let same = first(own, "same", one.recording.name),
                let other = first(others, "other", one.recording.name)
            else { return nil }
            return SplicedPair(first: one.recording, same: same, other: other, speaker: one.speaker)
        }
        guard all.count > count else { return all }
        let keys = all.map { Hashing.key(seed: seed, purpose: "pair", $0.first.name) }
        return all.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count).sorted().map { all[$0] }
    }

    /// The speakers in two halves: features are found with the first, and scored with the second.
    static func isFound(_ speaker: String, among speakers: Set<String>, seed: UInt64) -> Bool {
        let order = speakers.sorted {
            let keys = [$0, $1].map { Hashing.key(seed: seed, purpose: "half", $0) }
            return (keys[0], $0) < (keys[1], $1)
        }
        return (order.firstIndex(of: speaker) ?? 0) < (order.count + 1) / 2
    }
}
