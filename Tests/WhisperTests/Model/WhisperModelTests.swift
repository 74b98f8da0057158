import Kernels
import TestSupport
import Testing
import Whisper

@Suite struct WhisperModelTests {
    let model: WhisperModel
    let audio: Tensor

    init() throws {
        model = try SyntheticModel.make()
        audio = try model.encode(SyntheticModel.mel())
    }

    @Test("reading tokens one by one gives the logits of reading them at once", arguments: [[1, 5], [2, 2, 2], [6]])
    func keyValueCache(steps: [Int]) throws {
        let tokens = (0..<steps.reduce(0, +)).map { ($0 * 7 + 3) % 61 }
        let whole = try model.decode([tokens], cache: model.decoderCache(audio: audio))
        let cache = model.decoderCache(audio: audio)
        var stepwise: [Float] = []
        for step in steps {
            let next = Array(tokens[cache.length..<cache.length + step])
            stepwise += try model.decode([next], cache: cache).elements
        }
        #expect(cache.length == tokens.count)
        #expect(largestDifference(stepwise, whole.elements) < 1e-4)
    }

    @Test("only the last logits are those of the last token")
    func lastOnly() throws {
        let tokens = [4, 9, 16, 25]
        let whole = try model.decode([tokens], cache: model.decoderCache(audio: audio))
        let last = try model.decode([tokens], cache: model.decoderCache(audio: audio), lastOnly: true)
        #expect(last.shape == [1, 1, 61])
        #expect(largestDifference(last.elements, whole.elements.suffix(61)) < 1e-5)
    }

    @Test("sequences side by side are the sequences alone, also after they change places")
    func sequences() throws {
        func alone(_ tokens: [Int]) throws -> [Float] {
            Array(try model.decode([tokens], cache: model.decoderCache(audio: audio), lastOnly: true).elements)
        }
        let cache = model.decoderCache(audio: audio, sequences: 3)
        let first = try model.decode([[1, 2], [3, 4], [5, 6]], cache: cache)
        #expect(first.shape == [3, 2, 61])
        #expect(largestDifference(first.elements[61..<122], try alone([1, 2])) < 1e-4)
        cache.rearrange([2, 0, 2, 1])
        #expect(cache.sequences == 4)
        let second = try model.decode([[7], [8], [9], [10]], cache: cache, lastOnly: true)
        for (index, tokens) in [[5, 6, 7], [1, 2, 8], [5, 6, 9], [3, 4, 10]].enumerated() {
            #expect(largestDifference(second.elements[index * 61..<(index + 1) * 61], try alone(tokens)) < 1e-4)
        }
    }

    @Test("a mel of another shape is refused with both shapes")
    func wrongMel() throws {
        let error = #expect(throws: WhisperError.self) { try model.encode(Tensor(shape: [80, 3000])) }
        #expect(error?.message.contains("[8, 300]") == true && error?.message.contains("[80, 3000]") == true)
    }

    @Test("a shorter mel is a shorter context, which must be of whole frames and at least one")
    func shorterContext() throws {
        let whole = SyntheticModel.mel()
        var short = Tensor(shape: [8, 60])
        for band in 0..<8 { for frame in 0..<60 { short[band, frame] = whole[band, frame] } }
        let audio = try model.encode(short)
        #expect(audio.shape == [30, SyntheticModel.dimensions.nAudioState])
        #expect(audio.elements.allSatisfy { $0.isFinite })
        let logits = try model.decode([[1, 2]], cache: model.decoderCache(audio: audio))
        #expect(logits.shape == [1, 2, 61])
        for frames in [0, 1, 59, 302] {
            #expect(throws: WhisperError.self) { try model.encode(Tensor(shape: [8, frames])) }
        }
    }

    @Test("tokens that the decoder cannot read are refused, and the cache stays usable")
    func wrongTokens() throws {
        let cache = model.decoderCache(audio: audio)
        for tokens in [[[61]], [[-1]], [[]], [[1], [2]], [], [Array(repeating: 1, count: 41)]] {
            #expect(throws: WhisperError.self) { try model.decode(tokens, cache: cache) }
        }
        #expect(cache.length == 0)
        _ = try model.decode([Array(repeating: 1, count: 40)], cache: cache)
        #expect(throws: WhisperError.self) { try model.decode([[1]], cache: cache) }
    }

    @Test("heads that do not divide the state are refused", arguments: [0, 5, 7])
    func wrongHeads(heads: Int) throws {
        var dimensions = SyntheticModel.dimensions
        dimensions.nAudioHead = heads
        #expect(throws: WhisperError.self) { try SyntheticModel.make(dimensions: dimensions) }
    }
}
