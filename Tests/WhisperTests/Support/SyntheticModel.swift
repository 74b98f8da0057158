import Kernels
import TestSupport
import Whisper

/// Random weights of any dimensions, the same for the same seed; large enough that attention is not flat.
struct SyntheticWeights: WeightSource {
    let names: [String] = []
    let seed: UInt64

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        var generator = SeededGenerator(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
        let count = shape.reduce(1, *)
        if shape.count == 1 {
            // Gains around one, biases around nothing.
            let centre: Float = name.hasSuffix("weight") ? 1 : 0
            return Tensor(shape: shape, generator.floats(count, in: -0.2...0.2).map { $0 + centre })
        }
        let inputs = Float(shape.dropFirst().reduce(1, *))
        let limit = name.contains("embedding") ? 0.5 : 2 / inputs.squareRoot()
        return Tensor(shape: shape, generator.floats(count, in: -limit...limit))
    }
}

enum SyntheticModel {
    /// Unequal depths, so that mixing up encoder and decoder shows.
    static let dimensions = ModelDimensions(
        nMels: 8, nAudioCtx: 150, nAudioState: 24, nAudioHead: 3, nAudioLayer: 3,
        nVocab: 61, nTextCtx: 40, nTextState: 24, nTextHead: 2, nTextLayer: 2)

    static func make(seed: UInt64 = 1, dimensions: ModelDimensions = dimensions) throws -> WhisperModel {
        try WhisperModel(
            Checkpoint(
                format: .openAI, dimensions: dimensions, weights: SyntheticWeights(seed: seed), vocabulary: nil,
                generation: GenerationConfig()))
    }

    /// Something like a log-mel: smooth noise within Whisper's range.
    static func mel(seed: UInt64 = 5, _ dimensions: ModelDimensions = dimensions) -> Tensor {
        var generator = SeededGenerator(seed: seed)
        return Tensor(
            shape: [dimensions.nMels, dimensions.melFrames],
            generator.floats(dimensions.nMels * dimensions.melFrames, in: -1...1.5))
    }
}

extension WhisperModel {
    /// Everything that a run captures, by name.
    func captured(
        _ patterns: [String], mel: Tensor = SyntheticModel.mel(), tokens: [Int] = [3, 1, 4, 1, 5, 9],
        reduction: Reduction = .none, validFrames: Int? = nil, interventions: [String] = [], stopsEarly: Bool = true
    ) throws -> [String: CapturedTensor] {
        var found: [String: CapturedTensor] = [:]
        let captures = Set(try patterns.flatMap { try HookPoint.matching($0, in: dimensions) })
        let plan = HookPlan(
            captures: captures, reduction: reduction, validFrames: validFrames,
            interventions: try interventions.map { try Intervention(parsing: $0, dimensions: dimensions) },
            stopsEarly: stopsEarly)
        let run = try HookRun(plan, dimensions: dimensions) { found[$0.hook.name] = $0 }
        if let audio = try encode(mel, hooks: run) {
            _ = try decode([tokens], cache: decoderCache(audio: audio), hooks: run)
        }
        return found
    }
}
