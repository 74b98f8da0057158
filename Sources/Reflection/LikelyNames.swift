/// The names that `wanted` may have been meant to be, likeliest first.
///
/// A name counts by what it shares with `wanted` at both ends, without regard to case: that is all but one letter where
/// one is wrong, missing or too much, and all but two where two are swapped. One that contains the other counts in
/// full. Names that share less than half are left out.
package func likelyNames(for wanted: String, in names: [String], count: Int = 3) -> [String] {
    let wanted = Array(wanted.lowercased().utf8)
    guard !wanted.isEmpty else { return [] }
    return names.map { (name: $0, likeness: likeness(wanted, Array($0.lowercased().utf8))) }
        .filter { $0.likeness >= 0.5 }
        .sorted { ($1.likeness, $0.name) < ($0.likeness, $1.name) }
        .prefix(count).map(\.name)
}

/// From 0, nothing shared, to 1.
private func likeness(_ a: [UInt8], _ b: [UInt8]) -> Double {
    let shorter = min(a.count, b.count)
    let prefix = zip(a, b).prefix { $0 == $1 }.count
    let suffix = zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
    let ends = Double(min(prefix + suffix, shorter)) / Double(max(a.count, b.count, 1))
    // A fragment of two letters is in too many names to mean one of them.
    let isPart = shorter > 2 && (contains(a, b) || contains(b, a))
    return isPart ? max(ends, 0.75) : ends
}

private func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= whole.count else { return false }
    return (0...(whole.count - part.count)).contains { whole[$0..<($0 + part.count)].elementsEqual(part) }
}

extension Collection<String> {
    /// " (did you mean A or B?)" after a sentence's subject, or nothing.
    var asSuggestion: String { isEmpty ? "" : "; did you mean \(joined(separator: " or "))?" }
}
