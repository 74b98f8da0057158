/// The fewest words put in, left out and exchanged that lead from one text to another (Levenshtein 1966), and one way to do it.
package struct WordAlignment: Sendable {
    /// What became of words: places in the expected and in the actual text.
    package enum Step: Equatable, Sendable {
        case kept(Int, Int)
        case exchanged(Int, Int)
        case lost(Int)
        case added(Int)
    }

    package let expected, actual: [String]
    /// In the order of both texts.
    package let steps: [Step]

    package init(_ expected: [String], _ actual: [String]) {
        (self.expected, self.actual) = (expected, actual)
        let width = actual.count + 1
        var costs = [Int32](repeating: 0, count: (expected.count + 1) * width)
        for j in 0..<width { costs[j] = Int32(j) }
        for i in 0..<expected.count {
            let (above, here) = (i * width, (i + 1) * width)
            costs[here] = Int32(i + 1)
            for j in 0..<actual.count {
                let exchange = costs[above + j] + (expected[i] == actual[j] ? 0 : 1)
                costs[here + j + 1] = min(exchange, costs[above + j + 1] + 1, costs[here + j] + 1)
            }
        }
        // From the end back: a word that can stand where it stood does, and one is exchanged before it is lost.
        var steps: [Step] = []
        var (i, j) = (expected.count, actual.count)
        while i > 0 || j > 0 {
            let cost = costs[i * width + j]
            if i > 0, j > 0 {
                let same = expected[i - 1] == actual[j - 1]
                if costs[(i - 1) * width + j - 1] + (same ? 0 : 1) == cost {
                    (i, j) = (i - 1, j - 1)
                    steps.append(same ? .kept(i, j) : .exchanged(i, j))
                    continue
                }
            }
            if i > 0, costs[(i - 1) * width + j] + 1 == cost {
                i -= 1
                steps.append(.lost(i))
            } else {
                j -= 1
                steps.append(.added(j))
            }
        }
        self.steps = steps.reversed()
    }

    package init(_ expected: String, _ actual: String) { self.init(Words.of(expected), Words.of(actual)) }

    /// Words lost, exchanged and added.
    package var errors: Int { steps.count { if case .kept = $0 { false } else { true } } }

    /// Whether each word of the expected text stands in the actual one.
    package var isKept: [Bool] {
        var kept = [Bool](repeating: false, count: expected.count)
        for case .kept(let place, _) in steps { kept[place] = true }
        return kept
    }

    /// Where each word of the expected text stands in the actual one; nil where it does not.
    package var places: [Int?] {
        var places = [Int?](repeating: nil, count: expected.count)
        for case .kept(let place, let other) in steps { places[place] = other }
        return places
    }

    /// The difference as `git diff --word-diff` shows it: "the [-dose-]{+doors+} for an adult".
    package var difference: String {
        var parts: [String] = []
        var (lost, added): ([String], [String]) = ([], [])
        func flush() {
            let gone = lost.isEmpty ? "" : "[-\(lost.joined(separator: " "))-]"
            let come = added.isEmpty ? "" : "{+\(added.joined(separator: " "))+}"
            if !(gone + come).isEmpty { parts.append(gone + come) }
            (lost, added) = ([], [])
        }
        for step in steps {
            switch step {
            case .kept(let place, _):
                flush()
                parts.append(expected[place])
            case .exchanged(let place, let other):
                lost.append(expected[place])
                added.append(actual[other])
            case .lost(let place): lost.append(expected[place])
            case .added(let place): added.append(actual[place])
            }
        }
        flush()
        return parts.joined(separator: " ")
    }
}
