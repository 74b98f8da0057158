import Foundation
import StrictJSON
import TensorFiles
import Whisper

/// A Hugging Face folder with weights that are drawn: for speed where no released model is at hand. float16, as those are.
///
/// Products, sums and softmax cost the same whatever the numbers are, as long as none is denormal or infinite; so weights
/// are scaled to keep activations near those of a trained model, and are taken from one block of draws again and again.
public struct RandomCheckpoint {
    let dimensions: ModelDimensions
    /// Normal deviates, of which tensors take stretches.
    private let draws: [Float]

    public init(_ dimensions: ModelDimensions, seed: UInt64 = 1) {
        self.dimensions = dimensions
        var generator = SplitMix(state: seed)
        draws = (0..<1 << 19).flatMap { _ in generator.normals() }
    }

    /// Bytes of the file, nearly.
    public static func size(_ dimensions: ModelDimensions) -> Double { 2 * ModelCost.weights(dimensions) }

    /// - Throws: what writing throws.
    public func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let writer = try SafetensorsWriter(path: folder + "/model.safetensors")
        for (index, tensor) in tensors.enumerated() {
            let half = values(tensor, index)
            try half.withUnsafeBytes { try writer.append(tensor.name, type: .float16, shape: tensor.shape, bytes: $0) }
        }
        try writer.finish(metadata: ["format": "pt"])
        try config.text.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
        if endOfText == Self.publishedTokens {
            try vocabulary.write(toFile: folder + "/multilingual.tiktoken", atomically: true, encoding: .utf8)
        }
    }

    /// Ordinary tokens of a multilingual Whisper.
    private static let publishedTokens = 50_257

    /// Tokens that stand for something, so that what is decoded can be written: single bytes, then pairs and threes of letters.
    private var vocabulary: String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        var tokens = (0..<256).map { [UInt8($0)] }
        for first in letters { tokens += letters.map { [first, $0] } }
        for first in letters { for second in letters { tokens += letters.map { [first, second, $0] } } }
        return tokens.prefix(endOfText).enumerated()
            .map { "\(Data($1).base64EncodedString()) \($0)\n" }.joined()
    }

    /// The first special token: there are 1,608 of them, and in the 100 languages of large-v3 one more.
    private var endOfText: Int { dimensions.nVocab - 1608 - (dimensions.nVocab == 51866 ? 1 : 0) }

    struct Declaration {
        var name: String
        var shape: [Int]
        /// Standard deviation, and what it lies around.
        var scale: Float
        var centre: Float = 0
    }

    /// Hugging Face's names, PyTorch's shapes.
    var tensors: [Declaration] {
        let d = dimensions.nAudioState
        var all = [
            convolution("model.encoder.conv1", d, dimensions.nMels), bias("model.encoder.conv1", d),
            convolution("model.encoder.conv2", d, d), bias("model.encoder.conv2", d),
            Declaration(name: "model.encoder.embed_positions.weight", shape: [dimensions.nAudioCtx, d], scale: 0.5),
        ]
        for layer in 0..<dimensions.nAudioLayer { all += block("model.encoder.layers.\(layer)", d, crosses: false) }
        all += norm("model.encoder.layer_norm", d)
        all += [
            Declaration(
                name: "model.decoder.embed_tokens.weight", shape: [dimensions.nVocab, d],
                scale: 2 / Float(d).squareRoot()),
            Declaration(name: "model.decoder.embed_positions.weight", shape: [dimensions.nTextCtx, d], scale: 0.1),
        ]
        for layer in 0..<dimensions.nTextLayer { all += block("model.decoder.layers.\(layer)", d, crosses: true) }
        return all + norm("model.decoder.layer_norm", d)
    }

    private func block(_ name: String, _ d: Int, crosses: Bool) -> [Declaration] {
        attention(name + ".self_attn", d) + (crosses ? attention(name + ".encoder_attn", d) : [])
            + [
                linear(name + ".fc1", 4 * d, d), bias(name + ".fc1", 4 * d), linear(name + ".fc2", d, 4 * d),
                bias(name + ".fc2", d),
            ] + norm(name + ".final_layer_norm", d)
    }

    /// With its norm; the key has no bias.
    private func attention(_ name: String, _ d: Int) -> [Declaration] {
        var all: [Declaration] = []
        for projection in ["q_proj", "k_proj"] { all.append(linear("\(name).\(projection)", d, d, gain: 1.7)) }
        for projection in ["v_proj", "out_proj"] { all.append(linear("\(name).\(projection)", d, d)) }
        for projection in ["q_proj", "v_proj", "out_proj"] { all.append(bias("\(name).\(projection)", d)) }
        return all + norm(name + "_layer_norm", d)
    }

    private func linear(_ name: String, _ out: Int, _ inputs: Int, gain: Float = 1) -> Declaration {
        Declaration(name: name + ".weight", shape: [out, inputs], scale: gain / Float(inputs).squareRoot())
    }

    private func convolution(_ name: String, _ out: Int, _ inputs: Int) -> Declaration {
        Declaration(name: name + ".weight", shape: [out, inputs, 3], scale: 1 / Float(3 * inputs).squareRoot())
    }

    private func bias(_ name: String, _ count: Int) -> Declaration {
        Declaration(name: name + ".bias", shape: [count], scale: 0.1)
    }

    private func norm(_ name: String, _ count: Int) -> [Declaration] {
        [
            Declaration(name: name + ".weight", shape: [count], scale: 0.1, centre: 1),
            Declaration(name: name + ".bias", shape: [count], scale: 0.1),
        ]
    }

    private func values(_ tensor: Declaration, _ index: Int) -> [UInt16] {
        let count = tensor.shape.reduce(1, *)
        let start = index &* 7919
        return [UInt16](unsafeUninitializedCapacity: count) { out, written in
            draws.withUnsafeBufferPointer { draws in
                for i in 0..<count {
                    out[i] = Self.half(tensor.centre + tensor.scale * draws[(start &+ i) % draws.count])
                }
            }
            written = count
        }
    }

    /// The float16 of `value`, cut off and not rounded; what is too small for a normal one becomes 0.
    static func half(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let exponent = Int(bits >> 23 & 0xFF) - 127 + 15
        guard exponent > 0 else { return sign }
        guard exponent < 31 else { return sign | 0x7BFF }
        return sign | UInt16(exponent) << 10 | UInt16(truncatingIfNeeded: bits >> 13 & 0x3FF)
    }

    private var config: JSON {
        let end = endOfText
        return .object([
            ("model_type", .string("whisper")),
            ("architectures", .array([.string("WhisperForConditionalGeneration")])),
            ("torch_dtype", .string("float16")), ("activation_function", .string("gelu")),
            ("scale_embedding", .bool(false)), ("dropout", .number(0)),
            ("d_model", .integer(dimensions.nAudioState)), ("vocab_size", .integer(dimensions.nVocab)),
            ("num_mel_bins", .integer(dimensions.nMels)), ("max_source_positions", .integer(dimensions.nAudioCtx)),
            ("max_target_positions", .integer(dimensions.nTextCtx)),
            ("encoder_layers", .integer(dimensions.nAudioLayer)),
            ("encoder_attention_heads", .integer(dimensions.nAudioHead)),
            ("encoder_ffn_dim", .integer(4 * dimensions.nAudioState)),
            ("decoder_layers", .integer(dimensions.nTextLayer)),
            ("decoder_attention_heads", .integer(dimensions.nTextHead)),
            ("decoder_ffn_dim", .integer(4 * dimensions.nTextState)),
            ("bos_token_id", .integer(end)), ("eos_token_id", .integer(end)), ("pad_token_id", .integer(end)),
            ("decoder_start_token_id", .integer(end + 1)),
        ])
    }
}

/// Sebastiano Vigna's SplitMix64, and Box and Muller's normal deviates from it.
private struct SplitMix {
    var state: UInt64

    private mutating func uniform() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (Float((z ^ (z >> 31)) >> 41) + 0.5) / Float(1 << 23)
    }

    mutating func normals() -> [Float] {
        let radius = (-2 * logf(uniform())).squareRoot(), angle = 2 * Float.pi * uniform()
        return [radius * cosf(angle), radius * sinf(angle)]
    }
}
