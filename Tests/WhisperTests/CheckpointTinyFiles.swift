import TensorFiles
import TestSupport
import Whisper

/// A model of the smallest sizes, written as a checkpoint in each format by code that shares nothing with the readers.
///
/// Tests damage these files: a header field, a byte, an entry.
struct TinyFiles {
    var dimensions = ModelDimensions(
        nMels: 2, nAudioCtx: 3, nAudioState: 4, nAudioHead: 2, nAudioLayer: 1, nVocab: 5, nTextCtx: 3, nTextState: 4,
        nTextHead: 2, nTextLayer: 1)
    /// openai's names; values are made from a tensor's position in the list.
    var tensors: [(name: String, shape: [Int])]

    init() {
        tensors = [
            ("encoder.conv1.weight", [4, 2, 3]), ("encoder.conv1.bias", [4]), ("encoder.conv2.weight", [4, 4, 3]),
            ("encoder.conv2.bias", [4]), ("encoder.positional_embedding", [3, 4]), ("encoder.ln_post.weight", [4]),
            ("encoder.ln_post.bias", [4]), ("decoder.token_embedding.weight", [5, 4]),
            ("decoder.positional_embedding", [3, 4]), ("decoder.ln.weight", [4]), ("decoder.ln.bias", [4]),
        ]
        for (block, attentions) in [("encoder.blocks.0", ["attn"]), ("decoder.blocks.0", ["attn", "cross_attn"])] {
            for attention in attentions {
                for projection in ["query", "key", "value", "out"] {
                    tensors.append(("\(block).\(attention).\(projection).weight", [4, 4]))
                    if projection != "key" { tensors.append(("\(block).\(attention).\(projection).bias", [4])) }
                }
                tensors += [("\(block).\(attention)_ln.weight", [4]), ("\(block).\(attention)_ln.bias", [4])]
            }
            tensors += [
                ("\(block).mlp.0.weight", [16, 4]), ("\(block).mlp.0.bias", [16]), ("\(block).mlp.2.weight", [4, 16]),
                ("\(block).mlp.2.bias", [4]), ("\(block).mlp_ln.weight", [4]), ("\(block).mlp_ln.bias", [4]),
            ]
        }
    }

    static func values(_ index: Int, _ shape: [Int]) -> [Float] {
        (0..<shape.reduce(1, *)).map { Float(index) + Float($0) / 64 }
    }

    private static func data(_ index: Int, _ shape: [Int]) -> [UInt8] {
        values(index, shape).flatMap { little($0.bitPattern) }
    }

    /// Every name with its tensor's index, for a change to one of them.
    func index(of name: String) -> Int? { tensors.firstIndex { $0.name == name } }

    // MARK: Hugging Face

    var config: String {
        """
        {"model_type": "whisper", "num_mel_bins": \(dimensions.nMels), \
        "max_source_positions": \(dimensions.nAudioCtx), \
        "d_model": \(dimensions.nAudioState), "encoder_attention_heads": \(dimensions.nAudioHead), \
        "encoder_layers": \(dimensions.nAudioLayer), "vocab_size": \(dimensions.nVocab), \
        "max_target_positions": \(dimensions.nTextCtx), "decoder_attention_heads": \(dimensions.nTextHead), \
        "decoder_layers": \(dimensions.nTextLayer), "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
        """
    }

    /// The tensors in safetensors, under openai's names: `names` translates them.
    func safetensors(extra: String = "", names: (String) -> String = TinyFiles.huggingFaceName) -> [UInt8] {
        var header: [String] = extra.isEmpty ? [] : [extra]
        var data: [UInt8] = []
        for (index, tensor) in tensors.enumerated() {
            let bytes = Self.data(index, tensor.shape)
            header.append(
                "\"\(names(tensor.name))\": {\"dtype\": \"F32\", \"shape\": \(tensor.shape), "
                    + "\"data_offsets\": [\(data.count), \(data.count + bytes.count)]}")
            data += bytes
        }
        return safetensorsBytes(header: "{\(header.joined(separator: ", "))}", data)
    }

    func huggingFace(config: String? = nil, weights: [UInt8]? = nil, _ others: [String: [UInt8]] = [:]) -> MemoryFolder
    {
        var files = others.mapValues { FileBytes(name: "", copying: $0) }
        files["config.json"] = FileBytes(name: "", copying: (config ?? self.config).utf8)
        files["model.safetensors"] = FileBytes(name: "", copying: weights ?? safetensors())
        return MemoryFolder(name: "tiny", files)
    }

