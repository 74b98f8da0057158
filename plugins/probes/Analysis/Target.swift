/// What a probe is to predict from the features.
enum Target: Sendable, Equatable {
    /// Whether the language is French; recordings that are not speech have no label.
    case isFrench
    /// Whether `kind` is "speech".
    case isSpeech
    /// The sound at each frame, from the alignment.
    case phoneme
    /// The value of a column of the data set.
    case column(String)

    init(_ name: String) {
        switch name {
        case "is_french": self = .isFrench
        case "is_speech": self = .isSpeech
        case "phoneme": self = .phoneme
        default: self = .column(name)
        }
    }

    /// The recording's label; nil where it has none.
    func label(_ columns: [String: String]) -> String? {
        func value(_ column: String) -> String? { columns[column].flatMap { $0.isEmpty ? nil : $0 } }
        switch self {
        case .phoneme: return nil
        case .column(let name): return value(name)
        case .isSpeech: return value("kind").map { $0 == "speech" ? "yes" : "no" }
        case .isFrench:
            guard value("kind") ?? "speech" == "speech", let language = value("language")?.lowercased() else {
                return nil
            }
            let tag = language.split { $0 == "-" || $0 == "_" }.first.map(String.init)
            return tag == "fr" || language == "french" ? "yes" : "no"
        }
    }
}

/// How the frames of a recording become rows.
enum Reduction: Sendable, Equatable {
    /// One row a recording: the mean, or the largest value of each feature, over its valid frames.
    case mean, maximum
    /// A row for every n-th frame.
    case frames(every: Int)

    var isByRecording: Bool {
        if case .frames = self { false } else { true }
    }

    /// For comparing states.
    var name: String {
        switch self {
        case .mean: "mean"
        case .maximum: "max"
        case .frames(let every): "every \(every) frames"
        }
    }
}
