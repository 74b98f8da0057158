import PluginKit
import PluginTranscripts

/// What each recording's transcript becomes without each head.
package struct Census: Codable {
    /// A transcript beside what was said.
    package struct Reading: Codable, Equatable {
        package let errors: WordErrors
        /// Words written.
        package let written: Int
        /// Whether its words differ from those that are written with all heads.
        package let differs: Bool
    }

    package struct Entry: Codable {
        package let recording: UInt64
        package let name: String
        /// Nobody speaks in it.
        package let isNonSpeech: Bool
        /// What was said; what the model writes with all heads, where the data set does not say.
        package let reference: String
        package let isReferenceOwn: Bool
        /// With all heads.
        package let transcript: String
        package let unchanged: Reading
        /// For each head.
        package let knockedOut: [Reading]

        /// Words were said, and it is known which.
        package var isSpeech: Bool { !isNonSpeech && unchanged.errors.words > 0 }

        /// Writes a recording down with all heads, and without each.
        /// - Parameter isNonSpeech: nobody speaks in it, so that nothing is what is to be written.
        package init(
            _ recording: HeardRecording, isNonSpeech: Bool, without heads: [AttentionHead],
            _ change: AttentionHead.Change, by transcriber: Transcriber
        ) throws {
            let transcript = try transcriber.text(recording), written = Words.of(transcript)
            let isReferenceOwn = !isNonSpeech && Words.of(recording.text).isEmpty
            let reference = isNonSpeech ? "" : isReferenceOwn ? transcript : recording.text
            let expected = Words.of(reference)
            func reading(_ text: [String]) -> Reading {
                Reading(errors: WordErrors(expected, text), written: text.count, differs: text != written)
            }
            knockedOut = try heads.enumerated().map { place, head in
                transcriber.host.progress(Double(place), of: Double(heads.count), unit: "heads")
                return reading(Words.of(try transcriber.text(recording, [head.knockedOut(change)])))
            }
            (self.recording, name, self.isNonSpeech) = (recording.recording, recording.name, isNonSpeech)
            (self.reference, self.isReferenceOwn) = (reference, isReferenceOwn)
            (self.transcript, unchanged) = (transcript, reading(written))
        }
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package mutating func add(_ entry: Entry) { entries.append(entry) }
    package mutating func merge(_ other: Census) { entries += other.entries }

    /// Whether the numbers can be those of transcripts.
    package var isSound: Bool {
        let heads = entries.first?.knockedOut.count ?? 0
        return entries.allSatisfy { entry in
            entry.knockedOut.count == heads
                && ([entry.unchanged] + entry.knockedOut).allSatisfy {
                    $0.errors.isSound && (0...(1 << 32)).contains($0.written)
                }
        }
    }

    /// In the order of the data set, whoever heard them first.
    package var inOrder: [Entry] { entries.sorted { $0.recording < $1.recording } }
    package var speech: [Entry] { inOrder.filter(\.isSpeech) }
    package var nonSpeech: [Entry] { inOrder.filter(\.isNonSpeech) }

    // MARK: - What follows

    /// One head, over all recordings.
    package struct Finding {
        package let head: AttentionHead
        package let errors: WordErrors
        /// Of the word error rate, against all heads.
        package let change, boundedChange: Double
        package let interval: (low: Double, high: Double)
        /// Recordings with speech whose transcript differs.
        package let differing: Int
        /// Words written where nobody speaks; of them more or fewer than with all heads.
        package let invented, inventedChange: Int

        /// To compare by: no speech is no harm.
        fileprivate var harm: Double { boundedChange.isNaN ? 0 : boundedChange }
    }

    /// - Parameter heads: as they were knocked out.
    package func findings(_ heads: [AttentionHead], seed: UInt64) -> [Finding] {
        let speech = speech, nonSpeech = nonSpeech
        let unchanged = speech.map(\.unchanged.errors), all = unchanged.total
        let invented = nonSpeech.reduce(0) { $0 + $1.unchanged.written }
        return heads.enumerated().map { place, head in
            let errors = speech.map { $0.knockedOut[place].errors }, total = errors.total
            let written = nonSpeech.reduce(0) { $0 + $1.knockedOut[place].written }
            return Finding(
                head: head, errors: total, change: total.rate - all.rate,
                boundedChange: total.boundedRate - all.boundedRate,
                interval: RateDifference.interval(errors, unchanged, seed: seed),
                differing: speech.count { $0.knockedOut[place].differs }, invented: written,
                inventedChange: written - invented)
        }
    }
}

extension [Census.Finding] {
    /// Those without which most words are wrong, the worst first; none that does no harm.
    package func mostHarmful(_ count: Int) -> [Census.Finding] {
        Array(
            filter { $0.boundedChange > 0 }
                .sorted { ($1.boundedChange, $0.head) < ($0.boundedChange, $1.head) }.prefix(count))
    }

    /// Those without which fewest words are written where nobody speaks, the best first, and of equals the one that does least harm; none
    /// without effect.
    package func mostInventive(_ count: Int) -> [Census.Finding] {
        Array(
            filter { $0.inventedChange < 0 }
                .sorted {
                    ($0.inventedChange, $0.harm, $0.head) < ($1.inventedChange, $1.harm, $1.head)
                }.prefix(count))
    }
}
