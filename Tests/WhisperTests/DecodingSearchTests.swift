import Foundation
import Kernels
import Testing
import Whisper

/// Beam search on logits made up for it: tokens 0 … 4, of which 4 ends the text.
@Suite struct DecodingSearchTests {
    private let end = 4

    private func logits(_ probabilities: [Float]) -> [Float] { probabilities.map { $0 > 0 ? logf($0) : -.infinity } }

    @Test func `Beams that are alike count once`() throws {
        var decoder = BeamSearchDecoder(beamSize: 2, patience: nil, endOfText: end)
        var group = Array(repeating: Candidate(tokens: [9], sumLogprob: 0), count: 2)
        let row = logits([0.5, 0.3, 0.1, 0.06, 0.04])
        let (sources, isComplete) = try decoder.update(&group, logits: [row, row])
        #expect(group.map(\.tokens) == [[9, 0], [9, 1]])
        #expect(!isComplete && sources.count == 2)
        #expect(abs(group[0].sumLogprob - logf(0.5)) < 1e-6)
    }

    @Test func `The likeliest continuations survive, wherever they come from`() throws {
        var decoder = BeamSearchDecoder(beamSize: 2, patience: nil, endOfText: end)
        var group = [
            Candidate(tokens: [0], sumLogprob: logf(0.6)), Candidate(tokens: [1], sumLogprob: logf(0.4)),
        ]
        let (sources, _) = try decoder.update(
            &group, logits: [logits([0.3, 0.3, 0.2, 0.1, 0.1]), logits([0.05, 0.8, 0.05, 0.05, 0.05])])
        #expect(group.map(\.tokens) == [[1, 1], [0, 0]])
        #expect(sources == [1, 0])
    }

    @Test(arguments: [(nil, 2), (1.0, 2), (2.0, 4), (0.5, 1)] as [(Double?, Int)])
    func `The search ends when beam size × patience sequences have ended`(patience: Double?, wanted: Int) throws {
        var decoder = BeamSearchDecoder(beamSize: 2, patience: patience, endOfText: end)
        var group = Array(repeating: Candidate(tokens: [9], sumLogprob: 0), count: 2)
        var steps = 0
        var ended = 0
        while true {
            let row = logits([0.2, 0.15, 0.1, 0.05, 0.5])
            let before = group
            let (_, isComplete) = try decoder.update(&group, logits: [row, row])
            steps += 1
            // The first step's two beams are alike and end once, the later ones' each by itself.
            ended += Set(before.map(\.tokens)).count
            #expect(isComplete == (ended >= wanted))
            if isComplete || steps > 9 { break }
        }
        let finals = decoder.finalize(group)
        #expect(finals.count == max(wanted, 2))
        #expect(finals.allSatisfy { $0.tokens.last == end })
    }

    @Test func `Where too few have ended, the likeliest others are ended`() throws {
        var decoder = BeamSearchDecoder(beamSize: 2, patience: nil, endOfText: end)
        var group = Array(repeating: Candidate(tokens: [9], sumLogprob: 0), count: 2)
        let row = logits([0.4, 0.3, 0.2, 0.1, 0])
        _ = try decoder.update(&group, logits: [row, row])
        #expect(decoder.finalize(group).map(\.tokens) == [[9, 0, end], [9, 1, end]])
    }

    @Test func `Greedy decoding takes the likeliest token, and what has ended stays so`() throws {
        var decoder = GreedyDecoder(sequences: 2, temperature: 0, endOfText: end, generator: SampleGenerator(seed: 0))
        var group = [Candidate(tokens: [9], sumLogprob: 0), Candidate(tokens: [9, end], sumLogprob: -1)]
        let row = logits([0.1, 0.7, 0.1, 0.05, 0.05])
        let (_, isComplete) = try decoder.update(&group, logits: [row, row])
        #expect(group.map(\.tokens) == [[9, 1], [9, end, end]])
        #expect(group[1].sumLogprob == -1 && !isComplete)
    }

    @Test func `Logits that are no numbers, and a vocabulary wholly suppressed, are refused`() throws {
        var decoder = GreedyDecoder(sequences: 1, temperature: 0, endOfText: end, generator: SampleGenerator(seed: 0))
        for row: [Float] in [[.nan, .nan], [0, .infinity], [-.infinity, -.infinity]] {
            var group = [Candidate(tokens: [9], sumLogprob: 0)]
            #expect(throws: WhisperError.self) { try decoder.update(&group, logits: [row]) }
        }
    }
}
