import Glibc
import PluginKit

/// Writes recordings down through the host, changed or not.
package struct Transcriber {
    package let host: Host
    /// Where a recording says none; empty: the model finds it out.
    package let language: String

    /// - Parameter language: of recordings that say none.
    package init(host: Host, language: String) { (self.host, self.language) = (host, language) }

    /// The parameter of ``language``.
    package static let parameter = Parameter.text(
        "language", default: "en", "of recordings for which the data set says none; empty: the model finds it out")

    package func text(_ recording: HeardRecording, _ interventions: [String] = []) throws -> String {
        try text(recording.samples, language: recording.language, interventions)
    }

    package func text(_ samples: [Float], language: String = "", _ interventions: [String] = []) throws -> String {
        try host.checkCancellation()
        return try host.transcribe(
            samples, language: language.isEmpty ? self.language : language, interventions: interventions)
    }

    /// How likely a model finds a text.
    package struct Confidence: Sendable {
        /// The mean over the text's tokens and its end, nats; NaN where there is no text.
        package let logProbability: Double
        /// The probability of `<|nospeech|>` right after `<|startoftranscript|>`; NaN where the model has no such token.
        package let noSpeech: Double
    }

    /// How likely the model finds it that `text` is said in a sound of one window, as openai/whisper's `avg_logprob` and
    /// `no_speech_prob`, without timestamps.
    /// - Parameter context: tokens that the decoder reads at most; what is longer is judged by its beginning.
    package func confidence(
        in text: String, _ samples: [Float], language: String = "", context: Int, _ interventions: [String] = []
    ) throws -> Confidence {
        let language = language.isEmpty ? (self.language.isEmpty ? "en" : self.language) : language
        let end = try special("<|endoftext|>")
        let before = try prompt(language, end: end)
        let written = text.isEmpty ? [] : try host.encode(" " + text.drop { $0 == " " })
        let silence = try special("<|nospeech|>") ?? special("<|nocaptions|>")
        let said = Array((written + (end.map { [$0] } ?? [])).prefix(max(context - before.count, 0)))
        var (sum, noSpeech) = (0.0, Double.nan)
        try host.run(
            samples, tokens: before + said, interventions: interventions, hooks: ["decoder.logits"]
        ) { logits in
            guard logits.rank == 2, logits.shape[0] >= before.count + said.count else {
                throw PluginError(
                    .unsupported,
                    "decoder.logits has shape \(logits.shape); expected \(before.count + said.count) rows")
            }
            let width = logits.shape[1]
            try logits.withUnsafeFloats { values in
                func probability(_ row: Int, _ token: Int32) throws -> Double {
                    guard (0..<width).contains(Int(token)) else {
                        throw PluginError(.unsupported, "token \(token) is beyond \(width) logits")
                    }
                    return logSoftmax(
                        UnsafeBufferPointer(rebasing: values[row * width..<(row + 1) * width]), Int(token))
                }
                for (place, token) in said.enumerated() { sum += try probability(before.count + place - 1, token) }
                if let silence { noSpeech = exp(try probability(0, silence)) }
            }
        }
        return Confidence(logProbability: written.isEmpty ? .nan : sum / Double(said.count), noSpeech: noSpeech)
    }

    /// GPT-2's end of text, by which a model is told that reads English alone: its prompt has neither language nor task.
    private static let englishEnd: Int32 = 50_256

    /// What the decoder reads before a text.
    private func prompt(_ language: String, end: Int32?) throws -> [Int32] {
        guard let start = try special("<|startoftranscript|>"), let plain = try special("<|notimestamps|>") else {
            throw PluginError(
                .unsupported, "the model's vocabulary has no <|startoftranscript|> or no <|notimestamps|>")
        }
        guard end != Self.englishEnd, let language = try special("<|\(language)|>"),
            let task = try special("<|transcribe|>")
        else { return [start, plain] }
        return [start, language, task, plain]
    }

    private func special(_ name: String) throws -> Int32? {
        let tokens = try host.encode(name, parseSpecial: true)
        return tokens.count == 1 ? tokens.first : nil
    }
}

/// log softmax(logits)[token], in nats.
package func logSoftmax(_ logits: UnsafeBufferPointer<Float>, _ token: Int) -> Double {
    let largest = Double(logits.max() ?? 0)
    let sum = logits.reduce(0.0) { $0 + exp(Double($1) - largest) }
    return Double(logits[token]) - largest - log(sum)
}
