import Foundation

/// How the next tokens are chosen, given the logits after each sequence.
package protocol TokenDecoder {
    /// How many sequences grow side by side.
    var sequences: Int { get }
    /// Appends a token to every sequence.
    /// - Parameters:
    ///   - group: the sequences, prompt and all, and the summed log-probability of what was sampled in each.
    ///   - logits: after each sequence, filtered.
    /// - Returns: which sequence each one goes on from, and whether there is nothing more to look for.
    mutating func update(_ group: inout [Candidate], logits: [[Float]]) throws -> (sources: [Int], isComplete: Bool)
    /// The sequences to rank, each with `<|endoftext|>` behind what was sampled.
    func finalize(_ group: [Candidate]) -> [Candidate]
}

/// A sequence of tokens and how likely it is.
package struct Candidate: Equatable {
    package var tokens: [Int]
    package var sumLogprob: Float
    package init(tokens: [Int], sumLogprob: Float) {
        self.tokens = tokens
        self.sumLogprob = sumLogprob
    }
}

/// Takes the likeliest token, or draws one where the temperature is above 0; every sequence goes its own way.
package struct GreedyDecoder: TokenDecoder {
    package let sequences: Int
    private let temperature: Double
    private let endOfText: Int
    private var generator: SampleGenerator

    package init(sequences: Int, temperature: Double, endOfText: Int, generator: SampleGenerator) {
        self.sequences = sequences
        self.temperature = temperature
        self.endOfText = endOfText
        self.generator = generator
    }

    package mutating func update(
        _ group: inout [Candidate], logits: [[Float]]
    ) throws -> (sources: [Int], isComplete: Bool) {
        for i in group.indices {
            if group[i].tokens.last == endOfText {
                group[i].tokens.append(endOfText)
                continue
            }
            let normaliser = try logits[i].logNormaliser()
            let token =
                temperature == 0
                ? logits[i].indexOfLargest() : generator.draw(from: logits[i], temperature: temperature)
            group[i].sumLogprob += logits[i][token] - normaliser
            group[i].tokens.append(token)
        }
        return (Array(group.indices), group.allSatisfy { $0.tokens.last == endOfText })
    }

    package func finalize(_ group: [Candidate]) -> [Candidate] {
        group.map { Candidate(tokens: $0.tokens + [endOfText], sumLogprob: $0.sumLogprob) }
    }
}

/// Which of the finished sequences is the transcript: the likeliest for its length.
package struct MaximumLikelihoodRanker {
    /// Google NMT's exponent (arXiv 1609.08144, section 7), or nil for the plain average.
    private let lengthPenalty: Double?

    package init(lengthPenalty: Double?) { self.lengthPenalty = lengthPenalty }

    /// The index of the best; of equals the first.
    /// - Parameter lengths: tokens sampled in each, without the end.
    package func best(of sumLogprobs: [Float], lengths: [Int]) -> Int {
        let scores = zip(sumLogprobs, lengths).map { logprob, length in
            let penalty = lengthPenalty.map { pow((5 + Double(length)) / 6, $0) } ?? Double(length)
            return Double(logprob) / penalty
        }
        return scores.indices.dropFirst().reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
    }
}
