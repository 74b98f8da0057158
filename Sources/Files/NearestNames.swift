/// The up to `count` names that differ least from `name`, nearest first, by edit distance (Levenshtein) without
/// regard to case.
/// - Parameter similarOnly: leaves out those that share less than half of their letters.
package func nearestNames(
    to name: String, in names: [String], count: Int = 3, similarOnly: Bool = true
) -> [String] {
    // Names come from outside, and the time grows with the product of both lengths.
    let wanted = Array(name.lowercased().utf8.prefix(256))
    return names.map { (name: $0, distance: editDistance(wanted, Array($0.lowercased().utf8.prefix(256)))) }
        .filter { !similarOnly || $0.distance <= max(2, max(wanted.count, $0.name.utf8.count) / 2) }
        .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .prefix(count).map(\.name)
}

/// The least number of insertions, deletions and replacements of one byte that turn `a` into `b`.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let replaced = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
        }
    }
    return row[b.count]
}
