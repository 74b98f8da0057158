import Foundation
import TensorFiles
import TestSupport
import Testing
import Whisper

/// Models of small random sizes, as CTranslate2's folder and as Hugging Face's.
private struct RandomModel {
    let tiny: TinyFiles
    let file: CTranslate2Bytes
    let expected: [String: [Float]]

    init(seed: UInt64, _ encoding: CTranslate2Encoding) {
        var random = SeededGenerator(seed: seed)
        let heads = [1, 2, 3].randomElement(using: &random) ?? 1,
            width = 2 * heads * Int.random(in: 1...5, using: &random)
        let dimensions = ModelDimensions(
            nMels: .random(in: 1...9, using: &random), nAudioCtx: .random(in: 1...11, using: &random),
            nAudioState: width,
            nAudioHead: heads, nAudioLayer: .random(in: 1...3, using: &random),
            nVocab: .random(in: 3...40, using: &random),
            nTextCtx: .random(in: 1...7, using: &random), nTextState: width, nTextHead: 2,
            nTextLayer: .random(in: 1...3, using: &random))
        var tiny = TinyFiles()
        tiny.dimensions = dimensions
        tiny.tensors = dimensions.tensorShapes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.tiny = tiny
        (file, expected) = tiny.cTranslate2(encoding) { _, shape in random.floats(shape.reduce(1, *), in: -3...3) }
    }

    /// Hugging Face's folder of the values that are expected, in float32.
    var huggingFace: MemoryFolder {
        var header: [String] = [], data: [UInt8] = []
        for tensor in tiny.tensors {
            let bytes = (expected[tensor.name] ?? []).flatMap { little($0.bitPattern) }
            header.append(
                "\"\(TinyFiles.huggingFaceName(tensor.name))\": {\"dtype\": \"F32\", \"shape\": \(tensor.shape), "
                    + "\"data_offsets\": [\(data.count), \(data.count + bytes.count)]}")
            data += bytes
        }
        let weights = safetensorsBytes(header: "{\(header.joined(separator: ", "))}", data)
        let config = tiny.config.replacing("_dim\": 16", with: "_dim\": \(4 * tiny.dimensions.nAudioState)")
        return tiny.huggingFace(config: config, weights: weights)
    }
}

/// A folder in memory with this `model.bin`.
private func folder(_ file: CTranslate2Bytes, _ others: [String: String] = [:]) -> MemoryFolder {
    var files = others.mapValues { FileBytes(name: "", copying: $0.utf8) }
    files["model.bin"] = FileBytes(name: "", copying: file.bytes)
    return MemoryFolder(name: "tiny", files)
}

private func refusal(_ sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout CTranslate2Bytes) -> Void)
    -> Refusal?
{
    var (file, _) = TinyFiles().cTranslate2()
    change(&file)
    return Refusal.of(sourceLocation) { try loadAll(Checkpoint.open(files: folder(file))) }
}

@Suite struct CheckpointCTranslate2Tests {
    @Test(
        "a folder of any sizes and numbers equals Hugging Face's of the same weights, bit for bit",
        arguments: CTranslate2Encoding.allCases, [1, 2, 3, 4] as [UInt64])
    func equalTensors(encoding: CTranslate2Encoding, seed: UInt64) throws {
        let model = RandomModel(seed: seed, encoding)
        let theirs = try Checkpoint.open(files: model.huggingFace)
        let ours = try Checkpoint.open(files: folder(model.file))
        #expect(ours.format == .cTranslate2)
        #expect(ours.dimensions == model.tiny.dimensions && ours.dimensions == theirs.dimensions)
        #expect(ours.weights.names == theirs.weights.names)
        for (name, shape) in model.tiny.tensors {
            let (a, b) = (
                try ours.weights.tensor(name, shape: shape), try theirs.weights.tensor(name, shape: shape)
            )
            #expect(a.elements.map(\.bitPattern) == b.elements.map(\.bitPattern), "\(name)")
            let middle = shape[0] / 2..<shape[0]
            #expect(try ours.weights.rows(name, shape: shape, middle).elements == b.rows(middle).elements, "\(name)")
        }
    }

