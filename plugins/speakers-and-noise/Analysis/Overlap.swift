import PluginKit
import PluginTranscripts

/// What is written of two who speak at once.
struct Overlap {
    let first, second: HeardRecording
    /// How much louder the second is.
    let decibels: Double
    let text: String
    /// Of the text, nats a token.
    let logProbability: Double
    /// Words of each that are written, and words of neither.
    let ofFirst, ofSecond, ofNeither: Int

    init(_ pair: SplicedPair, decibels: Double, run: Run, by transcriber: Transcriber) throws {
        (first, second, self.decibels) = (pair.first, pair.other, decibels)
        let mixed = Splicing.mix(pair.first.samples, pair.other.samples, decibels: decibels)
        text = try transcriber.text(mixed, language: pair.first.language)
        logProbability =
            try transcriber.confidence(
                in: text, Array(mixed.prefix(run.nAudioCtx * 320)), language: pair.first.language, context: run.nTextCtx
            ).logProbability
        let written = Words.of(text)
        /// Places of the written words that stand in what somebody said, in its order.
        func kept(_ said: String) -> Set<Int> {
            Set(WordAlignment(Words.of(said), written).places.compactMap(\.self))
        }
        let (a, b) = (kept(pair.first.text), kept(pair.other.text))
        (ofFirst, ofSecond, ofNeither) = (a.count, b.count, written.count - a.union(b).count)
    }

    var wordsOfFirst: Int { Words.of(first.text).count }
    var wordsOfSecond: Int { Words.of(second.text).count }
}
