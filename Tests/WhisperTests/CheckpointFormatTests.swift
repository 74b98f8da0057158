import Foundation
import Kernels
import TensorFiles
import TestSupport
import Testing
import Whisper

/// The fixtures of Tests/Fixtures/checkpoints, which generate.py wrote with torch and openai-whisper.
private let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/checkpoints").path

private let plain = ModelDimensions(
    nMels: 4, nAudioCtx: 6, nAudioState: 8, nAudioHead: 2, nAudioLayer: 2, nVocab: 11, nTextCtx: 5, nTextState: 8,
    nTextHead: 4, nTextLayer: 2)

/// All tensors of a checkpoint, by name.
private func tensors(_ file: String) throws -> [String: Tensor] {
    let checkpoint = try Checkpoint.open("\(fixtures)/\(file)")
    #expect(checkpoint.dimensions == plain)
    return try shapes(file).reduce(into: [:]) { $0[$1.key] = try checkpoint.weights.tensor($1.key, shape: $1.value) }
}

/// The shapes in the Hugging Face fixture, under openai's names as the checkpoint lists them.
private func shapes(_ file: String) throws -> [String: [Int]] {
    let checkpoint = try Checkpoint.open("\(fixtures)/\(file)")
    let source = try SafetensorsFile(path: "\(fixtures)/hf-f32/model.safetensors")
    let bare = Dictionary(uniqueKeysWithValues: source.names.map { ($0, source.shape(of: $0) ?? []) })
    return checkpoint.weights.names.reduce(into: [:]) { $0[$1] = bare[TinyFiles.huggingFaceName($1)] }
}

private func bits(_ tensor: Tensor?) -> [UInt32]? { tensor?.elements.map(\.bitPattern) }

@Suite struct CheckpointFormatTests {
    @Test(
        "every format gives the same tensors, bit for bit",
        arguments: ["plain.pt", "plain-f32.bin", "hf-sharded", "hf-f32/model.safetensors", "hf-f32/config.json"])
    func equalTensors(file: String) throws {
        let expected = try tensors("hf-f32")
        let actual = try tensors(file)
        #expect(expected.count == 11 + 2 * 15 + 2 * 24)
        #expect(actual.keys.sorted() == expected.keys.sorted())
        for (name, tensor) in expected { #expect(bits(actual[name]) == bits(tensor), "\(name)") }
    }

    @Test(
        "half precision widens exactly as torch widens it",
        arguments: [("hf-f16", "f16"), ("hf-bf16", "bf16"), ("plain-f16.bin", "f16")])
    func halfPrecision(file: String, type: String) throws {
        let expected = try SafetensorsFile(path: "\(fixtures)/expected-\(type).safetensors")
        let exact = try tensors("hf-f32")
        let actual = try tensors(file)
        for name in expected.names {
            // whisper.cpp leaves vectors and positions in f32
            let isFull = file.hasSuffix(".bin") && (actual[name]?.rank == 1 || name.contains("positional"))
            #expect(
                bits(actual[name]) == (isFull ? bits(exact[name]) : bits(try expected.tensor(named: name))), "\(name)")
        }
    }

    @Test("pytorch_model.bin, whole or in shards, gives what safetensors give, and runs nothing")
    func pytorchModel() throws {
        let tiny = TinyFiles()
        func archive(_ state: [UInt8]) -> [UInt8] { tiny.openAI(pickle: Pickle.program(state)) }
        let items = tiny.tensors.enumerated().map {
            (Pickle.text(TinyFiles.huggingFaceName($1.name)), Pickle.tensor(key: "\($0)", shape: $1.shape))
        }
        let ordered = Pickle.call("collections", "OrderedDict", [])
        let map = tiny.tensors.enumerated().map {
            "\"\(TinyFiles.huggingFaceName($1.name))\": \"pytorch_model-0000\($0 < 9 ? 1 : 2)-of-00002.bin\""
        }
        let whole = ["pytorch_model.bin": archive(ordered + Pickle.items(items))]
        let sharded = [
            "pytorch_model-00001-of-00002.bin": archive(Pickle.dictionary(Array(items[..<9]))),
            "pytorch_model-00002-of-00002.bin": archive(Pickle.dictionary(Array(items[9...]))),
            "pytorch_model.bin.index.json": Array("{\"weight_map\": {\(map.joined(separator: ","))}}".utf8),
        ]
        func folder(_ files: [String: [UInt8]]) -> MemoryFolder {
            var files = files
            files["config.json"] = Array(tiny.config.utf8)
            return MemoryFolder(name: "tiny", files.mapValues { FileBytes(name: "", copying: $0) })
        }
        for files in [whole, sharded] {
            let checkpoint = try Checkpoint.open(files: folder(files))
            #expect(checkpoint.format == .huggingFace)
            for (index, tensor) in tiny.tensors.enumerated() {
                let elements = try checkpoint.weights.tensor(tensor.name, shape: tensor.shape).elements
                #expect(elements == TinyFiles.values(index, tensor.shape), "\(tensor.name)")
            }
        }
        let evil = Refusal.of {
            let program = Array("cos\nsystem\n".utf8) + Pickle.tuple([Pickle.text("ls")]) + Array("R".utf8)
            _ = try Checkpoint.open(files: folder(["pytorch_model.bin": archive(program)]))
        }
        #expect(evil?.message.contains("os.system") == true, "\(evil?.message ?? "")")
        let old = Refusal.of { _ = try Checkpoint.open(files: folder(["pytorch_model.bin": [0x80, 0x02, 0x8A, 10]])) }
        #expect(old?.message.contains("before version 1.6") == true)
    }