    @Test("float32 that happens to be aligned is a view of the file, and what is not is copied")
    func views() throws {
        let (file, expected) = TinyFiles().cTranslate2()
        let bytes = FileBytes(name: "model.bin", copying: file.bytes)
        let weights = try Checkpoint.open(bytes, file: "model.bin", in: MemoryFolder(name: "", [:])).weights
        var views = 0
        for (name, shape) in TinyFiles().tensors {
            let tensor = try weights.tensor(name, shape: shape)
            #expect(tensor.elements == expected[name])
            bytes.withUnsafeBytes { file in
                tensor.withUnsafeBufferPointer { elements in
                    let start = UnsafeRawPointer(elements.baseAddress!)
                    if start >= file.baseAddress!, start < file.baseAddress! + file.count { views += 1 }
                }
            }
        }
        #expect((1..<TinyFiles().tensors.count).contains(views), "\(views)")
    }

    @Test(
        "an alias stands for a variable of the same content, its scales included",
        arguments: [CTranslate2Encoding.float32, .int8, .int8PerTensor])
    func aliases(encoding: CTranslate2Encoding) throws {
        var (file, expected) = TinyFiles().cTranslate2(encoding)
        let alias = "encoder/layer_0/self_attention/linear_1/weight"
        file.variables.removeAll { $0.name.hasPrefix(alias) }
        file.aliases.append((alias, "decoder/layer_0/attention/linear_2/weight"))
        expected["encoder.blocks.0.attn.out.weight"] = expected["decoder.blocks.0.cross_attn.out.weight"]
        let weights = try Checkpoint.open(files: folder(file)).weights
        for (name, shape) in TinyFiles().tensors {
            #expect(try weights.tensor(name, shape: shape).elements == expected[name], "\(name)")
        }
    }

