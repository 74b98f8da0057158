/// What the decoder is to make of the speech.
public enum SpeechTask: String, Sendable, CaseIterable {
    /// Write it down in its own language.
    case transcribe
    /// Write it down in English.
    case translate
}

extension Tokenizer {
    /// The tokens that begin a transcript: `<|startoftranscript|><|en|><|transcribe|>`, or only the
    /// first for an English-only model, whose language and task are fixed.
    /// - Parameter language: a code or an English name; nil leaves language and task out.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a language or task that the model does not know.
    public func startSequence(language: String?, task: SpeechTask = .transcribe) throws -> [Int] {
        guard isMultilingual else {
            if let language, try languageCode(for: language) != "en" || task != .transcribe {
                throw WhisperError(.invalidArgument, "an English-only model cannot \(task.rawValue) \(language)")
            }
            guard task == .transcribe else {
                throw WhisperError(.invalidArgument, "an English-only model cannot \(task.rawValue)")
            }
            return [startOfTranscript]
        }
        guard let language else { return [startOfTranscript] }
        guard let taskToken = special("<|\(task.rawValue)|>") else {
            throw WhisperError(.invalidArgument, "this model has no token <|\(task.rawValue)|>")
        }
        return [startOfTranscript, try languageToken(for: language), taskToken]
    }

    /// The token of a language, given by code or English name.
    /// - Throws: ``WhisperError`` (`invalidArgument`) that lists the languages the model knows.
    public func languageToken(for language: String) throws -> Int {
        let code = try languageCode(for: language)
        return languages.first { $0.code == code }?.token ?? startOfTranscript
    }

    /// The model's own code for a language, given by code or English name in any case; a code may have a region or a
    /// script behind it, as in `zh-CN` and `pt_BR`, which the model knows nothing of.
    public func languageCode(for language: String) throws -> String {
        func code(_ word: String) -> String? {
            languages.contains { $0.code == word } ? word : Language.code(for: word)
        }
        let word = language.lowercased()
        let primary = word.prefix { $0 != "-" && $0 != "_" }
        let code = code(word) ?? ((2...3).contains(primary.count) ? code(String(primary)) : nil)
        let known = isMultilingual ? languages.map(\.code) : ["en"]
        if let code, known.contains(code) { return code }
        throw WhisperError(
            .invalidArgument,
            "the model does not know the language \"\(language)\"; it has \(known.joined(separator: ", "))")
    }

    /// The tokens to suppress so that the model writes neither speaker tags nor descriptions of sounds:
    /// music notes, brackets, dashes at the start of a word and the like. Sorted.
    ///
    /// A symbol counts where it is one token, alone or after a space. The music symbols (U+2669 … U+266F)
    /// count by their first token in any case: it stands for their block of miscellaneous symbols only.
    public var nonSpeechTokens: [Int] {
        let symbols =
            "\"#()*+/:;<=>@[\\]^_`{|}~「」『』".map(String.init)
            + "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪".split(separator: " ").map(
                String.init)
        let music = "♩♪♫♬♭♮♯".map(String.init)
        var ids = Set([" -", " '"].compactMap { encode($0).first })
        for symbol in symbols + music {
            for form in [encode(symbol), encode(" " + symbol)] where form.count == 1 || music.contains(symbol) {
                ids.formUnion(form.prefix(1))
            }
        }
        return ids.sorted()
    }
}
