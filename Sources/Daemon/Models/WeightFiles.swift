import Files
import Foundation
import TensorFiles
import Whisper

/// The files that hold a checkpoint's weights, for its digest.
enum WeightFiles {
    /// - Parameter path: a folder of Hugging Face or CTranslate2, a file in one, a `.pt` or a `.bin`.
    static func at(_ path: String) throws -> [String] {
        guard (try? isFolder(path)) == true else {
            let url = URL(fileURLWithPath: path)
            // A folder may be named by its config.json or its index as well.
            return url.pathExtension == "json" ? try at(url.deletingLastPathComponent().path) : [path]
        }
        func exists(_ name: String) -> Bool { PathText.withName(path + "/" + name) { access($0, F_OK) } == 0 }
        // As a checkpoint is opened: safetensors first, then PyTorch's file, then CTranslate2's.
        for whole in ["model.safetensors", "pytorch_model.bin"] {
            if exists(whole) { return [path + "/" + whole] }
            let index = whole + ".index.json"
            if exists(index) { return try shards(index: path + "/" + index).map { path + "/" + $0 } }
        }
        return [path + "/model.bin"]
    }

    private static func shards(index: String) throws -> [String] {
        let map = try JSONValue(parsing: MappedFile(index).bytes).object?["weight_map"]?.object
        guard let files = map?.values.map(\.string), !files.contains(nil) else {
            throw ServiceError(.dataLoss, "\(index) has no weight_map that names the shards")
        }
        return Set(files.compactMap { $0 }).sorted()
    }
}