    static func huggingFaceName(_ name: String) -> String {
        let parts = name.split(separator: ".").map(String.init)
        let simple = [
            "encoder.positional_embedding": "encoder.embed_positions.weight",
            "decoder.positional_embedding": "decoder.embed_positions.weight",
            "decoder.token_embedding.weight": "decoder.embed_tokens.weight",
        ]
        if let other = simple[name] { return "model.\(other)" }
        let words = [
            "blocks": "layers", "attn": "self_attn", "cross_attn": "encoder_attn", "attn_ln": "self_attn_layer_norm",
            "cross_attn_ln": "encoder_attn_layer_norm", "mlp_ln": "final_layer_norm", "ln_post": "layer_norm",
            "ln": "layer_norm", "query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj",
        ]
        let joined = parts.map { words[$0] ?? $0 }.joined(separator: ".")
        return "model." + joined.replacing("mlp.0", with: "fc1").replacing("mlp.2", with: "fc2")
    }

    // MARK: ggml

    func ggml(sizes: [Int32]? = nil, filters: (Int32, Int32)? = nil, tokens: [[UInt8]] = [[97], [98]]) -> [UInt8] {
        let d = dimensions
        let usual = [
            d.nVocab, d.nAudioCtx, d.nAudioState, d.nAudioHead, d.nAudioLayer, d.nTextCtx, d.nTextState, d.nTextHead,
            d.nTextLayer, d.nMels, 0,
        ]
        var out = little(UInt32(0x6767_6D6C))
        for size in sizes ?? usual.map(Int32.init) { out += little(size) }
        let (rows, columns) = filters ?? (Int32(d.nMels), 3)
        out += little(rows) + little(columns) + [UInt8](repeating: 0, count: 4 * 3 * 2)
        out += little(Int32(tokens.count)) + tokens.flatMap { little(Int32($0.count)) + $0 }
        for (index, tensor) in tensors.enumerated() {
            let isBias = tensor.name.hasPrefix("encoder.conv") && tensor.shape.count == 1
            out += Self.ggmlTensor(
                tensor.name, isBias ? tensor.shape + [1] : tensor.shape, Self.data(index, tensor.shape))
        }
        return out
    }

    static func ggmlTensor(_ name: String, _ shape: [Int], type: Int32 = 0, _ data: [UInt8]) -> [UInt8] {
        little(Int32(shape.count)) + little(Int32(name.utf8.count)) + little(type)
            + shape.reversed().flatMap { little(Int32($0)) } + Array(name.utf8) + data
    }

    // MARK: openai

    /// The zip archive: `pickle` and one storage for each tensor.
    func openAI(pickle: [UInt8]? = nil) -> [UInt8] {
        var zip = storages
        zip.append(ZipEntry("tiny/data.pkl", pickle ?? self.pickle()))
        return zip.finished()
    }

    /// The archive without its pickle.
    var storages: ZipBytes {
        var zip = ZipBytes()
        for (index, tensor) in tensors.enumerated() {
            zip.append(ZipEntry("tiny/data/\(index)", Self.data(index, tensor.shape)))
        }
        return zip
    }

    /// `{"dims": {…}, "model_state_dict": OrderedDict}`.
    func pickle(dims: [UInt8]? = nil, state: [UInt8]? = nil) -> [UInt8] {
        let dims = dims ?? Pickle.dictionary(named.map { (Pickle.text($0.0), Pickle.int($0.1)) })
        return Pickle.program(
            Pickle.dictionary([(Pickle.text("dims"), dims), (Pickle.text("model_state_dict"), state ?? self.state())]))
    }

    /// The state dictionary, with what `wrap` makes of each tensor.
    func state(_ wrap: ([UInt8]) -> [UInt8] = { $0 }) -> [UInt8] {
        let items = tensors.enumerated().map { index, tensor in
            (Pickle.text(tensor.name), wrap(Pickle.tensor(key: "\(index)", shape: tensor.shape)))
        }
        return Pickle.call("collections", "OrderedDict", []) + Pickle.items(items)
    }

    private var named: [(String, Int)] {
        let d = dimensions
        return [
            ("n_mels", d.nMels), ("n_audio_ctx", d.nAudioCtx), ("n_audio_state", d.nAudioState),
            ("n_audio_head", d.nAudioHead), ("n_audio_layer", d.nAudioLayer), ("n_vocab", d.nVocab),
            ("n_text_ctx", d.nTextCtx), ("n_text_state", d.nTextState), ("n_text_head", d.nTextHead),
            ("n_text_layer", d.nTextLayer),
        ]
    }
}

