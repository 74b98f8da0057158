import Foundation
import TensorFiles
import TestSupport
import Testing
import Whisper

private let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/checkpoints").path

/// Opens a checkpoint in memory and loads every tensor.
func load(_ bytes: [UInt8], _ file: String = "tiny.file") throws {
    let checkpoint = try Checkpoint.open(
        FileBytes(name: file, copying: bytes), file: file, in: MemoryFolder(name: "nowhere", [:]))
    try loadAll(checkpoint)
}

func loadAll(_ checkpoint: Checkpoint) throws {
    let shapes = Dictionary(uniqueKeysWithValues: TinyFiles().tensors.map { ($0.name, $0.shape) })
    for name in checkpoint.weights.names {
        guard let shape = shapes[name] else { continue }
        _ = try checkpoint.weights.tensor(name, shape: shape).count
    }
}

/// The error that opening gives, which must be one that names the file.
private func refusal(_ file: String = "tiny.file", _ body: () throws -> Void) -> Refusal? {
    let refusal = Refusal.of { try body() }
    if let refusal { #expect(refusal.message.contains(file), "\(refusal.message)") }
    return refusal
}

@Suite struct CheckpointDamageTests {
    enum Form: String, CaseIterable { case ggml, openAI, safetensors, cTranslate2 }

    private func bytes(_ form: Form, of tiny: TinyFiles) -> [UInt8] {
        switch form {
        case .ggml: tiny.ggml()
        case .openAI: tiny.openAI()
        case .safetensors: tiny.safetensors()
        case .cTranslate2: tiny.cTranslate2().file.bytes
        }
    }

    private func load(_ form: Form, _ bytes: [UInt8]) throws {
        guard form == .safetensors else { return try WhisperTests.load(bytes) }
        try loadAll(try Checkpoint.open(files: TinyFiles().huggingFace(weights: bytes)))
    }

    @Test("an undamaged file of the tests' own making opens", arguments: Form.allCases)
    func sound(form: Form) throws { try load(form, bytes(form, of: TinyFiles())) }

    @Test("a file cut short anywhere is refused with its name", arguments: Form.allCases)
    func truncated(form: Form) {
        let whole = bytes(form, of: TinyFiles())
        let lengths = Array(stride(from: 0, to: whole.count, by: 13)) + [whole.count - 1]
        for length in lengths {
            _ = refusal(form == .safetensors ? "tiny/model.safetensors" : "tiny.file") {
                try load(form, Array(whole[..<length]))
            }
        }
    }

    @Test("a missing tensor is named", arguments: Form.allCases)
    func missing(form: Form) {
        var tiny = TinyFiles()
        tiny.tensors.removeAll { $0.name == "decoder.blocks.0.cross_attn.key.weight" }
        let error = refusal("tiny") { try load(form, bytes(form, of: tiny)) }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains("decoder.blocks.0.cross_attn.key.weight") == true)
    }

    @Test("a tensor of a wrong shape is named with both shapes", arguments: Form.allCases)
    func wrongShape(form: Form) throws {
        var tiny = TinyFiles()
        tiny.tensors[try #require(tiny.index(of: "encoder.ln_post.weight"))].shape = [5]
        let error = refusal("tiny") { try load(form, bytes(form, of: tiny)) }
        #expect(error?.code == .dataLoss)
        for part in ["encoder.ln_post.weight", "[4]", "[5]"] { #expect(error?.message.contains(part) == true) }
    }

    @Test("the same name twice is refused", arguments: Form.allCases)
    func duplicate(form: Form) {
        var tiny = TinyFiles()
        tiny.tensors.append(tiny.tensors[0])
        #expect(refusal("tiny") { try load(form, bytes(form, of: tiny)) }?.code == .dataLoss)
    }

    @Test("a tensor that no Whisper has is refused", arguments: Form.allCases)
    func unknown(form: Form) {
        var tiny = TinyFiles()
        tiny.tensors.append(("encoder.blocks.0.attn.key.bias", [4]))
        let error = refusal("tiny") { try load(form, bytes(form, of: tiny)) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("encoder.blocks.0.attn.key.bias") == true)
    }

    /// CTranslate2's sizes are those of its tensors, and have tests of their own.
    @Test(
        "zero, negative and absurd sizes are refused", arguments: [Form.ggml, .openAI, .safetensors],
        [0, -1, Int(Int32.max), 7])
    func absurdSizes(form: Form, size: Int) {
        let sizes: [WritableKeyPath<ModelDimensions, Int>] = [
            \.nMels, \.nAudioCtx, \.nAudioState, \.nAudioHead, \.nAudioLayer, \.nVocab, \.nTextCtx, \.nTextState,
            \.nTextHead, \.nTextLayer,
        ]
        for path in sizes {
            var tiny = TinyFiles()
            tiny.dimensions[keyPath: path] = size
            if form == .safetensors {
                if path == \.nTextState { continue }  // config.json has one width for both
                _ = refusal("tiny") { _ = try Checkpoint.open(files: tiny.huggingFace()) }
            } else {
                _ = refusal { try WhisperTests.load(bytes(form, of: tiny)) }
            }
        }
    }

    @Test("what is no checkpoint is refused by what it is")
    func otherFiles() {
        let files: [(bytes: [UInt8], says: String)] = [
            ([], "empty"), (Array("GGUF\u{3}".utf8), "GGUF"), (Array("<!DOCTYPE html>".utf8), "web page"),
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "Git LFS"), ([0x80, 2, 0x8A, 10], "PyTorch"),
            (Array("RIFF....WAVE".utf8), "none of the formats known"),
        ]
        for file in files {
            let error = refusal { try WhisperTests.load(file.bytes) }
            #expect(error?.message.contains(file.says) == true, "\(error?.message ?? "")")
        }
    }

    @Test("paths that lead to nothing usable are refused")
    func paths() {
        #expect(refusal("/no/such.pt") { _ = try Checkpoint.open("/no/such.pt") }?.code == .notFound)
        #expect(refusal("/dev/null") { _ = try Checkpoint.open("/dev/null") }?.code == .invalidArgument)
        let folder = URL(fileURLWithPath: fixtures).deletingLastPathComponent().path
        #expect(refusal("config.json") { _ = try Checkpoint.open(folder) }?.code == .notFound)
    }

    @Test("a folder of CTranslate2 without its weights is told by what is not there")
    func cTranslate2WithoutWeights() {
        let config = "{\"suppress_ids\": [1], \"lang_ids\": [], \"alignment_heads\": [[0, 1]]}"
        let files = ["config.json": FileBytes(name: "", copying: config.utf8)]
        let error = refusal("tiny") { _ = try Checkpoint.open(files: MemoryFolder(name: "tiny", files)) }
        #expect(error?.code == .notFound && error?.message.contains("no model.bin") == true, "\(error?.message ?? "")")
    }

    @Test("one changed bit among the weights of a .pt is found by its checksum")
    func changedWeight() throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/plain.pt")))
        let needle = Array("plain/data/5".utf8)
        let local = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
        let extra = Int(bytes[local - 2]) | Int(bytes[local - 1]) << 8
        bytes[local + needle.count + extra + 3] ^= 0x10
        let checkpoint = try Checkpoint.open(
            FileBytes(name: "plain.pt", copying: bytes), file: "plain.pt", in: MemoryFolder(name: "", [:]))
        let state = checkpoint.dimensions.nAudioState
        let error = refusal("plain.pt") {
            for name in checkpoint.weights.names where name.hasSuffix(".bias") && !name.contains("mlp.0") {
                _ = try checkpoint.weights.tensor(name, shape: [state])
            }
            for name in checkpoint.weights.names where name.contains("attn.") && name.hasSuffix(".weight") {
                _ = try checkpoint.weights.tensor(name, shape: [state, state])
            }
        }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains("CRC-32") == true)
    }
}

