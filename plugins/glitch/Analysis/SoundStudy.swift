import PluginDraws

/// Which sounds go with broken words: of words with a phoneme, how many more are broken than of other words, and how often that much is chance.
///
/// A long word has more phonemes and more ways to break, and a speaker who is hard to understand has sounds of his own. So words are compared
/// within strata, of one speaker and about one length, and the null deals the broken ones out anew within each (a permutation test).
struct SoundStudy {
    /// A word that was said.
    struct Word: Codable, Equatable {
        var recording: UInt64
        /// Of the recording: the word's place.
        var place: Int
        var speaker: String
        /// In their order, without stress; no phoneme twice.
        var phonemes: [String]
        /// Phonemes, each as often as it is said.
        var length: Int
        /// Not in the transcript at its place.
        var isBroken: Bool

        var isSound: Bool {
            place >= 0 && length >= phonemes.count && Set(phonemes).count == phonemes.count && !phonemes.isEmpty
                && phonemes.count <= 1000
        }
    }

    struct Finding {
        let phoneme: String
        /// Words that have it, and how many of them are broken.
        let words: Int
        let broken: Int
        /// The share of broken words among those that have it not.
        let without: Double
        /// Broken words among those that have it, beyond what their strata have in the mean; as a share of them.
        let excess: Double
        /// Standard deviations of the null.
        let score: Double
        /// One-sided: the null is as large or larger.
        let pValue: Double
        /// The same for the largest score of all phonemes: what is left after so many were tried.
        let pValueOfAll: Double
    }

    let words: [Word]
    let findings: [Finding]

    /// - Parameters:
    ///   - least: words that a phoneme must have.
    ///   - progress: is told how many permutations are done.
    init(
        _ words: [Word], least: Int, permutations: Int, seed: UInt64, progress: (Int) throws -> Void = { _ in }
    ) rethrows {
        // Whichever way the words came together, they are drawn for in one order.
        let words = words.sorted { ($0.recording, $0.place) < ($1.recording, $1.place) }
        self.words = words
        let names = Set(words.flatMap(\.phonemes)).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let phonemes = words.map { word in word.phonemes.compactMap { numbers[$0] } }
        let strata = Dictionary(grouping: words.indices) { Stratum(words[$0]) }.sorted { $0.key < $1.key }.map(\.value)
        // What is expected of each word: its stratum's share.
        var expected = [Double](repeating: 0, count: words.count)
        for stratum in strata {
            let share = Double(stratum.count { words[$0].isBroken }) / Double(stratum.count)
            for place in stratum { expected[place] = share }
        }
        func excesses(_ broken: [Bool]) -> [Double] {
            var sums = [Double](repeating: 0, count: names.count)
            for place in words.indices {
                let excess = (broken[place] ? 1 : 0) - expected[place]
                for phoneme in phonemes[place] { sums[phoneme] += excess }
            }
            return sums
        }
        var counts = [Int](repeating: 0, count: names.count), broken = counts
        for place in words.indices {
            for phoneme in phonemes[place] {
                counts[phoneme] += 1
                if words[place].isBroken { broken[phoneme] += 1 }
            }
        }
        let flags = words.map(\.isBroken), observed = excesses(flags)
        var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "broken words", ""))
        var null: [[Double]] = []
        var dealt = flags
        for permutation in 0..<permutations {
            try progress(permutation)
            for stratum in strata {
                for place in stride(from: stratum.count - 1, to: 0, by: -1) {
                    dealt.swapAt(stratum[place], stratum[draws.next(below: place + 1)])
                }
            }
            null.append(excesses(dealt))
        }
        let tried = names.indices.filter { counts[$0] >= least }
        var deviations = [Double](repeating: 0, count: names.count)
        for phoneme in tried where permutations > 0 {
            let squares = null.reduce(0.0) { $0 + $1[phoneme] * $1[phoneme] }
            deviations[phoneme] = (squares / Double(permutations)).squareRoot()
        }
        func score(_ sums: [Double], _ phoneme: Int) -> Double {
            deviations[phoneme] > 0 ? sums[phoneme] / deviations[phoneme] : 0
        }
        let largest = null.map { sums in tried.map { score(sums, $0) }.max() ?? 0 }
        let all = flags.count { $0 }
        findings = tried.map { phoneme in
            // The same sum in another order may differ in its last bit.
            let own = observed[phoneme] - 1e-9, ownScore = score(observed, phoneme)
            let others = words.count - counts[phoneme]
            return Finding(
                phoneme: names[phoneme], words: counts[phoneme], broken: broken[phoneme],
                without: others > 0 ? Double(all - broken[phoneme]) / Double(others) : .nan,
                excess: observed[phoneme] / Double(counts[phoneme]), score: ownScore,
                pValue: Double(1 + null.count { $0[phoneme] >= own }) / Double(1 + permutations),
                pValueOfAll: Double(1 + largest.count { $0 >= ownScore - 1e-9 }) / Double(1 + permutations))
        }
        .sorted { (-$0.score, $0.phoneme) < (-$1.score, $1.phoneme) }
    }

    /// Words that are compared with one another.
    private struct Stratum: Hashable, Comparable {
        let speaker: String
        /// 1 or 2 phonemes, 3 or 4, 5 or 6, and more.
        let length: Int

        init(_ word: Word) { (speaker, length) = (word.speaker, min((word.length - 1) / 2, 3)) }

        static func < (one: Stratum, other: Stratum) -> Bool {
            (one.speaker, one.length) < (other.speaker, other.length)
        }
    }
}
