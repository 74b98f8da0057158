import TestSupport
import Whisper

/// CTranslate2's `model.bin`, written by code that shares nothing with its reader.
struct CTranslate2Bytes {
    struct Variable {
        var name: String
        var shape: [Int]
        var type: UInt8
        var data: [UInt8]
    }

    var version: UInt32 = 6
    var specification = "WhisperSpec"
    var revision: UInt32 = 3
    var variables: [Variable] = []
    var aliases: [(alias: String, name: String)] = [("decoder/projection/weight", "decoder/embeddings/weight")]

    var bytes: [UInt8] {
        var out = little(version) + Self.text(specification) + little(revision) + little(UInt32(variables.count))
        for variable in variables {
            out += Self.text(variable.name) + [UInt8(variable.shape.count)]
            for extent in variable.shape { out += little(UInt32(truncatingIfNeeded: extent)) }
            out += [variable.type] + little(UInt32(variable.data.count)) + variable.data
        }
        out += little(UInt32(aliases.count))
        for (alias, name) in aliases { out += Self.text(alias) + Self.text(name) }
        return out
    }

    static func text(_ text: String) -> [UInt8] { little(UInt16(text.utf8.count + 1)) + Array(text.utf8) + [0] }

    subscript(_ name: String) -> Variable? { variables.first { $0.name == name } }

    mutating func change(_ name: String, _ change: (inout Variable) -> Void) {
        guard let index = variables.firstIndex(where: { $0.name == name }) else { return }
        change(&variables[index])
    }
}

/// How CTranslate2 stores weights: matrices one way, everything else another.
enum CTranslate2Encoding: String, CaseIterable, Sendable {
    case float32, float16, bfloat16, int8, int8Float16 = "int8_float16", int8BFloat16 = "int8_bfloat16", int16
    case int8PerTensor = "int8 with one scale"

    private var plainType: UInt8 {
        switch self {
        case .float16, .int8Float16: 4
        case .bfloat16, .int8BFloat16: 5
        default: 0
        }
    }

    private var isQuantised: Bool { ![.float32, .float16, .bfloat16].contains(self) }

    /// The variables that hold `values`, and the values that a reader should get from them.
    func variables(_ name: String, _ shape: [Int], _ values: [Float]) -> ([CTranslate2Bytes.Variable], [Float]) {
        // Positions are no layer's weights, so they have no scales.
        guard isQuantised, shape.count > 1, name.hasSuffix("/weight") else { return plain(name, shape, values) }
        let rows = self == .int8 || self == .int8Float16 || self == .int8BFloat16 ? shape[0] : 1
        let columns = values.count / rows
        let top: Float = self == .int16 ? 1024 : 127
        let scales = (0..<rows).map { row in
            let largest = values[row * columns..<(row + 1) * columns].map(abs).max() ?? 0
            return top / (largest == 0 ? top : largest)
        }
        let numbers = values.indices.map { (values[$0] * scales[$0 / columns]).rounded(.toNearestOrEven) }
        let data =
            self == .int16 ? numbers.flatMap { little(Int16($0)) } : numbers.map { UInt8(bitPattern: Int8($0)) }
        let scale = CTranslate2Bytes.Variable(
            name: name + "_scale", shape: rows == 1 ? [] : [rows], type: 0,
            data: scales.flatMap { little($0.bitPattern) })
        return (
            [.init(name: name, shape: shape, type: self == .int16 ? 2 : 1, data: data), scale],
            // Integers have no −0.
            numbers.indices.map { (numbers[$0] + 0) / scales[$0 / columns] }
        )
    }

    private func plain(_ name: String, _ shape: [Int], _ values: [Float]) -> ([CTranslate2Bytes.Variable], [Float]) {
        let data: [UInt8]
        let read: [Float]
        switch plainType {
        case 4:
            data = values.flatMap { little(Float16($0).bitPattern) }
            read = values.map { Float(Float16($0)) }
        case 5:
            data = values.flatMap { little(UInt16($0.bitPattern >> 16)) }
            read = values.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
        default:
            data = values.flatMap { little($0.bitPattern) }
            read = values
        }
        return ([.init(name: name, shape: shape, type: plainType, data: data)], read)
    }
}

