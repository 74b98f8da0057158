/// Columns of one hook point and those of another, each with the one that it correlates with most (Li et al. 2015, arXiv 1511.07543).
struct NeuronMatches {
    struct Match {
        let own: Int
        let other: Int
        /// Pearson's, with its sign.
        let correlation: Double
        /// Whether the other's best is this one.
        let isMutual: Bool
    }

    /// Of every own column that changes, by the size of their correlations.
    let matches: [Match]

    /// - Parameters: standardised columns of the same rows.
    init(_ own: Columns, _ other: Columns) {
        let product = own.product(other), rows = Double(max(1, own.rows))
        func best(_ count: Int, _ others: Int, _ place: (Int, Int) -> Int) -> [Int] {
            (0..<count).map { column in
                (0..<others).reduce(0) {
                    abs(product[place(column, $1)]) > abs(product[place(column, $0)]) ? $1 : $0
                }
            }
        }
        let ours = best(own.width, other.width) { $0 * other.width + $1 }
        let theirs = best(other.width, own.width) { $1 * other.width + $0 }
        matches = (0..<own.width).compactMap { column in
            guard other.width > 0 else { return nil }
            let correlation = Double(product[column * other.width + ours[column]]) / rows
            guard correlation != 0 else { return nil }
            return Match(
                own: column, other: ours[column], correlation: max(-1, min(1, correlation)),
                isMutual: theirs[ours[column]] == column)
        }
        .sorted { (-abs($0.correlation), $0.own) < (-abs($1.correlation), $1.own) }
    }

    var mean: Double {
        matches.isEmpty ? .nan : matches.reduce(0) { $0 + abs($1.correlation) } / Double(matches.count)
    }

    /// The share of columns whose best correlation is at least so large.
    func share(_ correlation: Double) -> Double {
        matches.isEmpty ? .nan : Double(matches.count { abs($0.correlation) >= correlation }) / Double(matches.count)
    }

    var mutualShare: Double {
        matches.isEmpty ? .nan : Double(matches.count(where: \.isMutual)) / Double(matches.count)
    }
}
