import Foundation
import Kernels

/// How likely each of the model's languages is, from the one token that follows `<|startoftranscript|>`.
///
/// - Parameter audio: the encoder's output for the window.
/// - Returns: the model's languages in the order of their tokens; the probabilities sum to 1.
/// - Throws: ``WhisperError`` (`unsupported`) for an English-only model.
func detectLanguage(_ model: any SpeechModel, _ tokenizer: Tokenizer, audio: Tensor) throws -> [LanguageProbability] {
    guard tokenizer.isMultilingual, !tokenizer.languages.isEmpty else {
        throw WhisperError(.unsupported, "an English-only model cannot tell languages apart")
    }
    let logits = try model.inference(on: audio).logits(after: [[tokenizer.startOfTranscript]])[0]
    let scores = tokenizer.languages.map { logits[$0.token] }
    let normaliser = try scores.logNormaliser()
    return zip(tokenizer.languages, scores).map { language, score in
        LanguageProbability(language: language.code, probability: exp(score - normaliser))
    }
}

/// The likeliest language, of equals the first.
func likeliest(_ languages: [LanguageProbability]) throws -> String {
    guard let first = languages.first else { throw WhisperError(.unsupported, "the model has no language tokens") }
    return languages.dropFirst().reduce(first) { $1.probability > $0.probability ? $1 : $0 }.language
}
