import Foundation

/// The files that hold a checkpoint's weights, for its digest.
enum WeightFiles {
    /// - Parameter path: a Hugging Face folder, a file in one, a `.pt` or a `.bin`.
    static func at(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard isFolder.boolValue else {
            let url = URL(fileURLWithPath: path)
            // A folder may be named by its config.json or its index as well.
            return url.pathExtension == "json" ? try at(url.deletingLastPathComponent().path) : [path]
        }
        let whole = path + "/model.safetensors"
        if FileManager.default.fileExists(atPath: whole) { return [whole] }
        return try shards(index: path + "/model.safetensors.index.json").map { path + "/" + $0 }
    }

    private static func shards(index: String) throws -> [String] {
        struct Index: Decodable { var weight_map: [String: String] }
        guard let bytes = FileManager.default.contents(atPath: index) else {
            throw ServiceError(.notFound, "cannot read \(index)")
        }
        do {
            return try Set(JSONDecoder().decode(Index.self, from: bytes).weight_map.values).sorted()
        } catch {
            throw ServiceError(.dataLoss, "\(index) has no weight_map that names the shards")
        }
    }
}
