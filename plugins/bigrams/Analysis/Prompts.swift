import PluginKit

/// What the decoder reads before it says what comes next.
struct Prompts {
    /// `<|startoftranscript|><|en|><|transcribe|>`, perhaps with `<|notimestamps|>`.
    let prefix: [Int32]

    init(language: String, noTimestamps: Bool, _ model: some LanguageModel) throws {
        var names = ["<|startoftranscript|>"]
        if !language.isEmpty { names += ["<|\(language)|>", "<|transcribe|>"] }
        if noTimestamps { names.append("<|notimestamps|>") }
        prefix = try names.map { name in
            let ids = try model.encode(name, parseSpecial: true)
            guard ids.count == 1, let id = ids.first else {
                throw PluginError(
                    .notFound,
                    "the model has no token \(name) (it reads it as \(ids.count) tokens); an English-only model has no "
                        + "languages: language= leaves them out")
            }
            return id
        }
    }

    /// The tokens of a prompt: of the word with a space before it, as it stands within a sentence, unless it begins with
    /// one already or is a special token. The empty prompt has none: what comes is the decoder's first word.
    static func tokens(_ prompt: String, _ model: some LanguageModel) throws -> [Int32] {
        if prompt.isEmpty { return [] }
        let special = prompt.hasPrefix("<|")
        let text = special || prompt.hasPrefix(" ") ? prompt : " \(prompt)"
        let ids = try model.encode(text, parseSpecial: special)
        guard !ids.isEmpty else { throw PluginError(.invalidArgument, "the prompt '\(prompt)' has no tokens") }
        return ids
    }

    /// One sequence, or with its error what it is.
    func sequence(_ tokens: [Int32], context: Int) throws -> [Int32] {
        guard prefix.count + tokens.count <= context else {
            throw PluginError(
                .invalidArgument,
                "a prompt of \(tokens.count) tokens and \(prefix.count) before it are more than the model reads (\(context))"
            )
        }
        return prefix + tokens
    }
}
