/// A word, and what became of it between two texts.
package struct WordChange: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// `marked`: what a reader is to look at.
        case kept, removed, added, marked
    }

    package let kind: Kind
    package let word: String

    package init(_ kind: Kind, _ word: String) {
        self.kind = kind
        self.word = word
    }
}

/// Two texts word by word: the fewest substitutions, deletions and insertions that make one of the other (Levenshtein
/// 1966), which is what a word error rate counts.
package struct WordComparison: Sendable {
    /// The words of the first text, as they are written.
    package let before: [String]
    package let after: [String]
    /// For each word of `before`, whether it is there in `after` at its place.
    package let isKept: [Bool]
    package let changes: [WordChange]
    /// Substitutions, deletions and insertions.
    package let errors: Int

    /// Longer texts are not compared: the table of all pairs of words would take too much memory.
    package static let mostPairs = 64_000_000

    /// - Returns: nil where the texts are longer than ``mostPairs`` allows.
    package init?(_ before: String, _ after: String) {
        self.init(words: Self.words(before), Self.words(after))
    }

    /// Words count as the same by ``normalised(_:)``.
    package init?(words before: [String], _ after: [String]) {
        let (a, b) = (before.map(Self.normalised), after.map(Self.normalised))
        let width = b.count + 1
        guard (a.count + 1).multipliedReportingOverflow(by: width).overflow == false,
            (a.count + 1) * width <= Self.mostPairs
        else { return nil }
        // costs[i, j]: the fewest changes from the first i words to the first j.
        var costs = [Int32](repeating: 0, count: (a.count + 1) * width)
        for j in 0..<width { costs[j] = Int32(j) }
        for i in 0..<a.count {
            costs[(i + 1) * width] = Int32(i + 1)
            for j in 0..<b.count {
                let substituted = costs[i * width + j] + (a[i] == b[j] ? 0 : 1)
                let shorter = min(costs[i * width + j + 1], costs[(i + 1) * width + j]) + 1
                costs[(i + 1) * width + j + 1] = min(substituted, shorter)
            }
        }
        var kept = [Bool](repeating: false, count: a.count)
        var backwards: [WordChange] = []
        var (i, j) = (a.count, b.count)
        while i > 0 || j > 0 {
            let cost = costs[i * width + j]
            if i > 0, j > 0, cost == costs[(i - 1) * width + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1) {
                if a[i - 1] == b[j - 1] {
                    kept[i - 1] = true
                    backwards.append(WordChange(.kept, after[j - 1]))
                } else {
                    backwards.append(WordChange(.added, after[j - 1]))
                    backwards.append(WordChange(.removed, before[i - 1]))
                }
                (i, j) = (i - 1, j - 1)
            } else if i > 0, cost == costs[(i - 1) * width + j] + 1 {
                backwards.append(WordChange(.removed, before[i - 1]))
                i -= 1
            } else {
                backwards.append(WordChange(.added, after[j - 1]))
                j -= 1
            }
        }
        self.before = before
        self.after = after
        isKept = kept
        changes = backwards.reversed()
        errors = Int(costs[costs.count - 1])
    }

    /// Errors over the words of the first text; NaN where it has none.
    package var rate: Double { before.isEmpty ? .nan : Double(errors) / Double(before.count) }

    /// A text's words as they are written.
    package static func words(_ text: String) -> [String] {
        text.split { $0.isWhitespace || $0 == "-" || $0 == "–" || $0 == "—" }.map(String.init)
            .filter { !normalised($0).isEmpty }
    }

    /// A word without upper case and without punctuation around or in it, but for the apostrophe.
    package static func normalised(_ word: String) -> String {
        String(
            word.lowercased().map { $0 == "’" ? "'" : $0 }.filter { $0.isLetter || $0.isNumber || $0 == "'" })
    }
}

/// Word errors of several texts together.
package struct WordErrors: Sendable {
    package private(set) var errors = 0
    package private(set) var words = 0
    /// Words of the first texts that are in the second ones, at their place.
    package private(set) var kept = 0
    /// Texts that were compared.
    package private(set) var texts = 0

    package init() {}

    package mutating func add(_ comparison: WordComparison) {
        errors += comparison.errors
        words += comparison.before.count
        kept += comparison.isKept.count { $0 }
        texts += 1
    }

    /// Above 1 where more is written than there is to write; NaN without words.
    package var rate: Double { words > 0 ? Double(errors) / Double(words) : .nan }
    /// Of the first texts' words; NaN without any.
    package var keptShare: Double { words > 0 ? Double(kept) / Double(words) : .nan }
}
