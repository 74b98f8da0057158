import GRDB

/// What people call sounds, and what an atlas's data set called them.
enum LabelNames {
    /// The labels that are meant by `name`, which may be written otherwise: the label itself; or else those that differ by
    /// small and capital letters alone; or those of the same sound in another alphabet. Empty where none is.
    static func meant(by name: String, among labels: [String]) -> [String] {
        if labels.contains(name) { return [name] }
        let wanted = name.lowercased()
        let sameLetters = labels.filter { $0.lowercased() == wanted }
        if !sameLetters.isEmpty { return sameLetters }
        let names = Set(alphabets.filter { $0.contains(withoutStress(wanted)) }.joined())
        return labels.filter { names.contains(withoutStress($0.lowercased())) }
    }

    /// CMU's dictionary numbers the stress of vowels: AH0, AH1.
    private static func withoutStress(_ label: String) -> String {
        label.last.map { "012".contains($0) } ?? false ? String(label.dropLast()) : label
    }

    /// English sounds: ARPABET as CMU's dictionary and TIMIT have it, and IPA.
    private static let alphabets: [Set<String>] = [
        ["aa", "ɑ", "ɑː", "ɒ"], ["ae", "æ"], ["ah", "ax", "ʌ", "ə"], ["ao", "ɔ", "ɔː"], ["aw", "aʊ"], ["ay", "aɪ"],
        ["eh", "ɛ"], ["er", "axr", "ɝ", "ɚ", "ɜː"], ["ey", "eɪ"], ["ih", "ix", "ɪ"], ["iy", "i", "iː"],
        ["ow", "oʊ", "əʊ"],
        ["oy", "ɔɪ"], ["uh", "ʊ"], ["uw", "ux", "u", "uː"], ["ch", "tʃ", "t͡ʃ"], ["jh", "dʒ", "d͡ʒ"], ["dh", "ð"],
        ["th", "θ"], ["sh", "ʃ"], ["zh", "ʒ"], ["ng", "ŋ"], ["hh", "hv", "h"], ["y", "j"], ["r", "ɹ"], ["g", "ɡ"],
    ]
}

extension AtlasStore {
    /// The labels of complete scans that `name` means, in whatever letters or alphabet it is written.
    /// - Throws: ``AtlasError`` (`notFound`), which says what labels there are.
    func labels(meantBy name: String, hook: String?, kind: String?) throws -> [String] {
        let counts = try labels(hook: hook, kind: kind)
        var all: Set<String> = []
        let labels = counts.map(\.label).filter { all.insert($0).inserted }
        let meant = LabelNames.meant(by: name, among: labels)
        guard meant.isEmpty else { return meant }
        let place = [hook.map { " of \($0)" }, kind.map { " with the kind '\($0)'" }].compactMap { $0 }.joined()
        let shown = counts.prefix(40).map { "\($0.label) (\($0.kind), \($0.features))" }.joined(separator: ", ")
        let more = counts.count > 40 ? " and \(counts.count - 40) more" : ""
        throw AtlasError(
            .notFound,
            "\(path) has no feature\(place) with the label '\(name)'; "
                + (counts.isEmpty
                    ? "there are no labels" : "there are, with how many features have them: \(shown)\(more)"))
    }
}
