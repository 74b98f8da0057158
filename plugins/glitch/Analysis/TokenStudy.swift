import Foundation
import PluginDraws
import PluginKit
import PluginVocabulary

/// Under-trained tokens, after Land and Bartolo 2024 (*Fishing for Magikarp*, arXiv 2405.05417): those whose rows of the token embedding are
/// like the rows of tokens that no text has, or short; each verified by having the decoder repeat it.
struct TokenStudy {
    /// Why a token was looked at.
    enum Group: String, CaseIterable {
        /// Known to be in no text.
        case unused
        /// Among those most like the unused.
        case alike = "like unused"
        /// Among the shortest.
        case short
        /// Drawn at random, for comparison.
        case control
    }

    struct Finding {
        let token: Int
        let group: Group
        /// Of its row, as it is.
        let norm: Double
        /// Tokens of text with a shorter row, as a share.
        let percentile: Double
        /// With the mean row of the unused, the mean row of text taken from both; of an unused token, with the mean of the others.
        let cosine: Double
        /// The probability that it comes once more after it came `repeats` times, and its rank then.
        var probability = Double.nan
        var rank = 0
        /// The share of controls that are repeated as rarely: (1 + their number) / (1 + controls).
        var pValue = Double.nan
    }

    struct Settings {
        var candidates = 50
        var controls = 200
        var repeats = 8
        /// Probabilities below it verify.
        var limit = 0.01
    }

    let settings: Settings
    /// Tokens, beside those that are known to be unused, whose cosine is at least 0.99: hardly anything was learned of them.
    let untrained: Int
    private(set) var findings: [Finding]

    /// - Parameters:
    ///   - embedding: of all tokens.
    ///   - count: tokens of text, which come first.
    ///   - unused: at least one, all of them below `count`.
    init(_ embedding: TokenEmbedding, count: Int, unused: [Int], _ settings: Settings, seed: UInt64) {
        self.settings = settings
        let norms = embedding.norms, sorted = norms.prefix(count).sorted()
        var centred = embedding
        centred.subtract(embedding.mean(of: 0..<count))
        let lengths = centred.norms
        let cosines = centred.cosines(with: centred.mean(of: unused), norms: lengths)
        let known = Set(unused)
        func finding(_ token: Int, _ group: Group, _ cosine: Double) -> Finding {
            let shorter = sorted.partitioningIndex { $0 >= norms[token] }
            return Finding(
                token: token, group: group, norm: norms[token], percentile: Double(shorter) / Double(count),
                cosine: cosine)
        }
        // An unused token is a part of the mean, so it is compared with that of the others.
        findings = unused.map { token in
            let others = unused.filter { $0 != token }
            let cosine =
                others.isEmpty ? .nan : centred.cosines(with: centred.mean(of: others), norms: lengths)[token]
            return finding(token, .unused, cosine)
        }
        let rest = (0..<count).filter { !known.contains($0) }
        untrained = rest.count { cosines[$0] >= 0.99 }
        let alike = rest.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }.prefix(settings.candidates)
        findings += alike.map { finding($0, .alike, cosines[$0]) }
        var taken = known.union(alike)
        let short = rest.sorted { (norms[$0], $0) < (norms[$1], $1) }.prefix(settings.candidates)
            .filter { !taken.contains($0) }
        findings += short.map { finding($0, .short, cosines[$0]) }
        taken.formUnion(short)
        let keys = rest.filter { !taken.contains($0) }
            .map { (key: Hashing.key(seed: seed, recording: 0, frame: UInt64($0)), token: $0) }
            .sorted { $0.key < $1.key }
        findings += keys.prefix(settings.controls).map { finding($0.token, .control, cosines[$0.token]) }
    }

    /// Has the decoder, which hears nothing, repeat each token.
    /// - Parameters:
    ///   - prompt: what it reads before.
    ///   - logits: what comes after the last token of each sequence, `[sequences, vocabulary]`; sequences are of one length.
    mutating func verify(prompt: [Int32], vocabulary: Int, _ logits: ([[Int32]]) throws -> [Float]) throws {
        let batch = 64
        for start in stride(from: 0, to: findings.count, by: batch) {
            let places = start..<min(start + batch, findings.count)
            let answers = try logits(
                places.map {
                    prompt + Array(repeating: Int32(findings[$0].token), count: settings.repeats)
                })
            guard answers.count == places.count * vocabulary else {
                throw PluginError(
                    .failed, "\(answers.count) logits came for \(places.count) sequences of \(vocabulary) tokens")
            }
            for (row, place) in places.enumerated() {
                let own = answers[row * vocabulary..<(row + 1) * vocabulary],
                    token = own.startIndex + findings[place].token
                let peak = Double(own.max() ?? 0)
                let sum = own.reduce(0.0) { $0 + exp(Double($1) - peak) }
                findings[place].probability = exp(Double(own[token]) - peak) / sum
                findings[place].rank = own.count { $0 > own[token] } + 1
            }
        }
        let controls = findings.filter { $0.group == .control }.map(\.probability).sorted()
        for place in findings.indices where findings[place].group != .control {
            let probability = findings[place].probability
            let rarer = controls.partitioningIndex { $0 > probability }
            findings[place].pValue = Double(1 + rarer) / Double(1 + controls.count)
        }
    }

    func isVerified(_ finding: Finding) -> Bool { finding.probability < settings.limit }

    /// What is said of a group: its size, means, the median probability, and the share that is verified.
    func summary(_ group: Group) -> (count: Int, norm: Double, cosine: Double, probability: Double, verified: Double)? {
        let own = findings.filter { $0.group == group }
        guard !own.isEmpty else { return nil }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        let sorted = own.map(\.probability).sorted()
        return (
            own.count, mean(own.map(\.norm)), mean(own.map(\.cosine)),
            (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2,
            Double(own.count(where: isVerified)) / Double(own.count)
        )
    }
}

extension RandomAccessCollection {
    /// The first index whose element meets what all behind it meet; the end where none does.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[index(startIndex, offsetBy: middle)]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
