/// A file with the times of a recording's phonemes or words.
public struct AlignmentFile: Sendable, Hashable {
    public enum Content: Sendable, Hashable { case phonemes, words, both }

    public let path: String
    /// What is taken from it.
    public let content: Content
    /// The recording's names, of which a CTM file names one as its utterance.
    public let utterance: [String]

    public init(path: String, content: Content, utterance: [String] = []) {
        self.path = path
        self.content = content
        self.utterance = utterance
    }

    /// Endings that a reader is there for.
    public static let endings = ["textgrid", "ctm", "phn", "wrd"]

    /// Reads it.
    /// - Throws: ``Files/FileError``, ``DataSetError`` with the line.
    public func read() throws -> Alignment {
        let text = try TextFile.read(path)
        var alignment = try Self.parse(text, path: path, utterance: utterance, content: content)
        if content == .phonemes { alignment.words = [] }
        if content == .words { alignment.phonemes = [] }
        return alignment
    }

    static func parse(_ text: String, path: String, utterance: [String], content: Content) throws -> Alignment {
        switch ending(of: path) {
        case "textgrid": return try TextGrid(parsing: text, file: path).alignment(file: path)
        case "ctm":
            let labels = try CTM.labels(parsing: text, file: path, utterance: utterance)
            let isOfPhonemes = content == .phonemes || content == .both && CTM.isNamedForPhonemes(path)
            return isOfPhonemes ? Alignment(phonemes: labels) : Alignment(words: labels)
        case "phn": return Alignment(phonemes: try TIMIT.labels(parsing: text, file: path))
        case "wrd": return Alignment(words: try TIMIT.labels(parsing: text, file: path))
        default:
            throw DataSetError(
                .invalidArgument, file: path, "expected an alignment, ending in .TextGrid, .ctm, .phn or .wrd")
        }
    }
}

/// The sounds and words of one recording.
public struct Alignment: Sendable, Hashable {
    public var phonemes: [TimedLabel] = []
    public var words: [TimedLabel] = []

    public init(phonemes: [TimedLabel] = [], words: [TimedLabel] = []) {
        self.phonemes = phonemes
        self.words = words
    }
}

/// What comes after the last dot of a path's last part, in lower case.
func ending(of path: some StringProtocol) -> String {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "" }
    return path[path.index(after: dot)...].lowercased()
}

/// A path without its ending.
func withoutEnding(_ path: String) -> String {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path }
    return String(path[..<dot])
}
