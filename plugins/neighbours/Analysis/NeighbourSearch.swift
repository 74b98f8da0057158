import Foundation
import PluginVocabulary

/// The nearest tokens of the embedding, and how each of them sounds beside what was asked.
struct NeighbourSearch {
    /// How a neighbour is like a word.
    enum Kind: String {
        /// The same word, with other capitals or without the space before it.
        case form
        case acoustic
        /// Near in the embedding though it sounds otherwise: by exclusion.
        case semantic
        /// It has no pronunciation: a part of a word, a number, a name, or there is no dictionary.
        case unknown
    }

    struct Neighbour {
        let token: Int
        let cosine: Double
        let kind: Kind
        /// In phonemes, 0 to 1; nil where it is not known.
        let distance: Double?
    }

    struct Answer {
        let token: Int
        let neighbours: [Neighbour]
        /// Of all tokens with a pronunciation that are other words: how many, how many of them sound alike, and their mean distance.
        let compared: Int
        let alike: Int
        let meanDistance: Double
    }

    let embedding: TokenEmbedding
    let tokens: TextTokens
    let pronunciations: Pronunciations?
    /// A distance up to which two words sound alike.
    let acoustic: Double
    private let norms: [Double]
    /// By token: its letters, and the ways to say them.
    private let words: [String]
    private let ways: [[[String]]]

    init(_ embedding: TokenEmbedding, _ tokens: TextTokens, _ pronunciations: Pronunciations?, acoustic: Double) {
        (self.embedding, self.tokens, self.acoustic) = (embedding, tokens, acoustic)
        self.pronunciations = pronunciations
        norms = embedding.norms
        let words = tokens.texts.map(Self.word)
        self.words = words
        ways = words.map { pronunciations?.ways(to: $0) ?? [] }
    }

    /// A token's word: in small letters, without the spaces at its beginning.
    static func word(_ text: String) -> String { String(text.drop { $0 == " " }).lowercased() }

    func ways(to token: Int) -> [[String]] { ways[token] }

    /// - Parameter token: one of `tokens`.
    func nearest(to token: Int, count: Int) -> Answer {
        let cosines = embedding.cosines(with: embedding.row(token), norms: norms)
        let others = (0..<min(tokens.count, embedding.count)).filter { $0 != token }
        // By cosine, and of equals by id.
        let order = others.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }.prefix(count)
        var distances = [Double?](repeating: nil, count: tokens.count)
        var (compared, alike, sum) = (0, 0, 0.0)
        for other in others {
            guard let distance = Pronunciations.distance(ways[token], ways[other]) else { continue }
            distances[other] = distance
            guard words[other] != words[token] else { continue }
            compared += 1
            sum += distance
            if distance <= acoustic { alike += 1 }
        }
        let neighbours = order.map { other in
            Neighbour(
                token: other, cosine: cosines[other], kind: kind(token, other, distances[other]),
                distance: distances[other])
        }
        return Answer(
            token: token, neighbours: neighbours, compared: compared, alike: alike,
            meanDistance: compared > 0 ? sum / Double(compared) : .nan)
    }

    private func kind(_ token: Int, _ other: Int, _ distance: Double?) -> Kind {
        if words[token] == words[other] { return .form }
        guard let distance else { return .unknown }
        return distance <= acoustic ? .acoustic : .semantic
    }
}

extension NeighbourSearch.Answer {
    func count(_ kind: NeighbourSearch.Kind) -> Int { neighbours.count { $0.kind == kind } }

    /// The share of all other words that sound alike: what neighbours drawn by chance would have.
    var chance: Double { compared > 0 ? Double(alike) / Double(compared) : .nan }

    /// The share of the neighbours whose sound is known and that are other words.
    var share: Double {
        let known = count(.acoustic) + count(.semantic)
        return known > 0 ? Double(count(.acoustic)) / Double(known) : .nan
    }

    /// The probability that as many of the neighbours, or more, sound alike by chance: the upper tail of a binomial distribution.
    var pValue: Double {
        let (found, known) = (count(.acoustic), count(.acoustic) + count(.semantic))
        guard known > 0, compared > 0 else { return .nan }
        return Self.upperTail(found, of: known, chance)
    }

    /// P(X ≥ found) for X of `trials` with probability `chance` each.
    static func upperTail(_ found: Int, of trials: Int, _ chance: Double) -> Double {
        guard found > 0 else { return 1 }
        guard chance > 0 else { return 0 }
        guard chance < 1 else { return 1 }
        func logFactorial(_ number: Int) -> Double { lgamma(Double(number) + 1) }
        let sum = (found...max(found, trials)).reduce(0.0) { sum, count in
            guard count <= trials else { return sum }
            let ways = logFactorial(trials) - logFactorial(count) - logFactorial(trials - count)
            return sum + exp(ways + Double(count) * log(chance) + Double(trials - count) * log(1 - chance))
        }
        return min(1, sum)
    }
}
