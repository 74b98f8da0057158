import Dictionaries
import Kernels
import PluginKit
import TestSupport
import Testing

@testable import SparseAutoencoders

/// Sums of a few known directions, with a mean that is not 0.
private struct Planted {
    let directions: [[Float]]
    let mean: [Float]
    private var random: SeededGenerator

    init(_ count: Int, inputs: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        directions = (0..<count).map { _ in
            // Sums of uniform numbers point almost evenly in all directions.
            let raw = (0..<inputs).map { _ in random.floats(6).reduce(0, +) }
            let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return raw.map { $0 / length }
        }
        mean = random.floats(inputs, in: 2...5)
        self.random = random
    }

    mutating func positions(_ count: Int, active: Float) -> [Float] {
        var values: [Float] = []
        for _ in 0..<count {
            var x = mean
            for direction in directions where Float.random(in: 0..<1, using: &random) < active / Float(directions.count)
            {
                let value = Float.random(in: 3...9, using: &random)
                for i in x.indices { x[i] += value * direction[i] }
            }
            values += x
        }
        return values
    }
}

@Suite("Training of sparse autoencoders")
struct TrainingTests {
    private func settings(_ variant: TrainingSettings.Variant, _ change: (inout TrainingSettings) -> Void = { _ in })
        -> TrainingSettings
    {
        var settings = TrainingSettings()
        settings.variant = variant
        settings.hook = "encoder.blocks.2"
        settings.latents = 16
        settings.k = 2
        settings.batch = 32
        settings.buffer = 256
        settings.deadAfter = 400
        settings.warmUp = 10
        change(&settings)
        return settings
    }

