import PluginKit

/// What the decoder reads before a transcript.
package enum Prompt {
    /// `<|startoftranscript|>`, the language and `<|transcribe|>` where the model knows languages, and `<|notimestamps|>`.
    /// - Parameter language: a code, "en". Models of English alone have none of it in their prompt.
    /// - Throws: ``PluginError`` (`notFound`) for a language that the model does not have; `unsupported` where its vocabulary has no
    ///   prompt at all.
    package static func tokens(_ host: Host, language: String) throws -> [Int32] {
        guard let start = try special("<|startoftranscript|>", host), let plain = try special("<|notimestamps|>", host)
        else {
            throw PluginError(
                .unsupported, "the model's vocabulary has no <|startoftranscript|> or no <|notimestamps|>")
        }
        // GPT-2's end of text is that of models of English alone; others have a token more before it.
        guard try special("<|endoftext|>", host) != 50_256, !language.isEmpty else { return [start, plain] }
        guard let spoken = try special("<|\(language)|>", host), let task = try special("<|transcribe|>", host) else {
            throw PluginError(.notFound, "the model has no token <|\(language)|>; language= leaves it out")
        }
        return [start, spoken, task, plain]
    }

    /// The id of a special token; nil where there is none of this name.
    package static func special(_ name: String, _ host: Host) throws -> Int32? {
        let ids = try host.encode(name, parseSpecial: true)
        return ids.count == 1 ? ids.first : nil
    }
}
