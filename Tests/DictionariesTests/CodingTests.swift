import Dictionaries
import Kernels
import TestSupport
import Testing

@Suite("Codes of dictionaries")
struct DictionaryCodingTests {
    private func random(_ activation: SparseDictionary.Activation, _ seed: UInt64 = 1) throws -> SparseDictionary {
        var random = SeededGenerator(seed: seed)
        return try SparseDictionary(
            encoder: Tensor(shape: [9, 4], random.floats(36)), decoder: Tensor(shape: [9, 4], random.floats(36)),
            encoderBias: random.floats(9), decoderBias: random.floats(4), activation: activation)
    }

    @Test(
        "a change of one latent adds the difference times its direction and nothing else",
        arguments: [SparseDictionary.Activation.relu, .topK(3), .jumpReLU([Float](repeating: 0.2, count: 9))])
    func change(activation: SparseDictionary.Activation) throws {
        let dictionary = try random(activation)
        var generator = SeededGenerator(seed: 9)
        let x = Tensor(shape: [5, 4], generator.floats(20))
        let codes = try dictionary.encode(x)
        for latent in 0..<9 {
            let direction = try dictionary.direction(latent)
            let changed = try dictionary.changing(latent, of: x) { 2 * $0 + 1 }
            for row in 0..<5 {
                for i in 0..<4 {
                    let expected = x[row, i] + (codes[row, latent] + 1) * direction[i]
                    #expect(abs(changed[row, i] - expected) < 1e-5)
                }
            }
            #expect(try dictionary.changing(latent, of: x) { $0 }.elements == x.elements)
        }
    }

    @Test(
        "few codes are decoded as all are, and what is no number stays none",
        arguments: [SparseDictionary.Activation.relu, .topK(3), .jumpReLU([Float](repeating: 0.9, count: 200))])
    func sparse(activation: SparseDictionary.Activation) throws {
        var random = SeededGenerator(seed: 3)
        let dictionary = try SparseDictionary(
            encoder: Tensor(shape: [200, 10], random.floats(2000)),
            decoder: Tensor(shape: [200, 10], random.floats(2000)), encoderBias: random.floats(200),
            decoderBias: random.floats(10), activation: activation)
        var values = random.floats(70 * 10)
        let x = Tensor(shape: [70, 10], values)
        let whole = try dictionary.decode(dictionary.encode(x))
        #expect(largestDifference(try dictionary.reconstruct(x).elements, whole.elements) < 1e-4)
        guard activation == .relu else { return }
        values[60 * 10 + 3] = .nan
        let made = try dictionary.reconstruct(Tensor(shape: [70, 10], values))
        #expect((0..<10).allSatisfy { made[60, $0].isNaN && made[59, $0].isFinite })
    }

    @Test("the largest values are those of a sorted list, for ties the first, for any count")
    func largest() {
        var random = SeededGenerator(seed: 4)
        for length in awkwardLengths where length <= 100 {
            let values = random.floats(length).map { ($0 * 8).rounded() / 8 }
            for count in [0, 1, 2, length / 2, length, length + 3] {
                var kept = values
                let smallest = kept.withUnsafeMutableBufferPointer { LargestValues.keep(count, of: $0) }
                let order = values.indices.filter { values[$0] > 0 }.sorted {
                    (values[$1], $0) < (values[$0], $1)
                }
                let chosen = Set(order.prefix(count))
                #expect(kept == values.indices.map { chosen.contains($0) ? values[$0] : 0 })
                #expect(smallest == (count > 0 ? order.prefix(count).last.map { values[$0] } : nil))
            }
        }
        var extremes: [Float] = [.leastNonzeroMagnitude, .greatestFiniteMagnitude, 1, .nan, -.infinity, .infinity]
        extremes.withUnsafeMutableBufferPointer { _ = LargestValues.keep(2, of: $0) }
        #expect(extremes == [0, .greatestFiniteMagnitude, 0, 0, 0, .infinity])
    }

    @Test("of many values the few largest are found as in a sorted list, in whatever order they come")
    func few() {
        var random = SeededGenerator(seed: 12)
        let drawn = random.floats(3000).map { ($0 * 500).rounded() / 500 }
        let rising = drawn.sorted()
        let orders = [
            drawn, rising, rising.reversed(), Array(rising[..<1500]) + rising[1500...].reversed(),
            [Float](repeating: 0.5, count: 3000), drawn.map { $0 > 0 ? .nan : $0 },
        ]
        for values in orders {
            for count in [1, 32, 300, 2000] {
                var places = [Int32](repeating: 0, count: values.count)
                let found = LargestValues.find(count, of: values, values.count, into: &places)
                let expected = values.indices.filter { values[$0] > 0 }.sorted { (values[$1], $0) < (values[$0], $1) }
                #expect(places.prefix(found).map(Int.init) == expected.prefix(count).sorted())
                guard !values.contains(where: \.isNaN) else { continue }
                var moved = values
                #expect(LargestValues.ranked(count, of: &moved, moved.count) == values.sorted(by: >)[count - 1])
            }
        }
    }

    @Test("activations and codes of another width, and latents that are not there, are refused")
    func refused() throws {
        let dictionary = try random(.relu)
        #expect(throws: DictionaryError.self) { try dictionary.encode(Tensor(shape: [5, 3])) }
        #expect(throws: DictionaryError.self) { try dictionary.reconstruct(Tensor(shape: [])) }
        #expect(throws: DictionaryError.self) { try dictionary.decode(Tensor(shape: [5, 4])) }
        #expect(throws: DictionaryError.self) { try dictionary.direction(9) }
        #expect(throws: DictionaryError.self) { try dictionary.changing(-1, of: Tensor(shape: [5, 4])) { $0 } }
        #expect(try dictionary.encode(Tensor(shape: [0, 4])).shape == [0, 9])
    }

    @Test("weights that are not finite, or of sizes that do not fit, make no dictionary")
    func unsound() {
        let good = Tensor(shape: [2, 2], [1, 0, 0, 1])
        func make(_ decoder: Tensor, _ bias: [Float], _ activation: SparseDictionary.Activation) throws {
            _ = try SparseDictionary(
                encoder: good, decoder: decoder, encoderBias: bias, decoderBias: [0, 0], activation: activation)
        }
        #expect(throws: Never.self) { try make(good, [0, 0], .topK(2)) }
        #expect(throws: DictionaryError.self) { try make(Tensor(shape: [2, 2], [1, .nan, 0, 1]), [0, 0], .relu) }
        #expect(throws: DictionaryError.self) { try make(good, [0], .relu) }
        #expect(throws: DictionaryError.self) { try make(good, [0, .infinity], .relu) }
        #expect(throws: DictionaryError.self) { try make(good, [0, 0], .topK(3)) }
        #expect(throws: DictionaryError.self) { try make(good, [0, 0], .jumpReLU([0])) }
    }
}
