import StrictJSON
import TensorFiles
@testable import Whisper

extension Fuzzed {
    static func checkpoint(_ bytes: [UInt8], _ how: UInt8) {
        switch how % 8 {
        case 0:
            guard let file = try? SafetensorsFile(named("fuzz.safetensors", bytes)) else { return }
            // What was taken for sound is read to its last element.
            for name in file.names { _ = try? file.tensor(named: name) }
        case 1:
            guard let archive = try? ZipArchive(named("fuzz.pt", bytes)) else { return }
            let size = archive.entries.values.reduce(0) { $0 + $1.bytes.count }
            precondition(size <= bytes.count, "entries are no larger than the file")
        case 2: _ = try? CTranslate2File(named("model.bin", bytes))
        case 3:
            guard let json = try? JSON(parsing: bytes) else { return }
            precondition((try? JSON(parsing: Array(json.text.utf8))) != nil, "what is written of JSON is JSON")
        case 4: pickle(bytes)
        case 5:
            open {
                try Checkpoint.open(named("fuzz.bin", bytes), file: "fuzz.bin", in: MemoryFolder(name: "fuzz", [:]))
            }
        case 6: folder(bytes)
        default: vocabulary(bytes)
        }
    }

    private static func named(_ name: String, _ bytes: some Collection<UInt8>) -> FileBytes {
        FileBytes(name: name, copying: bytes)
    }

    private static func pickle(_ bytes: [UInt8]) {
        guard var unpickler = try? Unpickler(named("data.pkl", bytes)), let value = try? unpickler.load() else {
            return
        }
        _ = try? unpickler.members(of: value, called: "what was saved")
    }

    /// Hugging Face's: its configuration, a NUL, and its weights.
    private static func folder(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard let config = parts.first, let weights = parts.last, parts.count == 2 else { return }
        let files = ["config.json": named("", config), "model.safetensors": named("", weights)]
        open { try Checkpoint.open(files: MemoryFolder(name: "fuzz", files)) }
    }

    /// What was taken for sound is read to its last element.
    private static func open(_ body: () throws -> Checkpoint) {
        guard let checkpoint = try? body() else { return }
        for (name, shape) in checkpoint.dimensions.tensorShapes {
            _ = try? checkpoint.weights.tensor(name, shape: shape)
        }
    }

    /// A tokenizer in each of its forms.
    private static func vocabulary(_ bytes: [UInt8]) {
        for name in ["tokenizer.json", "vocab.json", "vocabulary.json", "vocabulary.txt", "multilingual.tiktoken"] {
            guard
                let vocabulary = try? Vocabulary.load(
                    nVocab: 300, tiktokenNames: ["multilingual.tiktoken"], read: { $0 == name ? bytes : nil })
            else { continue }
            _ = try? Tokenizer(vocabulary)
        }
    }
}
