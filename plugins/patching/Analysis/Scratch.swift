import Foundation
import TensorFiles

/// Files that go when the value does.
final class Scratch {
    private let folder: String
    private var vectors = 0

    init(in folder: String) throws {
        self.folder = folder + "/passes"
        // What a run that was killed left.
        try? FileManager.default.removeItem(atPath: self.folder)
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Writes a vector to a file of its own.
    func write(_ vector: [Float]) throws -> String {
        vectors += 1
        let file = path("vector-\(vectors).safetensors"), writer = try SafetensorsWriter(path: file)
        try vector.withUnsafeBytes { try writer.append("vector", type: .float32, shape: [vector.count], bytes: $0) }
        try writer.finish()
        return file
    }
}
