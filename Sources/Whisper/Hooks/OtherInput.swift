import Foundation
import Kernels

/// A sound that a model hears beside that of a pass, whose activations take the place of the pass's own.
///
/// In the decoder it reads the tokens that the pass reads: so activations stand at the same tokens.
public final class OtherInput: @unchecked Sendable {
    // Sendable: what it keeps is read and written under the lock.
    /// What messages call it.
    public let name: String
    /// The encoder's input, `[n_mels, 2 × n_audio_ctx]`.
    let mel: Tensor
    private let lock = NSLock()
    /// What the encoder gave for a context of so many log-mel frames.
    private var kept: (frames: Int, activations: [HookPoint: Tensor], output: Tensor?) = (0, [:], nil)

    public init(name: String, mel: Tensor) { (self.name, self.mel) = (name, mel) }

    /// The encoder's activations at some points for the first `frames` log-mel frames; computed once while that context is asked for.
    /// - Throws: what `compute` throws.
    func activations(
        at points: Set<HookPoint>, frames: Int, _ compute: (Tensor, Set<HookPoint>) throws -> [HookPoint: Tensor]
    ) throws -> [HookPoint: Tensor] {
        try lock.withLock {
            if kept.frames != frames { kept = (frames, [:], nil) }
            let missing = points.subtracting(kept.activations.keys)
            if !missing.isEmpty {
                kept.activations.merge(try compute(mel.prefix(min(frames, mel.shape[1]), axis: 1), missing)) { $1 }
            }
            return kept.activations
        }
    }

    /// The encoder's output for the first `frames` log-mel frames.
    func output(frames: Int, _ compute: (Tensor) throws -> Tensor?) throws -> Tensor? {
        try lock.withLock {
            if kept.frames != frames { kept = (frames, [:], nil) }
            if let output = kept.output { return output }
            let output = try compute(mel.prefix(min(frames, mel.shape[1]), axis: 1))
            kept.output = output
            return output
        }
    }
}

/// Recordings to draw from.
public struct OtherInputs: Sendable {
    /// What messages call them.
    public let name: String
    private let inputs: [@Sendable () throws -> OtherInput]

    /// - Parameter inputs: each reads its recording when it is drawn.
    public init(name: String, _ inputs: [@Sendable () throws -> OtherInput]) {
        (self.name, self.inputs) = (name, inputs)
    }

    /// One of them that is not the sound which is heard; the same for the same sound and seed.
    /// - Parameter mel: the encoder's input of the pass.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where there is no other; what reading one throws.
    func drawn(for mel: Tensor, seed: UInt64) throws -> OtherInput {
        var generator = NormalNoise(seed: mel.fingerprint ^ seed)
        let first = inputs.isEmpty ? 0 : Int(generator.nextBits() % UInt64(inputs.count))
        for step in inputs.indices {
            let input = try inputs[(first + step) % inputs.count]()
            if input.mel.shape != mel.shape || input.mel.fingerprint != mel.fingerprint { return input }
        }
        throw WhisperError(
            .invalidArgument,
            "\(name) has \(inputs.count) recordings, and none beside the one that is heard to resample from")
    }
}

extension Tensor {
    /// The same for the same elements.
    fileprivate var fingerprint: UInt64 {
        withUnsafeBufferPointer { x in
            x.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
        }
    }
}