@Suite struct CheckpointGGMLDamageTests {
    @Test("counts and lengths that do not fit the file are refused")
    func counts() {
        let tiny = TinyFiles()
        let sizes: [Int32] = [5, 3, 4, 2, 1, 3, 4, 2, 1, 2, 0]
        let whole = tiny.ggml()
        let tokenCount = 4 + 44 + 8 + 24
        for value in [Int32(-1), .min, .max, 6, 0x10000] {
            var bytes = whole
            bytes.replaceSubrange(tokenCount..<tokenCount + 4, with: little(value))  // the number of tokens
            _ = refusal { try load(bytes) }
            bytes = whole
            bytes.replaceSubrange(tokenCount + 4..<tokenCount + 8, with: little(value))  // the first token's length
            _ = refusal { try load(bytes) }
            _ = refusal { try load(tiny.ggml(filters: (2, value))) }
            _ = refusal { try load(tiny.ggml(filters: (value, 3))) }
            for field in 0..<3 {  // rank, length of the name, type of the first tensor
                bytes = whole
                let start = tokenCount + 4 + 10 + 4 * field
                bytes.replaceSubrange(start..<start + 4, with: little(value == 6 && field == 2 ? 99 : value))
                _ = refusal { try load(bytes) }
            }
        }
        _ = refusal { try load(tiny.ggml(sizes: Array(sizes.dropLast()) + [-5])) }
    }

