import Glibc
import PluginKit

/// What is known of one head after some recordings: sums over the rows (queries) of its patterns.
///
/// A row q is a distribution p over keys k. Its statistics are, with c the key that lies where the query lies:
/// - distance Σ p·|k − c|, and its histogram: p by the bin of |k − c|
/// - entropy −Σ p·ln p (nats), and the same over ln(keys that the query may attend to)
/// - diagonality −Σ p·|x_q − x_k|, x the relative position among the valid queries and keys (Yang et al. 2020, arXiv
///   2006.03265, where both are the same frames); 0 is the diagonal itself
/// - within k: Σ p over |k − c| ≤ k
/// - sink: p on the first `sink-width` keys after the last one that overlaps audio; of tokens, p on the first token
/// - padding: p on all keys after the audio
/// - offsets: p at k − round(c), from −100 to 100
///
/// c is q in self-attention. In cross-attention it is the middle of the word that the row is about to write, where the
/// data set says when that is heard; rows without have no distance, histogram, within or offset.
struct HeadSums: Codable, Equatable {
    /// Rows, and those among them that have: a place c; more than one key; a sink.
    private(set) var rows = 0, placed = 0, wide = 0, sinkable = 0
    private(set) var sums: Sums

    init(_ layout: HeadLayout) { sums = Sums(count: layout.count) }

    mutating func add(_ row: RowSums) -> Bool {
        var sums = sums
        return sums.add(row.sums) && add([row.rows, row.placed, row.wide, row.sinkable], sums)
    }

    mutating func add(_ other: HeadSums) -> Bool {
        var sums = sums
        return sums.add(other.sums) && add([other.rows, other.placed, other.wide, other.sinkable], sums)
    }

    /// - Returns: false where a count has no room; then nothing was added.
    private mutating func add(_ counts: [Int], _ sums: Sums) -> Bool {
        let all = zip([rows, placed, wide, sinkable], counts).map { $0.addingReportingOverflow($1) }
        guard all.allSatisfy({ !$0.overflow && $0.partialValue >= 0 }) else { return false }
        (rows, placed, wide, sinkable) = (
            all[0].partialValue, all[1].partialValue, all[2].partialValue, all[3].partialValue
        )
        self.sums = sums
        return true
    }
}

/// Where in the sums a statistic lies.
struct HeadLayout: Equatable {
    let within: [Int]

    static let distance = 0, entropy = 1, normalisedEntropy = 2, diagonality = 3, sink = 4, padding = 5
    /// One more for local-width, which decides the class.
    var withinStart: Int { 6 }
    var local: Int { withinStart + within.count }
    var binStart: Int { local + 1 }
    var offsetStart: Int { binStart + Settings.bins.count }
    var count: Int { offsetStart + 2 * Settings.maxOffset + 1 }
}

/// The sums over the rows of one pattern, in order, as doubles.
struct RowSums {
    private(set) var rows = 0, placed = 0, wide = 0, sinkable = 0
    private(set) var sums: [Double]
    private let layout: HeadLayout
    private let localWidth, sinkWidth: Int

    init(_ layout: HeadLayout, _ settings: Settings) {
        self.layout = layout
        localWidth = settings.localWidth
        sinkWidth = settings.sinkWidth
        sums = Array(repeating: 0, count: layout.count)
    }

    /// A row of a pattern.
    /// - Parameters:
    ///   - place: c, in keys; nil where it is not known.
    ///   - relative: x_q, from 0 to 1.
    ///   - keys: that the query may attend to, from 0.
    ///   - validKeys: keys that overlap audio; nil where keys are tokens.
    mutating func add(
        _ row: UnsafeBufferPointer<Float>, place: Double?, relative: Double, keys: Int, validKeys: Int?
    ) {
        rows += 1
        let perKey = 1 / Double(max(1, validKeys ?? keys))
        var entropy = 0.0, diagonality = 0.0
        for k in row.indices where row[k] != 0 {
            let p = Double(row[k])
            // A NaN is no attention, and must not vanish: it makes the sum one that is refused.
            entropy -= p > 0 ? p * log(p) : (p.isNaN ? p : 0)
            diagonality -= p * abs(relative - (Double(k) + 0.5) * perKey)
        }
        sums[HeadLayout.entropy] += entropy
        sums[HeadLayout.diagonality] += diagonality
        if keys > 1 {
            wide += 1
            sums[HeadLayout.normalisedEntropy] += entropy / log(Double(keys))
        }
        addSink(row, validKeys)
        if let place, place.isFinite, abs(place) < 1e9 { add(row, at: place) }
    }

    private mutating func addSink(_ row: UnsafeBufferPointer<Float>, _ validKeys: Int?) {
        guard let validKeys else {
            // The first token has no one else to look at: the sink is told by the rows after it.
            guard rows > 1, let first = row.first else { return }
            sinkable += 1
            return sums[HeadLayout.sink] += Double(first)
        }
        let padding = row.dropFirst(validKeys)
        guard !padding.isEmpty else { return }
        sinkable += 1
        sums[HeadLayout.sink] += sum(padding.prefix(sinkWidth))
        sums[HeadLayout.padding] += sum(padding)
    }

    private mutating func add(_ row: UnsafeBufferPointer<Float>, at place: Double) {
        placed += 1
        let centre = Int(place.rounded())
        var distance = 0.0
        for k in row.indices where row[k] != 0 {
            let p = Double(row[k]), far = abs(Double(k) - place)
            distance += p * far
            // The bins' lower bounds are 0, 1, 2, 4, …: the bin's number is the number of bits.
            let bits = Int.bitWidth - Int(far).leadingZeroBitCount
            sums[layout.binStart + min(bits, Settings.bins.count - 1)] += p
        }
        sums[HeadLayout.distance] += distance
        for (index, width) in (layout.within + [localWidth]).enumerated() {
            let near = keys(
                of: row, from: (place - Double(width)).rounded(.up), to: (place + Double(width)).rounded(.down))
            sums[layout.withinStart + index] += sum(row[near])
        }
        let seen = keys(
            of: row, from: Double(centre - Settings.maxOffset), to: Double(centre + Settings.maxOffset))
        for k in seen { sums[layout.offsetStart + k - centre + Settings.maxOffset] += Double(row[k]) }
    }

    private func keys(of row: UnsafeBufferPointer<Float>, from: Double, to: Double) -> Range<Int> {
        let first = max(0, Int(from))
        return first..<max(first, min(row.count, Int(to) + 1))
    }

    private func sum(_ part: Slice<UnsafeBufferPointer<Float>>) -> Double { part.reduce(0) { $0 + Double($1) } }
}