    @Test("config.json says how to decode, and whether the vocabulary is the model's")
    func config() throws {
        let (file, _) = TinyFiles().cTranslate2()
        let vocabulary = #"["a", "b", "<|endoftext|>", "<|startoftranscript|>", "<|en|>"]"#
        func open(_ config: String) throws -> Checkpoint {
            try Checkpoint.open(files: folder(file, ["config.json": config, "vocabulary.json": vocabulary]))
        }
        let checkpoint = try open(
            #"{"suppress_ids": [1, -1, 9], "suppress_ids_begin": [0], "alignment_heads": [[0, 1]], "lang_ids": [4]}"#)
        #expect(
            checkpoint.generation
                == GenerationConfig(
                    alignmentHeads: [.init(layer: 0, head: 1)], suppressTokens: [1], beginSuppressTokens: [0]))
        let stray = Refusal.of { _ = try open(#"{"lang_ids": [4, 1]}"#) }
        #expect(stray?.message.contains("'lang_ids' has 1") == true, "\(stray?.message ?? "")")
        #expect(Refusal.of { _ = try open(#"{"lang_ids": "en"}"#) }?.code == .dataLoss)
        // Heads that the model does not have are another's: passed over, as in the other formats.
        #expect(try (open(#"{"alignment_heads": [[0, 7]]}"#).generation.alignmentHeads ?? []).isEmpty)
        #expect(Refusal.of { _ = try open("[1") }?.code == .dataLoss)
        #expect(try Checkpoint.open(files: folder(file)).generation == GenerationConfig())
    }

    @Test("words are those of vocabulary.json or vocabulary.txt, or of tokenizer.json, which goes before them")
    func vocabulary() throws {
        let (file, _) = TinyFiles().cTranslate2()
        let texts = ["a", "Ġ", "<|endoftext|>", "<|startoftranscript|>", "<|en|>"]
        let list = "[\(texts.map { "\"\($0)\"" }.joined(separator: ", "))]"
        for files in [["vocabulary.json": list], ["vocabulary.txt": texts.joined(separator: "\n") + "\n"]] {
            let vocabulary = try Checkpoint.open(files: folder(file, files)).vocabulary
            #expect(vocabulary?.tokens == [[97], [32]])
            #expect(vocabulary?.specialTokens["<|en|>"] == 4)
        }
        let tokenizer =
            #"{"model": {"type": "BPE", "vocab": {"b": 0, "c": 1}, "merges": []}, "added_tokens": ["#
            + #"{"id": 2, "content": "<|endoftext|>"}, {"id": 3, "content": "<|startoftranscript|>"}]}"#
        let both = try Checkpoint.open(files: folder(file, ["vocabulary.json": list, "tokenizer.json": tokenizer]))
        #expect(both.vocabulary?.tokens == [[98], [99]])
        #expect(try Checkpoint.open(files: folder(file)).vocabulary == nil)
    }

    @Test(
        "a list of tokens that cannot be this model's is refused",
        arguments: [
            ("vocabulary.json", "{}"), ("vocabulary.json", #"["a"]"#),
            ("vocabulary.json", #"["a", "a", "<|endoftext|>"]"#),
            ("vocabulary.json", #"["a", "b", "<|endoftext|>", "c", "d", "e"]"#),
            ("vocabulary.txt", "a\n\u{1F600}\n<|endoftext|>"),
        ])
    func damagedVocabulary(name: String, text: String) {
        let error = Refusal.of { _ = try Checkpoint.open(files: folder(TinyFiles().cTranslate2().file, [name: text])) }
        #expect(error?.code == .dataLoss && error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test("a folder is known by its model.bin, whatever path names it, and safetensors go before it")
    func paths() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/model.bin"
        try Data(TinyFiles().cTranslate2().file.bytes).write(to: URL(fileURLWithPath: path))
        try Data("{}".utf8).write(to: URL(fileURLWithPath: temporary.path + "/config.json"))
        for name in [temporary.path, path, temporary.path + "/config.json"] {
            #expect(try Checkpoint.open(name).format == .cTranslate2)
        }
        try Data(TinyFiles().ggml()).write(to: URL(fileURLWithPath: path))
        #expect(try Checkpoint.open(temporary.path).format == .ggml)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(Refusal.of { _ = try Checkpoint.open(temporary.path) }?.code == .unsupported)
        let both = TinyFiles().huggingFace(["model.bin": TinyFiles().cTranslate2().file.bytes])
        #expect(try Checkpoint.open(files: both).format == .huggingFace)
    }
}

@Suite struct CheckpointCTranslate2DamageTests {
    @Test("another version, kind of model or arithmetic is refused by what it is")
    func others() {
        #expect(refusal { $0.version = 5 }?.message.contains("version 5") == true)
        #expect(refusal { $0.revision = 2 }?.code == .unsupported)
        #expect(refusal { $0.specification = "TransformerSpec" }?.message.contains("TransformerSpec") == true)
        let relu = refusal { $0.change("decoder/activation") { $0.data = [0] } }
        #expect(relu?.code == .unsupported && relu?.message.contains("decoder/activation") == true)
        #expect(refusal { $0.change("encoder/pre_norm") { $0.data = [0] } }?.code == .unsupported)
        let untied = refusal {
            $0.aliases = []
            guard var other = $0["decoder/embeddings/weight"] else { return }
            other.name = "decoder/projection/weight"
            other.data[0] ^= 1
            $0.variables.append(other)
        }
        #expect(untied?.code == .unsupported && untied?.message.contains("ties") == true)
        let key = refusal {
            $0.change("encoder/layer_0/self_attention/linear_0/bias") {
                $0.data.replaceSubrange(16..<20, with: little(Float(1).bitPattern))
            }
        }
        #expect(key?.code == .unsupported && key?.message.contains("encoder.blocks.0.attn.key.bias") == true)
    }

    @Test("scalars of another converter change nothing")
    func scalars() throws {
        var (file, _) = TinyFiles().cTranslate2()
        file.variables.append(.init(name: "decoder/alignment_layer", shape: [], type: 2, data: little(Int16(-1))))
        file.variables.append(.init(name: "decoder/new_flag", shape: [], type: 1, data: [1]))
        try loadAll(Checkpoint.open(files: folder(file)))
    }

    @Test("sizes that do not fit the file or each other are refused")
    func sizes() {
        let name = "encoder/layer_norm/gamma"
        for shape in [[5], [], [4, 1], [0], [1 << 31, 1 << 31, 1 << 31], [Int](repeating: 1, count: 255)] {
            #expect(refusal { $0.change(name) { $0.shape = shape } } != nil)
        }
        #expect(refusal { $0.change(name) { $0.type = 6 } }?.code == .unsupported)
        #expect(refusal { $0.change(name) { $0.type = 3 } }?.code == .dataLoss, "whole numbers without a scale")
        #expect(refusal { $0.change(name) { $0.data.removeLast() } }?.code == .dataLoss)
        #expect(refusal { $0.change("encoder/num_heads") { $0.data = little(Int16(0)) } }?.code == .dataLoss)
        #expect(refusal { $0.change("encoder/num_heads") { $0.data = little(Int16(3)) } }?.code == .dataLoss)
        #expect(refusal { $0.variables.removeAll { $0.name == "decoder/num_heads" } }?.code == .dataLoss)
        #expect(refusal { $0.variables.removeAll { $0.name.hasPrefix("decoder/embeddings") } }?.code == .dataLoss)
        // A layer that is missing between two others.
        #expect(
            refusal { $0.change("encoder/layer_0/ffn/linear_0/bias") { $0.name = "encoder/layer_1/ffn/linear_0/bias" } }
                != nil)
        #expect(
            refusal {
                $0.change("encoder/layer_0/ffn/linear_0/bias") { $0.name = "encoder/layer_00/ffn/linear_0/bias" }
            } != nil)
    }

    @Test(
        "counts that a small file cannot have end in an error, not in memory",
        arguments: [UInt32.max, 1 << 31, 100_000])
    func counts(count: UInt32) {
        let whole = TinyFiles().cTranslate2().file.bytes
        for at in [
            22,
            whole.count - 4 - CTranslate2Bytes.text("decoder/projection/weight").count
                - CTranslate2Bytes.text("decoder/embeddings/weight").count,
        ] {
            var bytes = whole
            bytes.replaceSubrange(at..<at + 4, with: little(count))
            #expect(Refusal.of { try load(bytes) }?.code == .dataLoss)
        }
    }

    @Test("an alias of nothing, of a name that is taken, or twice is refused, and so is anything behind the last")
    func aliases() {
        #expect(refusal { $0.aliases = [("a", "b")] }?.message.contains("'b'") == true)
        #expect(
            refusal { $0.aliases.append(("encoder/layer_norm/beta", "encoder/layer_norm/gamma")) }?.code == .dataLoss)
        #expect(refusal { $0.aliases.append($0.aliases[0]) }?.code == .dataLoss)
        #expect(refusal { $0.aliases = [("a", "a")] }?.code == .dataLoss)
        let whole = TinyFiles().cTranslate2().file.bytes
        #expect(Refusal.of { try load(whole + [0]) }?.message.contains("1 bytes follow") == true)
    }

    @Test("scales of another number than rows, or that nothing can be divided by, are refused")
    func scales() {
        let name = "decoder/embeddings/weight_scale"
        func refusal(_ data: [Float], _ shape: [Int]) -> Refusal? {
            var (file, _) = TinyFiles().cTranslate2(.int8)
            file.change(name) {
                $0.shape = shape
                $0.data = data.flatMap { little($0.bitPattern) }
            }
            return Refusal.of { try loadAll(Checkpoint.open(files: folder(file))) }
        }
        #expect(refusal([1, 1], [2])?.message.contains("for 5 rows") == true)
        for scale in [0, -1, Float.nan, .infinity] { #expect(refusal([1, 1, scale, 1, 1], [5])?.code == .dataLoss) }
        #expect(refusal([1, 1, 1, 1, 1], [5, 1])?.code == .dataLoss)
        #expect(refusal([], [0])?.code == .dataLoss)
        var (file, _) = TinyFiles().cTranslate2(.int8)
        file.variables.removeAll { $0.name == name }
        #expect(Refusal.of { try loadAll(Checkpoint.open(files: folder(file))) }?.message.contains("without") == true)
        (file, _) = TinyFiles().cTranslate2()
        file.variables.append(.init(name: name, shape: [], type: 0, data: little(Float(1).bitPattern)))
        #expect(Refusal.of { try loadAll(Checkpoint.open(files: folder(file))) }?.message.contains("with ") == true)
    }
}