    /// More directions than dimensions, three of which are active at a position, and a dictionary with room for more.
    @Test(
        "at least 95 in 100 planted directions are found, within a cosine of 0.95, and the data is explained",
        arguments: TrainingSettings.Variant.allCases)
    func planted(variant: TrainingSettings.Variant) throws {
        var data = Planted(48, inputs: 32, seed: 1)
        let training = settings(variant) {
            $0.latents = 80
            $0.k = 3
            $0.batch = 256
            $0.buffer = 8192
            $0.passes = 24
            $0.deadAfter = 8192
            $0.learningRate = 3e-3
            $0.sparsity = variant.penalty
        }
        var trainer = SparseTrainer(settings: training, inputs: 32, seed: 5)
        for _ in 0..<40 { try trainer.add(data.positions(1024, active: 3)) }
        let dictionary = try trainer.dictionary(hook: "h", model: "m")
        let rows = try (0..<dictionary.latents).map(dictionary.direction)
        let best = data.directions.map { planted in
            rows.map { zip(planted, $0).reduce(0) { $0 + $1.0 * $1.1 } }.max() ?? 0
        }
        let found = best.filter { $0 >= 0.95 }.count
        #expect(Double(found) >= 0.95 * 48, "\(found) of 48; \(best.sorted().prefix(5))")
        for row in rows { #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4) }
        var statistics = CodeStatistics()
        try statistics.add(Tensor(shape: [2000, 32], data.positions(2000, active: 3)), dictionary)
        // TopK has no fourth code for a position with four directions, and L1 makes codes smaller and pays for it with more.
        let isExact = variant == .batchTopK || variant == .jumpReLU
        #expect(statistics.explained > (isExact ? 0.9 : 0.8), "\(statistics.explained)")
        #expect((2...(isExact ? 4 : 8)).contains(statistics.active0), "\(statistics.active0)")
    }

    @Test(
        "a training that is saved and read goes on as the undisturbed one, to the bit",
        arguments: TrainingSettings.Variant.allCases, [0, 100, 300, 700])
    func resumed(variant: TrainingSettings.Variant, after: Int) throws {
        var data = Planted(10, inputs: 5, seed: 2)
        let all = data.positions(900, active: 2)
        var whole = SparseTrainer(settings: settings(variant), inputs: 5, seed: 7)
        var first = whole
        for start in stride(from: 0, to: 900, by: 50) {
            if start == after {
                first = try StateDecoder.decode(SparseTrainer.self, from: StateEncoder.encode(first))
                try first.check()
            }
            let piece = Array(all[start * 5..<(start + 50) * 5])
            try whole.add(piece)
            try first.add(piece)
        }
        try whole.settle()
        try first.settle()
        #expect(whole.steps > 60)
        let states = (try StateEncoder.encode(whole), try StateEncoder.encode(first))
        #expect(states.0 == states.1)
        #expect(whole.weights.decoder.allSatisfy { $0.isFinite })
    }

    @Test("the number of threads changes no bit of a training", arguments: TrainingSettings.Variant.allCases)
    func threads(variant: TrainingSettings.Variant) throws {
        var data = Planted(40, inputs: 30, seed: 8)
        let all = data.positions(900, active: 2)
        let begun = SparseTrainer(
            settings: settings(variant) {
                $0.latents = 70
                $0.isTied = variant == .topK
            }, inputs: 30, seed: 7)
        func train() throws -> [UInt8] {
            var trainer = begun
            try trainer.add(all)
            return try StateEncoder.encode(trainer)
        }
        var alone: [UInt8] = []
        // Within a task all tasks run on the thread that calls.
        try Parallel.forEach(2, throwing: { if $0 == 0 { alone = try train() } })
        #expect(try train() == alone)
    }

    @Test(
        "every variant lowers its loss, and what is exported encodes as the training did",
        arguments: TrainingSettings.Variant.allCases)
    func exported(variant: TrainingSettings.Variant) throws {
        var data = Planted(10, inputs: 8, seed: 3)
        var trainer = SparseTrainer(
            settings: settings(variant) {
                $0.passes = 30
                $0.sparsity = 0.05
                $0.isTied = variant == .l1
            }, inputs: 8, seed: 9)
        for _ in 0..<6 { try trainer.add(data.positions(256, active: 2)) }
        let points = trainer.progress.points
        let (start, end) = (try #require(points.first), try #require(points.last))
        #expect(end.loss < start.loss)
        if variant == .l1 { #expect(trainer.weights.encoder == trainer.weights.decoder) }
        // The folded centre and unit give the codes of the normalised input, times the unit.
        let dictionary = try trainer.dictionary(hook: "", model: "")
        let x = data.positions(40, active: 2)
        let normalised = x.indices.map { (x[$0] - trainer.centre[$0 % 8]) / trainer.unit }
        let weights = trainer.weights
        let inside = try SparseDictionary(
            encoder: Tensor(shape: [16, 8], weights.encoder), decoder: Tensor(shape: [16, 8], weights.decoder),
            encoderBias: weights.encoderBias, decoderBias: weights.decoderBias,
            activation: {
                switch variant {
                case .batchTopK: .jumpReLU([Float](repeating: trainer.batchThreshold(), count: 16))
                case .topK: .topK(2)
                case .jumpReLU: .jumpReLU(weights.logThreshold.map { exponential($0) })
                case .l1: .relu
                }
            }())
        let expected = try inside.encode(Tensor(shape: [40, 8], normalised)).elements.map { $0 * trainer.unit }
        let codes = try dictionary.encode(Tensor(shape: [40, 8], x)).elements
        let differing = zip(codes, expected).filter { abs($0 - $1) > 1e-3 }.count
        // A code at the very threshold may fall on either side of it.
        #expect(differing <= 2, "\(differing) of \(codes.count)")
        #expect(codes.contains { $0 > 0 })
    }

    @Test("numbers that are not finite are refused, and a data set smaller than the buffer is trained on all the same")
    func edges() throws {
        var trainer = SparseTrainer(settings: settings(.topK), inputs: 5, seed: 1)
        #expect(throws: PluginError.self) { try trainer.add([1, 2, .nan, 4, 5]) }
        #expect(throws: PluginError.self) { _ = try trainer.dictionary(hook: "", model: "") }
        var data = Planted(4, inputs: 5, seed: 4)
        try trainer.add(data.positions(40, active: 1))
        #expect(trainer.steps == 0)
        try trainer.settle()
        #expect(trainer.steps == 5)
        let dictionary = try trainer.dictionary(hook: "", model: "")
        #expect(dictionary.latents == 16)
        var same = SparseTrainer(settings: settings(.topK), inputs: 5, seed: 1)
        try same.add([Float](repeating: 3, count: 300 * 5))
        #expect(same.weights.decoder.allSatisfy { $0.isFinite }, "positions that are all equal have no spread")
    }

    @Test("damaged states are refused or read, and crash nothing")
    func damaged() throws {
        var data = Planted(4, inputs: 5, seed: 6)
        var trainer = SparseTrainer(settings: settings(.jumpReLU), inputs: 5, seed: 1)
        try trainer.add(data.positions(300, active: 1))
        let whole = try StateEncoder.encode(trainer)
        var random = SeededGenerator(seed: 1)
        var refused = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<8 {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                try StateDecoder.decode(SparseTrainer.self, from: bytes).check()
            } catch { refused += 1 }
        }
        #expect(refused > 20, "\(refused)")
    }
}
