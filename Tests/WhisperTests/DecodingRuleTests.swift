import Foundation
import Testing
import Whisper

/// The rules of sampling, on logits made up for them.
@Suite struct DecodingRuleTests {
    /// 256 bytes, then `<|endoftext|>` 256, `<|startoftranscript|>` 257, `<|en|>` 258, `<|transcribe|>` 259,
    /// `<|nospeech|>` 260, `<|notimestamps|>` 261, timestamps 262 ..< 272.
    static func tokenizer() throws -> Tokenizer {
        var specials = [
            "<|endoftext|>": 256, "<|startoftranscript|>": 257, "<|en|>": 258, "<|transcribe|>": 259,
            "<|nospeech|>": 260, "<|notimestamps|>": 261,
        ]
        for i in 0..<10 { specials["<|0.\(i / 5)\(2 * i % 10)|>"] = 262 + i }
        return try Tokenizer(Vocabulary(tokens: (UInt8.min...UInt8.max).map { [$0] }, specialTokens: specials))
    }

    private func allowed(_ sampled: [Int], logits: [Float]? = nil, maxInitial: Int? = nil) throws -> Set<Int> {
        let rules = TimestampRules(try Self.tokenizer(), maxInitialIndex: maxInitial)
        // Text and the end outweigh the timestamps, unless a test says otherwise.
        var logits = logits ?? (0..<272).map { $0 == 65 || $0 == 256 ? 10 : 0 }
        rules.apply(&logits, sampled: sampled[...])
        return Set(logits.indices.filter { logits[$0] > -.infinity })
    }

    @Test func `A transcript begins with a timestamp, and not with a late one`() throws {
        #expect(try allowed([]) == Set(262..<272))
        #expect(try allowed([], maxInitial: 3) == Set(262...265))
        #expect(try allowed([], maxInitial: 1000) == Set(262..<272))
    }

    @Test func `After the first timestamp comes text or the end`() throws {
        #expect(try allowed([262]) == Set(0..<261))
    }

    @Test func `Text goes on, ends, or is closed by a later timestamp`() throws {
        #expect(try allowed([263, 65]) == Set(0..<261).union(264..<272))
    }

    @Test func `A closing timestamp is followed by its twin, a later one, or the end, and not by text`() throws {
        #expect(try allowed([263, 65, 266]) == Set(256..<261).union(266..<272))
    }

    @Test func `After a pair of timestamps comes text`() throws {
        #expect(try allowed([263, 65, 266, 266]) == Set(0..<261))
    }

    @Test func `Timestamps are taken where together they outweigh every word`() throws {
        var logits = [Float](repeating: -20, count: 272)
        logits[65] = 1
        for i in 264..<272 { logits[i] = 0 }
        // Eight times e⁰ is more than e¹, though no single timestamp is.
        #expect(try allowed([262, 66], logits: logits) == Set(263..<272))
        logits[65] = 3
        #expect(try allowed([262, 66], logits: logits).contains(65))
    }

    @Test func `A transcript may not begin blank, but may go on so`() throws {
        let filter = SuppressBlank(try Self.tokenizer())
        var logits = [Float](repeating: 0, count: 272)
        filter.apply(&logits, sampled: [262])
        #expect(!logits.contains(-.infinity))
        filter.apply(&logits, sampled: [])
        #expect(logits.indices.filter { logits[$0] == -.infinity } == [32, 256])
    }

    @Test func `Suppressing -1 suppresses what is not speech, and the start and task tokens`() throws {
        let tokenizer = try Self.tokenizer()
        var logits = [Float](repeating: 0, count: 272)
        SuppressTokens(tokenizer, [-1]).apply(&logits, sampled: [])
        let suppressed = Set(logits.indices.filter { logits[$0] == -.infinity })
        #expect(suppressed == Set(tokenizer.nonSpeechTokens + [257, 259, 260]))
        #expect(suppressed.contains(40) && !suppressed.contains(44))
    }

    @Test func `The length penalty decides between a short and a long transcript`() {
        let logprobs: [Float] = [-2, -3]
        #expect(MaximumLikelihoodRanker(lengthPenalty: nil).best(of: logprobs, lengths: [2, 10]) == 1)
        #expect(MaximumLikelihoodRanker(lengthPenalty: 0).best(of: logprobs, lengths: [2, 10]) == 0)
        #expect(MaximumLikelihoodRanker(lengthPenalty: 1).best(of: logprobs, lengths: [2, 10]) == 1)
        #expect(MaximumLikelihoodRanker(lengthPenalty: nil).best(of: [-1, -1], lengths: [1, 1]) == 0)
        #expect(MaximumLikelihoodRanker(lengthPenalty: nil).best(of: [-1, -1], lengths: [0, 5]) == 1)
    }

    @Test func `Draws follow the distribution and its temperature, and the seed decides them`() throws {
        let logits: [Float] = [0, Float(log(3.0)), -.infinity]
        func shares(_ temperature: Double, seed: UInt64) -> [Int] {
            var generator = SampleGenerator(seed: seed)
            return (0..<4000).reduce(into: [0, 0, 0]) { counts, _ in
                counts[generator.draw(from: logits, temperature: temperature)] += 1
            }
        }
        let plain = shares(1, seed: 1)
        #expect(abs(plain[1] - 3000) < 150 && plain[2] == 0)
        // At temperature 1/2 the odds of 3 become 9.
        #expect(abs(shares(0.5, seed: 1)[1] - 3600) < 150)
        #expect(shares(1, seed: 1) == plain)
        #expect(shares(1, seed: 2) != plain)
    }
}
