import PluginKit
import PluginTranscripts

/// Heads knocked out together, on the recordings that were kept for it.
package struct HeadCompany {
    let transcriber: Transcriber
    let census: Census
    /// As the census knocked them out.
    let heads: [AttentionHead]
    let change: AttentionHead.Change
    let speech, nonSpeech: [HeardRecording]

    package init(
        transcriber: Transcriber, census: Census, heads: [AttentionHead], change: AttentionHead.Change,
        speech: [HeardRecording], nonSpeech: [HeardRecording]
    ) {
        (self.transcriber, self.census, self.heads, self.change) = (transcriber, census, heads, change)
        (self.speech, self.nonSpeech) = (speech, nonSpeech)
    }

    package struct Pair {
        let heads: [AttentionHead]
        let errors: WordErrors
        /// Without either of them, and with all heads, on the same recordings.
        let alone: [WordErrors]
        let unchanged: WordErrors

        /// How much of the rise is more than the sum of what each does alone.
        var excess: Double {
            (errors.boundedRate - unchanged.boundedRate)
                - alone.reduce(0) { $0 + $1.boundedRate - unchanged.boundedRate }
        }
    }

    package struct Group {
        package let heads: [AttentionHead]
        package let errors, unchanged: WordErrors
        /// Words written where nobody speaks.
        package let invented, inventedUnchanged: Int
    }

    /// All pairs of `heads`, the worst first.
    package func pairs(_ heads: [AttentionHead]) throws -> [Pair] {
        guard !speech.isEmpty else { return [] }
        let pairs = heads.indices.flatMap { first in
            heads[(first + 1)...].map { [heads[first], $0].sorted() }
        }
        let unchanged = try errors(without: []), alone = try heads.map { try errors(without: [$0]) }
        return try pairs.enumerated().map { place, pair in
            transcriber.host.progress(Double(place), of: Double(pairs.count), unit: "pairs")
            return Pair(
                heads: pair, errors: try errors(without: pair),
                alone: pair.map { head in alone[heads.firstIndex(of: head) ?? 0] }, unchanged: unchanged)
        }
        .sorted {
            ($1.errors.boundedRate, $0.heads[0], $0.heads[1]) < ($0.errors.boundedRate, $1.heads[0], $1.heads[1])
        }
    }

    /// The first of `heads`, the first two, and so on to all of them.
    package func groups(_ heads: [AttentionHead]) throws -> [Group] {
        guard !nonSpeech.isEmpty, !heads.isEmpty else { return [] }
        let unchanged = try errors(without: []), before = try invented(without: [])
        return try heads.indices.map { last in
            let group = Array(heads[...last])
            transcriber.host.progress(Double(last), of: Double(heads.count), unit: "groups")
            return Group(
                heads: group, errors: try errors(without: group), unchanged: unchanged,
                invented: try invented(without: group), inventedUnchanged: before)
        }
    }

    private func changes(_ heads: [AttentionHead]) -> [String] { heads.map { $0.knockedOut(change) } }

    private func errors(without heads: [AttentionHead]) throws -> WordErrors {
        try speech.map { recording in
            if let known = known(recording, without: heads) { return known.errors }
            let reference = entry(recording)?.reference ?? recording.text
            return WordErrors(Words.of(reference), Words.of(try transcriber.text(recording, changes(heads))))
        }.total
    }

    private func invented(without heads: [AttentionHead]) throws -> Int {
        try nonSpeech.reduce(0) { sum, recording in
            if let known = known(recording, without: heads) { return sum + known.written }
            return sum + Words.of(try transcriber.text(recording, changes(heads))).count
        }
    }

    private func entry(_ recording: HeardRecording) -> Census.Entry? {
        census.entries.first { $0.recording == recording.recording }
    }

    /// What the census has: all heads, and each alone.
    private func known(_ recording: HeardRecording, without heads: [AttentionHead]) -> Census.Reading? {
        guard let entry = entry(recording), heads.count < 2 else { return nil }
        guard let head = heads.first else { return entry.unchanged }
        guard let place = self.heads.firstIndex(of: head), entry.knockedOut.indices.contains(place) else { return nil }
        return entry.knockedOut[place]
    }
}
