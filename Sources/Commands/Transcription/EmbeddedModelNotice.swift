import Foundation
import Messages

/// What is said where the embedded model wrote down something that it does not know.
///
/// It was trained on a thousand words of synthetic voices, and writes fluent nonsense of anything else. Its own
/// probabilities tell: of 37 embedded clips with speech 32 have a mean log-probability above the limit here, of 50 recordings
/// of people one has.
enum EmbeddedModelNotice {
    private static let name = "default"
    private static let lowestLogProbability = -0.6
    /// As openai/whisper has it for a text that repeats itself.
    private static let highestCompression = 2.4

    /// Nil where another model was used, where nothing was written, or where the text looks like one that it knows.
    /// - Parameter model: as --model has it.
    static func sentence(about transcript: V1.Transcript, model: String?) -> String? {
        guard (model ?? name) == name, !transcript.file.hasPrefix("demo:"),
            let reason = reason(transcript.segments)
        else { return nil }
        return
            "\(transcript.file): this text is probably wrong: \(reason). The embedded model knows a thousand words of "
            + "synthetic voices and nothing else. A released Whisper writes down what people say: 'auscult models pull tiny.en' "
            + "downloads one, and 'auscult models add FOLDER --name tiny.en' registers one that you have (in auscult's "
            + "sources, 'make released' brings it); then use --model tiny.en"
    }

    private static func reason(_ segments: [V1.Segment]) -> String? {
        let tokens = segments.reduce(0) { $0 + $1.tokens.count }
        guard tokens > 0 else { return nil }
        let mean = segments.reduce(0) { $0 + $1.avgLogprob * Double($1.tokens.count) } / Double(tokens)
        if mean < lowestLogProbability {
            return "the model gives its own words a probability of \(Int((100 * exp(mean)).rounded())) % each"
        }
        if segments.contains(where: { $0.compressionRatio > highestCompression }) { return "it repeats itself" }
        return segments.contains { $0.temperature > 0 } ? "its words had to be drawn at random" : nil
    }
}
