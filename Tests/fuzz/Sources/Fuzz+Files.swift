import DataSets
import Foundation
import StrictJSON
import TensorFiles

extension Fuzzed {
    /// The endings of manifests, which say what their lines are.
    private static let manifests = ["jsonl", "json", "csv", "tsv"]

    /// Checkpoints and their parts, in memory; manifests, in a file that is written anew each time.
    static func file(_ bytes: [UInt8], kind: UInt8) {
        switch kind % 8 {
        case 0:
            guard let file = try? SafetensorsFile(FileBytes(name: "fuzz.safetensors", copying: bytes)) else { return }
            // What was taken for sound is read to its last element.
            for name in file.names { _ = try? file.tensor(named: name) }
        case 1:
            guard let archive = try? ZipArchive(FileBytes(name: "fuzz.pt", copying: bytes)) else { return }
            let size = archive.entries.values.reduce(0) { $0 + $1.bytes.count }
            precondition(size <= bytes.count, "entries are no larger than the file")
        case 2: _ = try? CTranslate2File(FileBytes(name: "model.bin", copying: bytes))
        case 3:
            guard let json = try? JSON(parsing: bytes) else { return }
            precondition((try? JSON(parsing: Array(json.text.utf8))) != nil, "what is written of JSON is JSON")
        default: manifest(bytes, ending: manifests[Int(kind % 4)])
        }
    }

    private static func manifest(_ bytes: [UInt8], ending: String) {
        let path = "\(FileManager.default.temporaryDirectory.path)/auscult-fuzz-\(getpid()).\(ending)"
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return }
        defer { unlink(path) }
        var last = -1
        try? DataSet(path).forEach(broken: { _ in }) { item in
            precondition(item.index == last + 1, "recordings are numbered one after another")
            last = item.index
        }
    }
}
