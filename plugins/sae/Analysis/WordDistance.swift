/// Word errors: the fewest words put in, left out and exchanged that lead from one text to the other (Levenshtein 1966).
enum WordDistance {
    /// Words in small letters, without punctuation.
    static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "'") }.map(String.init)
    }

    static func count(_ expected: [String], _ actual: [String]) -> Int {
        var row = Array(0...actual.count)
        for (i, word) in expected.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in actual.enumerated() {
                let cost = diagonal + (word == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[actual.count]
    }
}