    @Test("transposed tensors, shared storages and mixed types of a .pt are read as torch means them")
    func oddStorages() throws {
        let expected = try tensors("hf-f32")
        let halves = try tensors("hf-f16")
        let bfloats = try tensors("hf-bf16")
        for (name, tensor) in try tensors("odd.pt") {
            switch name {
            case "encoder.blocks.1.attn.query.weight": #expect(bits(tensor) == bits(halves[name]))
            case "encoder.blocks.1.attn.key.weight": #expect(bits(tensor) == bits(bfloats[name]))
            default: #expect(bits(tensor) == bits(expected[name]), "\(name)")
            }
        }
    }

    @Test("quantised blocks mean what an independent reading of their layout says, bit for bit")
    func quantised() throws {
        let checkpoint = try Checkpoint.open("\(fixtures)/quantised.bin")
        let expected = try SafetensorsFile(path: "\(fixtures)/expected-quantised.safetensors")
        #expect(expected.names.count == 5)
        for name in expected.names {
            let tensor = try checkpoint.weights.tensor(name, shape: try #require(expected.shape(of: name)))
            #expect(bits(tensor) == bits(try expected.tensor(named: name)), "\(name)")
        }
    }

    @Test("the format is recognised by content")
    func formats() throws {
        for (file, format) in [
            ("plain.pt", Checkpoint.Format.openAI), ("plain-f32.bin", .ggml), ("hf-f32", .huggingFace),
        ] {
            #expect(try Checkpoint.open("\(fixtures)/\(file)").format == format)
        }
        let bytes = FileBytes(name: "renamed.safetensors", copying: TinyFiles().ggml())
        let folder = MemoryFolder(name: "folder", [:])
        #expect(try Checkpoint.open(bytes, file: "renamed.safetensors", in: folder).format == .ggml)
    }

    @Test("generation_config.json says how to decode, and config.json what it leaves open")
    func generation() throws {
        typealias Head = GenerationConfig.AlignmentHead
        let generation = try Checkpoint.open("\(fixtures)/hf-f32").generation
        #expect(generation.alignmentHeads == [Head(layer: 1, head: 0), Head(layer: 1, head: 3)])
        #expect(generation.suppressTokens == [1, 2, 10])
        #expect(generation.beginSuppressTokens == [3, 4])
        #expect(generation.maxInitialTimestampIndex == 50)

        let config = TinyFiles().config.dropLast() + ", \"suppress_tokens\": [3, 4, 5, -1]}"
        let folder = TinyFiles().huggingFace(
            config: String(config), ["generation_config.json": Array("{\"begin_suppress_tokens\": [1]}".utf8)])
        let mixed = try Checkpoint.open(files: folder).generation
        #expect(
            mixed == GenerationConfig(suppressTokens: [3, 4], beginSuppressTokens: [1]), "ids outside 0..<5 are dropped"
        )
        #expect(try Checkpoint.open("\(fixtures)/plain.pt").generation == GenerationConfig())
    }

    @Test("the default model opens from disk and from memory, with sizes and tokens of its own")
    func defaultModel() throws {
        let path = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "models/default").path
        let onDisk = try Checkpoint.open(path)
        #expect(onDisk.dimensions.nAudioCtx == 500)
        #expect(onDisk.dimensions.nTextCtx == 64)
        #expect(onDisk.dimensions.nVocab == 2559)
        #expect(onDisk.vocabulary?.specialTokens["<|fr|>"] != nil)

