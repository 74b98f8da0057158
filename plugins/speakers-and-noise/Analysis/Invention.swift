import Heads
import PluginKit
import PluginTranscripts

/// What is written of a sound in which nobody speaks.
struct Invention: Codable {
    let recording: UInt64
    let name: String
    /// What it is, by the data set.
    let kind: String
    let text: String
    /// Of the text, nats a token; nil where nothing is written.
    let logProbability: Double?
    /// Of `<|nospeech|>`; nil where the model has no such token.
    let noSpeech: Double?
    let words: Int

    init(_ recording: HeardRecording, column: String?, run: Run, by transcriber: Transcriber) throws {
        (self.recording, name) = (recording.recording, recording.name)
        kind = column.flatMap { recording.labels[$0] } ?? ""
        text = try transcriber.text(recording)
        words = Words.of(text).count
        let confidence = try transcriber.confidence(
            in: text, Array(recording.samples.prefix(run.nAudioCtx * 320)), language: recording.language,
            context: run.nTextCtx)
        logProbability = confidence.logProbability.isFinite ? confidence.logProbability : nil
        noSpeech = confidence.noSpeech.isFinite ? confidence.noSpeech : nil
    }

    var isSound: Bool { (0...(1 << 32)).contains(words) && (logProbability ?? 0).isFinite && (noSpeech ?? 0).isFinite }
}
