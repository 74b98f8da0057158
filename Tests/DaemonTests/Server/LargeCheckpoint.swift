import Foundation
import Kernels
import TensorFiles
import TestSupport
import Whisper

/// A checkpoint of about 40 MiB, for tests of what happens when memory has a limit: the small fixture with a vocabulary
/// of a million words that all are zero.
enum LargeCheckpoint {
    static let words = 1_300_000

    static func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let source = Fixtures.path("checkpoints/hf-f32")
        let config = try String(contentsOfFile: source + "/config.json", encoding: .utf8)
            .replacing("\"vocab_size\": 11", with: "\"vocab_size\": \(words)")
        try config.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
        let file = try SafetensorsFile(path: source + "/model.safetensors")
        let writer = try SafetensorsWriter(path: folder + "/model.safetensors")
        for name in file.names {
            let tensor = try file.tensor(named: name)
            let isVocabulary = name.hasSuffix("embed_tokens.weight")
            try writer.append(name, isVocabulary ? Tensor(shape: [words, tensor.shape[1]]) : tensor)
        }
        try writer.finish()
    }
}