        let names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"]
        let files = try names.map { ($0, try MappedFile("\(path)/\($0)").bytes) }
        let inMemory = try Checkpoint.open(
            files: MemoryFolder(name: "embedded", Dictionary(uniqueKeysWithValues: files)))
        #expect(inMemory.dimensions == onDisk.dimensions)
        #expect(inMemory.weights.names == onDisk.weights.names)
        #expect(inMemory.vocabulary?.tokens == onDisk.vocabulary?.tokens)
        #expect(inMemory.vocabulary?.specialTokens == onDisk.vocabulary?.specialTokens)
        let shape = [onDisk.dimensions.nVocab, onDisk.dimensions.nTextState]
        #expect(
            bits(try inMemory.weights.tensor("decoder.token_embedding.weight", shape: shape))
                == bits(try onDisk.weights.tensor("decoder.token_embedding.weight", shape: shape)))
    }

    @Test("a vocabulary comes from the named file, from beside the weights, or not at all")
    func vocabularies() throws {
        do {
            let temporary = try TemporaryFolder(), folder = temporary.path
            let weights = TinyFiles().openAI()
            try Data(weights).write(to: URL(fileURLWithPath: "\(folder)/tiny.pt"))
            #expect(try Checkpoint.open("\(folder)/tiny.pt").vocabulary == nil)
            let ranks = Data("YQ== 0\nYg== 1\n".utf8)
            let specials =
                #"{"special_tokens": {"<|endoftext|>": 2, "<|startoftranscript|>": 3, "<|notimestamps|>": 4}}"#
            for name in ["other/v", "v"] {
                let path = "\(folder)/\(name).tiktoken"
                try FileManager.default.createDirectory(
                    at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
                try ranks.write(to: URL(fileURLWithPath: path))
                try Data(specials.utf8).write(to: URL(fileURLWithPath: path + ".json"))
                let named = try Checkpoint.open("\(folder)/tiny.pt", vocabulary: path).vocabulary
                #expect(named?.tokens == [[97], [98]])
            }
            #expect(try Checkpoint.open("\(folder)/tiny.pt").vocabulary?.specialTokens["<|notimestamps|>"] == 4)
            let missing = Refusal.of {
                _ = try Checkpoint.open("\(folder)/tiny.pt", vocabulary: "\(folder)/none.tiktoken")
            }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("a folder in memory opens without a copy of its weights")
    func memoryFolder() throws {
        let weights = try MappedFile("\(fixtures)/hf-f32/model.safetensors")
        let config = try MappedFile("\(fixtures)/hf-f32/config.json")
        let folder = MemoryFolder(
            name: "embedded",
            static: ["model.safetensors": weights.bytes.buffer, "config.json": config.bytes.buffer])
        let tensor = try Checkpoint.open(files: folder).weights.tensor("encoder.conv2.weight", shape: [8, 8, 3])
        tensor.withUnsafeBufferPointer { elements in
            let range = weights.bytes.buffer
            #expect(UnsafeRawPointer(elements.baseAddress!) >= range.baseAddress!)
            #expect(UnsafeRawPointer(elements.baseAddress!) < range.baseAddress! + range.count)
        }
        withExtendedLifetime(config) {}
    }

    @Test("a tensor keeps its mapped file alive")
    func lifetime() throws {
        func tensor() throws -> Tensor {
            try Checkpoint.open("\(fixtures)/hf-f32").weights.tensor("decoder.ln.weight", shape: [8])
        }
        #expect(try tensor().elements == tensors("plain.pt")["decoder.ln.weight"]?.elements)
    }

    @Test("an unembedding is left out, as it is tied to the token embedding, and one that differs is told")
    func tiedOutput() throws {
        #expect(try tensors("hf-f16")["decoder.token_embedding.weight"] != nil)  // the fixture has proj_out.weight
        var untied = TinyFiles()
        untied.tensors.append(("proj_out.weight", [5, 4]))
        let weights = untied.safetensors { $0 == "proj_out.weight" ? $0 : TinyFiles.huggingFaceName($0) }
        let opened = try Checkpoint.open(files: untied.huggingFace(weights: weights))
        #expect(!opened.weights.names.contains("proj_out.weight"))
        #expect(opened.generation.ignored.count == 1 && opened.generation.ignored[0].contains("proj_out.weight"))
        let plain = try Checkpoint.open(files: TinyFiles().huggingFace())
        #expect(plain.generation.ignored.isEmpty)
    }
}