/// Opcodes of a pickle, each function the program that leaves one value on the stack.
enum Pickle {
    static func program(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + Array(".".utf8) }
    static func text(_ text: String) -> [UInt8] {
        Array("X".utf8) + little(UInt32(text.utf8.count)) + Array(text.utf8)
    }
    static func int(_ value: Int) -> [UInt8] {
        if let small = Int32(exactly: value) { return Array("J".utf8) + little(small) }
        return [0x8A, 8] + little(Int64(value))
    }
    static func tuple(_ parts: [[UInt8]]) -> [UInt8] { Array("(".utf8) + parts.flatMap { $0 } + Array("t".utf8) }
    static func items(_ pairs: [([UInt8], [UInt8])]) -> [UInt8] {
        Array("(".utf8) + pairs.flatMap { $0.0 + $0.1 } + Array("u".utf8)
    }
    static func dictionary(_ pairs: [([UInt8], [UInt8])]) -> [UInt8] { Array("}".utf8) + items(pairs) }
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
        global(module, name) + tuple(arguments) + Array("R".utf8)
    }

    static func tensor(
        key: String, shape: [Int], strides: [Int]? = nil, offset: Int = 0, count: Int? = nil,
        type: String = "FloatStorage"
    ) -> [UInt8] {
        var usual = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { usual[axis] = usual[axis + 1] &* shape[axis + 1] }
        let id = tuple([
            text("storage"), global("torch", type), text(key), text("cpu"), int(count ?? shape.reduce(1, *)),
        ])
        return call(
            "torch._utils", "_rebuild_tensor_v2",
            [
                id + Array("Q".utf8), int(offset), tuple(shape.map(int)), tuple((strides ?? usual).map(int)), [0x89],
                call("collections", "OrderedDict", []),
            ])
    }

    /// `tensor` in a call of `function`, as an `nn.Parameter` is saved.
    static func parameter(
        _ tensor: [UInt8], by function: String = "_rebuild_parameter", isTrained: Bool = true, _ more: [[UInt8]] = []
    ) -> [UInt8] {
        let arguments = [tensor, [isTrained ? 0x88 : 0x89], call("collections", "OrderedDict", [])]
        return call("torch._utils", function, arguments + more)
    }
}

/// A stored entry of a zip archive, with the fields that a test may lie about.
struct ZipEntry {
    var name: String
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    var crc: UInt32 = 0
    var size: UInt32
    var offset: UInt32?
    var localName: String
    /// Sizes and offset in the directory's zip64 field, as in archives of 4 GiB, and not in their usual places.
    var isLong = false

    init(_ name: String, _ data: [UInt8]) {
        self.name = name
        self.data = data
        self.size = UInt32(data.count)
        self.localName = name
    }

    static func archive(_ entries: [ZipEntry], count: UInt16? = nil, directoryShift: Int32 = 0) -> [UInt8] {
        var zip = ZipBytes()
        for entry in entries { zip.append(entry) }
        return zip.finished(count: count, directoryShift: directoryShift)
    }
}

/// A zip archive that grows.
struct ZipBytes {
    private var out: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: UInt16 = 0

    mutating func append(_ entry: ZipEntry) {
        let size = entry.isLong ? UInt32.max : entry.size
        let offset = entry.offset ?? UInt32(out.count)
        let long = [UInt64(entry.size), UInt64(entry.size), UInt64(offset)].flatMap { little($0) }
        let field = [UInt16(7), 0, 1, 24].flatMap { little($0) } + long  // an unknown field before it
        let extra = entry.isLong ? field : []
        let fields =
            little(UInt16(20)) + little(entry.flags) + little(entry.method) + little(UInt32(0))
            + little(entry.crc) + little(size) + little(size)
        directory += little(UInt32(0x0201_4B50)) + little(UInt16(20)) + fields
        directory += little(UInt16(entry.name.utf8.count)) + little(UInt16(extra.count))
        directory += [UInt8](repeating: 0, count: 10)
        directory += little(entry.isLong ? UInt32.max : offset) + Array(entry.name.utf8) + extra
        out += little(UInt32(0x0403_4B50)) + fields + little(UInt16(entry.localName.utf8.count))
        let padding = (64 - (out.count + 2 + entry.localName.utf8.count) % 64) % 64
        out += little(UInt16(padding)) + Array(entry.localName.utf8) + [UInt8](repeating: 0, count: padding)
        out += entry.data
        count += 1
    }

    func finished(count: UInt16? = nil, directoryShift: Int32 = 0) -> [UInt8] {
        let total = count ?? self.count
        return out + directory + little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(total) + little(total)
            + little(UInt32(directory.count)) + little(UInt32(Int32(out.count) + directoryShift)) + little(UInt16(0))
    }
}
