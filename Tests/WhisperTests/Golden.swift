import Foundation
import Kernels
import Testing
import Whisper

/// What Tests/Fixtures/golden/generate.py wrote: a micro checkpoint in three formats, its input, and
/// openai-whisper's value of every hook point.
struct Golden {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/golden")
    /// The same weights in each format.
    static let checkpoints = ["micro", "micro.pt", "ggml-micro.bin"]

    /// By hook point; `max:NAME` and `mean:NAME` are reductions over the valid frames.
    let reference: [String: Tensor]
    /// `[n_mels, 2 × n_audio_ctx]`
    let mel: Tensor
    let tokens: [Int]
    /// Encoder frames that count as audio in the reductions.
    let validFrames = 23

    init() throws {
        var tensors = try Golden.safetensors(Golden.folder.appending(path: "reference.safetensors"))
        mel = try #require(tensors["input.mel"])
        tokens = try #require(tensors["input.tokens"]).elements.map { Int($0) }
        for input in ["input.mel", "input.tokens"] { tensors[input] = nil }
        reference = tensors
    }

    static func model(_ file: String) throws -> WhisperModel {
        try WhisperModel(Checkpoint.open(folder.appending(path: file).path))
    }

    /// A reader of its own, so that the expectation does not pass through the code under test. Float32 only.
    static func safetensors(_ file: URL) throws -> [String: Tensor] {
        let data = try Data(contentsOf: file)
        let headerCount = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let parsed = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(headerCount))
        let header = try #require(parsed as? [String: [String: Any]])
        let payload = data.dropFirst(8 + headerCount)
        var tensors: [String: Tensor] = [:]
        for (name, entry) in header where name != "__metadata__" {
            let shape = try #require(entry["shape"] as? [Int])
            let offsets = try #require(entry["data_offsets"] as? [Int])
            let bytes = payload.dropFirst(offsets[0]).prefix(offsets[1] - offsets[0])
            tensors[name] = Tensor(shape: shape, floats(bytes))
        }
        return tensors
    }

    private static func floats(_ littleEndian: Data) -> [Float] {
        [UInt8](littleEndian).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }
}

/// How far an activation is from the reference, as `make parity` measures it.
struct Difference: CustomStringConvertible {
    /// ‖a − r‖ / ‖r‖ and max |a − r| / max |r|; infinite where the shapes or the masked entries (−∞) differ.
    var relativeL2 = Float.infinity, relativeMax = Float.infinity
    var note = ""

    var isSmall: Bool { relativeL2 <= 2e-5 && relativeMax <= 1e-4 }
    var description: String { note.isEmpty ? "relative L2 \(relativeL2), max \(relativeMax)" : note }

    init(_ actual: Tensor, _ reference: Tensor) {
        guard actual.shape == reference.shape else {
            note = "shape \(actual.shape), expected \(reference.shape)"
            return
        }
        var squares = 0.0, norm = 0.0, worst: Float = 0, peak: Float = 0
        for (a, r) in zip(actual.elements, reference.elements) {
            if a == -.infinity && r == -.infinity { continue }
            guard a.isFinite && r.isFinite else {
                note = "\(a), expected \(r)"
                return
            }
            squares += Double(a - r) * Double(a - r)
            norm += Double(r) * Double(r)
            worst = max(worst, abs(a - r))
            peak = max(peak, abs(r))
        }
        relativeL2 = norm > 0 ? Float((squares / norm).squareRoot()) : (squares > 0 ? .infinity : 0)
        relativeMax = peak > 0 ? worst / peak : (worst > 0 ? .infinity : 0)
    }
}
