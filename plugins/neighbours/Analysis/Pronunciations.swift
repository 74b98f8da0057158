import Foundation
import PluginKit
import PluginTranscripts

/// How words are spoken, from a pronouncing dictionary: lines of a word and its phonemes, as the CMU dictionary and pocketsphinx's have them.
///
/// Words are compared in small letters. Other ways to say a word have "(2)" behind it, or are lines of their own. Stress is left out, both
/// "AH0" and "ˈʌ". Lines that begin with ";;;" or "#", and what follows " #", are comments.
struct Pronunciations: Sendable {
    private let byWord: [String: [[String]]]

    var count: Int { byWord.count }

    /// - Parameter name: of the file, for errors.
    init(_ text: String, name: String) throws {
        var found: [String: [[String]]] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.hasSuffix("\r") ? line.dropLast() : line
            if line.hasPrefix(";;;") || line.hasPrefix("#") { continue }
            let fields = line.split { $0 == " " || $0 == "\t" }.prefix { $0 != "#" }
            guard let first = fields.first else { continue }
            let phonemes = fields.dropFirst().map(\.withoutStress).filter { !$0.isEmpty }
            guard !phonemes.isEmpty else {
                throw PluginError(
                    .invalidArgument,
                    "pronunciations: line \(number + 1) of \(name) is '\(line.prefix(60))'; expected a word and its phonemes, "
                        + "with spaces between, as \"rug  R AH1 G\"")
            }
            let word = Self.withoutNumber(first).lowercased()
            if found[word]?.contains(phonemes) != true { found[word, default: []].append(phonemes) }
        }
        guard !found.isEmpty else { throw PluginError(.invalidArgument, "pronunciations: \(name) has no words") }
        byWord = found
    }

    /// Reads a file.
    init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PluginError(.notFound, "pronunciations: \(path) cannot be read")
        }
        // The CMU dictionary was long published in Latin-1.
        guard let text = String(data: data, encoding: .utf8) ?? String(data: data, encoding: .isoLatin1) else {
            throw PluginError(.invalidArgument, "pronunciations: \(path) is no text")
        }
        self = try Pronunciations(text, name: path)
    }

    /// All ways to say a word, in small letters; none where it is not there.
    func ways(to word: String) -> [[String]] { byWord[word] ?? [] }

    /// "read(2)" is read.
    private static func withoutNumber(_ word: Substring) -> Substring {
        guard word.hasSuffix(")"), let open = word.lastIndex(of: "("), open != word.startIndex else { return word }
        let number = word[word.index(after: open)...].dropLast()
        return !number.isEmpty && number.allSatisfy(\.isNumber) ? word[..<open] : word
    }

    /// How far two words are apart: phonemes put in, left out and exchanged by the phonemes of the longer one, of those ways
    /// to say them that are nearest. nil where there is none.
    static func distance(_ first: [[String]], _ second: [[String]]) -> Double? {
        var least: Double?
        for one in first {
            for other in second {
                let edits = Double(WordAlignment(one, other).errors) / Double(max(one.count, other.count, 1))
                least = min(least ?? edits, edits)
            }
        }
        return least
    }
}
