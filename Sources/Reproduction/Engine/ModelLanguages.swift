import Client
import Messages

extension V1.ModelInfo {
    /// Whether the model was trained on a language; an unknown one counts as if it were.
    /// - Parameter language: a code, perhaps with a region behind it (`fr-BE`), or empty.
    package func knows(_ language: String) -> Bool {
        let code = language.lowercased().prefix { $0 != "-" && $0 != "_" }
        // An English-only model lists no languages.
        return code.isEmpty || (languages.isEmpty ? code == "en" : languages.contains(String(code)))
    }
}

extension SampleList {
    /// Those in a language that `model` does not know: what it writes of them says nothing.
    package func foreign(to model: V1.ModelInfo) -> [Sample] {
        samples.filter { !model.knows($0.item.language ?? "") }
    }

    /// What is said of them; nil where there are none.
    package func remark(onForeign foreign: [Sample], _ model: V1.ModelInfo) -> String? {
        guard !foreign.isEmpty else { return nil }
        let languages = Set(foreign.compactMap(\.item.language)).sorted().joined(separator: ", ")
        let known = model.languages.isEmpty ? "English alone" : "\(model.languages.count) languages"
        return
            "\(foreign.count) of \(samples.count) recordings are in a language (\(languages)) that the model does not know "
            + "(it knows \(known)): left out where something is written of them"
    }
}