    @Test("a quantised file of the old block layout is refused")
    func oldQuantisation() {
        let sizes: [Int32] = [5, 3, 4, 2, 1, 3, 4, 2, 1, 2, 1002]
        #expect(refusal { try load(TinyFiles().ggml(sizes: sizes)) }?.code == .unsupported)
    }

    @Test("quantised rows that are no whole number of blocks are refused")
    func partialBlock() {
        let bytes = TinyFiles().ggml() + TinyFiles.ggmlTensor("x", [4, 40], type: 2, [UInt8](repeating: 0, count: 90))
        #expect(refusal { try load(bytes) }?.code == .dataLoss)
    }
}

@Suite struct CheckpointHuggingFaceDamageTests {
    private func open(_ folder: MemoryFolder) throws { try loadAll(try Checkpoint.open(files: folder)) }

    @Test(
        "a config that is damaged or describes another model is refused",
        arguments: [
            "", "[]", "{\"model_type\": \"whisper\"}", "{\"d_model\": 4,", "\u{0}",
            TinyFiles().config.replacing("\"d_model\": 4", with: "\"d_model\": \"4\""),
            TinyFiles().config.replacing("\"d_model\": 4", with: "\"d_model\": 4.5"),
            TinyFiles().config.replacing("\"d_model\": 4", with: "\"d_model\": 4, \"d_model\": 8"),
            TinyFiles().config.replacing("\"vocab_size\": 5", with: "\"vocab_size\": 99999999999999999999"),
            TinyFiles().config.replacing("whisper", with: "wav2vec2"),
            TinyFiles().config.replacing("_dim\": 16", with: "_dim\": 12"),
            String(TinyFiles().config.dropLast()) + ", \"activation_function\": \"relu\"}",
            String(TinyFiles().config.dropLast()) + ", \"tie_word_embeddings\": false}",
            String(TinyFiles().config.dropLast()) + ", \"alignment_heads\": [[0, 2, 1]]}",
            String(TinyFiles().config.dropLast()) + ", \"suppress_tokens\": \"1,2\"}",
        ])
    func config(text: String) {
        _ = refusal("tiny/config.json") { try open(TinyFiles().huggingFace(config: text)) }
    }

    @Test("shards are named and complete")
    func shards() {
        let weights = TinyFiles().safetensors()
        func folder(_ index: String, _ files: [String: [UInt8]] = [:]) -> MemoryFolder {
            var all = files
            all["config.json"] = Array(TinyFiles().config.utf8)
            all["model.safetensors.index.json"] = Array(index.utf8)
            return MemoryFolder(name: "tiny", all.mapValues { FileBytes(name: "", copying: $0) })
        }
        let map = TinyFiles().tensors.map { "\"\(TinyFiles.huggingFaceName($0.name))\": \"a.safetensors\"" }
        func index(_ members: [String]) -> String { "{\"weight_map\": {\(members.joined(separator: ","))}}" }

        #expect(throws: Never.self) { try open(folder(index(map), ["a.safetensors": weights])) }
        _ = refusal("a.safetensors") { try open(folder(index(map))) }
        _ = refusal("tiny") { try open(folder(index(Array(map.dropLast())), ["a.safetensors": weights])) }
        _ = refusal("more") {
            try open(folder(index(map + ["\"more\": \"a.safetensors\""]), ["a.safetensors": weights]))
        }
        _ = refusal("tiny") { try open(folder(index(map + ["\"more\": 3"]), ["a.safetensors": weights])) }
        _ = refusal("tiny") { try open(folder("{}")) }
        _ = refusal("tiny") { try open(MemoryFolder(name: "tiny", [:])) }
    }

    @Test(
        "the name of a shard cannot lead out of the folder",
        arguments: ["../x", "/etc/passwd", "a/b", "..", "", "a\0b"])
    func traversal(name: String) {
        #expect(Refusal.of { _ = try DiskFolder("/tmp").bytes(of: name) } != nil)
    }
}
