/// Keeps the likeliest sequences side by side, and those that have ended apart, as openai/whisper's decoder of
/// that name.
package struct BeamSearchDecoder: TokenDecoder {
    package let sequences: Int
    private let endOfText: Int
    /// So many ended sequences are enough.
    private let wanted: Int
    private var finished: [Candidate] = []

    package init(beamSize: Int, patience: Double?, endOfText: Int) {
        self.sequences = beamSize
        self.endOfText = endOfText
        self.wanted = max(1, Int((Double(beamSize) * (patience ?? 1)).rounded(.toNearestOrEven)))
    }

    package mutating func update(
        _ group: inout [Candidate], logits: [[Float]]
    ) throws -> (sources: [Int], isComplete: Bool) {
        var next: [(candidate: Candidate, source: Int)] = []
        var ended: [Candidate] = []
        for (candidate, source) in try continuations(of: group, logits: logits) {
            if candidate.tokens.last == endOfText {
                ended.append(candidate)
            } else {
                next.append((candidate, source))
                if next.count == sequences { break }
            }
        }
        group = next.map(\.candidate)
        for candidate in ended where finished.count < wanted { add(candidate) }
        return (next.map(\.source), finished.count >= wanted)
    }

    /// Each sequence with each of its likeliest next tokens, the likeliest sequence first.
    ///
    /// One token more than there are beams, because one of them may end the sequence. While beams are
    /// alike, as all are at the start, what they go on with counts once.
    private func continuations(
        of group: [Candidate], logits: [[Float]]
    ) throws -> [(candidate: Candidate, source: Int)] {
        var all: [(candidate: Candidate, source: Int)] = []
        var places: [[Int]: Int] = [:]
        for (source, sequence) in group.enumerated() {
            let normaliser = try logits[source].logNormaliser()
            for token in logits[source].indicesOfLargest(sequences + 1) {
                let candidate = Candidate(
                    tokens: sequence.tokens + [token],
                    sumLogprob: sequence.sumLogprob + (logits[source][token] - normaliser))
                if let place = places[candidate.tokens] {
                    all[place] = (candidate, source)
                } else {
                    places[candidate.tokens] = all.count
                    all.append((candidate, source))
                }
            }
        }
        // Swift's sort is stable, so equals stay in the order in which they were found.
        return all.sorted { $0.candidate.sumLogprob > $1.candidate.sumLogprob }
    }

    /// The ended sequences; where they are fewer than the beams, the likeliest unfinished ones are ended and added.
    package func finalize(_ group: [Candidate]) -> [Candidate] {
        var result = self
        let byLogprob = group.indices.sorted {
            group[$0].sumLogprob == group[$1].sumLogprob ? $0 > $1 : group[$0].sumLogprob > group[$1].sumLogprob
        }
        for index in byLogprob where result.finished.count < sequences {
            result.add(Candidate(tokens: group[index].tokens + [endOfText], sumLogprob: group[index].sumLogprob))
        }
        return result.finished
    }

    /// A sequence that ended before counts once, with its latest log-probability.
    private mutating func add(_ candidate: Candidate) {
        if let place = finished.firstIndex(where: { $0.tokens == candidate.tokens }) {
            finished[place] = candidate
        } else {
            finished.append(candidate)
        }
    }
}