extension TinyFiles {
    /// These tensors as CTranslate2 has them, with values of the test's own or those of the other formats, and what a
    /// reader should get under openai's names.
    func cTranslate2(
        _ encoding: CTranslate2Encoding = .float32, values: ((String, [Int]) -> [Float])? = nil
    ) -> (file: CTranslate2Bytes, expected: [String: [Float]]) {
        var file = CTranslate2Bytes()
        var expected: [String: [Float]] = [:]
        var fused: [String: [(part: String, shape: [Int], values: [Float])]] = [:]
        var order: [String] = []
        for (index, tensor) in tensors.enumerated() {
            let values = values?(tensor.name, tensor.shape) ?? Self.values(index, tensor.shape)
            var name = Self.cTranslate2Name(tensor.name)
            // A name that comes again is a variable of its own, as a damaged file has it.
            if fused[name]?.contains(where: { $0.part == tensor.name }) == true { name += "\u{0}again" }
            if fused[name] == nil { order.append(name) }
            fused[name, default: []].append((tensor.name, tensor.shape, values))
        }
        for name in order {
            var parts = (fused[name] ?? []).sorted { Self.place($0.part) < Self.place($1.part) }
            if name.hasSuffix("linear_0/bias") || name.hasSuffix("attention/linear_1/bias"), let first = parts.first,
                name.contains("self_attention/linear_0") || first.part.contains("cross_attn.value"),
                !parts.contains(where: { $0.part.contains("key") })
            {
                let zeros = [Float](repeating: 0, count: first.values.count)
                parts.insert(("key.bias", first.shape, zeros), at: parts.count - 1)
            }
            let shape = [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst()
            let (variables, read) = encoding.variables(
                String(name.prefix { $0 != "\u{0}" }), shape, parts.flatMap(\.values))
            file.variables += variables
            var at = 0
            for part in parts {
                expected[part.part] = Array(read[at..<at + part.values.count])
                at += part.values.count
            }
        }
        expected["key.bias"] = nil
        for (side, heads) in [("encoder", dimensions.nAudioHead), ("decoder", dimensions.nTextHead)] {
            file.variables.append(
                .init(name: "\(side)/num_heads", shape: [], type: 2, data: little(Int16(truncatingIfNeeded: heads))))
            file.variables.append(.init(name: "\(side)/activation", shape: [], type: 1, data: [3]))
            file.variables.append(.init(name: "\(side)/pre_norm", shape: [], type: 1, data: [1]))
        }
        return (file, expected)
    }

    /// Query, key, value: the order in which they are fused.
    private static func place(_ name: String) -> Int {
        ["query", "key", "value"].firstIndex { name.contains(".\($0).") } ?? 0
    }

    private static func cTranslate2Name(_ name: String) -> String {
        let simple = [
            "encoder.positional_embedding": "encoder/position_encodings/encodings",
            "decoder.positional_embedding": "decoder/position_encodings/encodings",
            "decoder.token_embedding.weight": "decoder/embeddings/weight",
            "encoder.ln_post.weight": "encoder/layer_norm/gamma", "encoder.ln_post.bias": "encoder/layer_norm/beta",
            "decoder.ln.weight": "decoder/layer_norm/gamma", "decoder.ln.bias": "decoder/layer_norm/beta",
        ]
        if let other = simple[name] { return other }
        let path = name.split(separator: ".").map(String.init)
        guard path.count > 4, path[1] == "blocks" else { return path.joined(separator: "/") }
        let isWeight = path.last == "weight"
        let module = path[3..<path.count - 1].joined(separator: ".")
        let norms = ["attn_ln": "self_attention", "cross_attn_ln": "attention", "mlp_ln": "ffn"]
        if let part = norms[module] {
            return "\(path[0])/layer_\(path[2])/\(part)/layer_norm/\(isWeight ? "gamma" : "beta")"
        }
        let linears = [
            "attn.query": "self_attention/linear_0", "attn.key": "self_attention/linear_0",
            "attn.value": "self_attention/linear_0", "attn.out": "self_attention/linear_1",
            "cross_attn.query": "attention/linear_0", "cross_attn.key": "attention/linear_1",
            "cross_attn.value": "attention/linear_1", "cross_attn.out": "attention/linear_2",
            "mlp.0": "ffn/linear_0", "mlp.2": "ffn/linear_1",
        ]
        return "\(path[0])/layer_\(path[2])/\(linears[module] ?? module)/\(path[path.count - 1])"
    }
}
