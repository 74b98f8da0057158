import Foundation
import Kernels
import PluginKit
import TensorFiles
import TestHost

/// A host with a model whose every cause is known.
///
/// Of a frame the stream has two numbers: what is heard, and what was made of it. Head 1 of block 0 writes the first into the second; head 0
/// writes nothing that anybody reads. Head 0 of the decoder's cross-attention sums the second over ``word``, and that is the logit of token 2
/// behind the last token; all others are 0. Tokens: 1 "say", 2 "rug", 3 "mug", 50 the end, 51 the start.
struct PlantedModel {
    static let word = 4..<6
    private static let words = ["say": Int32(1), "rug": 2, "mug": 3, "<|endoftext|>": 50]

    /// Passes that were asked for.
    final class Count { var passes = 0, gradients = 0 }
    let count = Count()
    let folder: String
    /// What the model writes of a recording.
    var writes: ([Float]) -> [Int32] = { ($0.max() ?? 0) > 0 ? [51, 1, 2] : [51, 1, 3] }

    var services: TestServices {
        var services = TestServices()
        services.folder = folder
        services.encode = { text, _ in text.split(separator: " ").map { Self.words[String($0)] ?? 9 } }
        services.decode = { ids in
            ids.map { id in Self.words.first { $0.value == id }?.key ?? "?" }.joined(separator: " ")
        }
        services.pass = { try pass($0) }
        return services
    }

    /// A recording: what is heard in each frame.
    static func clip(_ name: String, _ heard: [Float], _ labels: [String: String] = [:]) -> TestClip {
        var clip = TestClip()
        (clip.name, clip.samples, clip.labels, clip.validFrames) = (name, heard, labels, heard.count)
        return clip
    }

    // MARK: - The pass

    private struct Change {
        let hook: String
        let rows: Range<Int>?
        let head: Int?
        let reader: String?
        let operation: String
        let file: String
        let factor: Float

        init(_ text: String) throws {
            let form =
                /([^ ]+)(?: @(?:frames|tokens) (\d+):(\d+))?(?: @heads (\d+))?(?: @to ([^ ]+))? = (patch|add) "([^"]+)"(?: ([\d.]+))?/
            guard let found = text.wholeMatch(of: form) else {
                throw PluginError(.invalidArgument, "no change: \(text)")
            }
            hook = String(found.1)
            rows = found.2.flatMap { a in found.3.flatMap { b in Int(a)!..<Int(b)! } }
            head = found.4.flatMap { Int($0) }
            reader = found.5.map(String.init)
            (operation, file) = (String(found.6), String(found.7))
            factor = found.8.flatMap { Float($0) } ?? 1
        }

        /// - Parameter heads: how many a position has; nil where none.
        func apply(to x: inout [Float], width: Int, heads: Int?) throws {
            let tensors = try SafetensorsFile(path: file)
            let tensor = try tensors.tensor(named: operation == "patch" ? hook : "vector").elements
            let positions = min(x.count / width, operation == "patch" ? tensor.count / width : .max)
            for row in rows ?? 0..<positions {
                for i in 0..<width where head == nil || i / (width / (heads ?? 1)) == head {
                    if operation == "patch" {
                        x[row * width + i] = tensor[row * width + i]
                    } else {
                        x[row * width + i] += factor * tensor[i]
                    }
                }
            }
        }
    }

    private func pass(_ pass: TestPass) throws -> (values: [Double], tensors: [TestTensor]) {
        count.passes += 1
        let heard = pass.samples ?? [], frames = heard.count, word = Self.word.clamped(to: 0..<frames)
        let tokens = pass.tokens.isEmpty ? writes(heard) : pass.tokens
        let changes = try pass.interventions.map(Change.init)
        var values: [(name: String, axes: [String], shape: [Int], values: [Float])] = []
        func at(_ name: String, _ shape: [Int], _ x: [Float], reader: String? = nil) throws -> [Float] {
            var x = x
            let width = shape.dropFirst().reduce(1, *)
            for change in changes where change.hook == name && change.reader == reader {
                try change.apply(to: &x, width: width, heads: shape.count == 3 ? shape[1] : nil)
            }
            if reader == nil {
                values.append(
                    (
                        name, [name.hasPrefix("encoder") ? "frame" : "token"] + shape.dropFirst().map { _ in "" },
                        shape, x
                    ))
            }
            return x
        }
        // The encoder.
        var stream = try at("encoder.positional", [frames, 2], heard.flatMap { [$0, 0] })
        var sent: Float = 0
        for layer in 0..<2 {
            let name = "encoder.blocks.\(layer).attn.z"
            let made = (0..<frames).flatMap { frame -> [Float] in layer == 0 ? [0.5, stream[2 * frame]] : [0.5, 0.5] }
            let z = try at(name, [frames, 2, 1], made)
            if layer == 0 {
                for frame in 0..<frames { stream[2 * frame + 1] += z[2 * frame + 1] }
                // Who alone reads the decoder's input gets what an edge to it carries.
                let edge = try at(name, [frames, 2, 1], z, reader: "encoder.ln_post")
                sent = word.reduce(0) { $0 + edge[2 * $1 + 1] - z[2 * $1 + 1] }
            }
            _ = try at("encoder.blocks.\(layer).mlp", [frames, 2], .init(repeating: 0, count: 2 * frames))
            stream = try at("encoder.blocks.\(layer)", [frames, 2], stream)
        }
        // The decoder.
        let heardWord = word.reduce(0) { $0 + stream[2 * $1 + 1] } + sent, last = tokens.count - 1
        _ = try at("decoder.token_embedding", [tokens.count, 1], tokens.map(Float.init))
        _ = try at("decoder.blocks.0.attn.z", [tokens.count, 2, 1], .init(repeating: 0.1, count: 2 * tokens.count))
        let cross = try at(
            "decoder.blocks.0.cross_attn.z", [tokens.count, 2, 1], tokens.flatMap { _ in [heardWord, 0.2] })
        _ = try at("decoder.blocks.0.mlp", [tokens.count, 1], .init(repeating: 0, count: tokens.count))
        let said = try at("decoder.blocks.0", [tokens.count, 1], tokens.indices.map { cross[2 * $0] })
        var logits = [Float](repeating: 0, count: 16 * tokens.count)
        for token in tokens.indices { logits[16 * token + 2] = said[token] }
        _ = try at("decoder.logits", [tokens.count, 16], logits)

        let objective = "token 2 - 3 behind \(last)"
        guard pass.objectives.isEmpty || pass.objectives == [objective] else {
            throw PluginError(.invalidArgument, "\(pass.objectives) is not \(objective)")
        }
        let wanted = values.filter { value in pass.hooks.contains { Self.matches(value.name, $0) } }
        var tensors = wanted.map { TestTensor($0.name, axes: $0.axes, shape: $0.shape, values: $0.values) }
        tensors.insert(
            TestTensor("tokens", axes: ["token"], shape: [tokens.count], values: tokens.map(Float.init)), at: 0)
        guard !pass.objectives.isEmpty else { return ([], tensors) }
        if !wanted.isEmpty { count.gradients += 1 }
        tensors += wanted.reversed().map { value in
            let slopes = value.values.indices.map { slope(value.name, $0, value.shape, word, last) }
            return TestTensor(value.name + "@grad", axes: value.axes, shape: value.shape, values: slopes)
        }
        return ([Double(said[last])], tensors)
    }

    private func slope(_ name: String, _ i: Int, _ shape: [Int], _ word: Range<Int>, _ last: Int) -> Float {
        let width = shape.dropFirst().reduce(1, *), isWord = word.contains(i / width), isLast = i / width == last
        switch name {
        case "encoder.positional": return isWord ? 1 : 0
        case "encoder.blocks.0.attn.z", "encoder.blocks.0", "encoder.blocks.1", "encoder.blocks.0.mlp",
            "encoder.blocks.1.mlp":
            return isWord && i % 2 == 1 ? 1 : 0
        case "decoder.blocks.0.cross_attn.z": return isLast && i % 2 == 0 ? 1 : 0
        case "decoder.blocks.0", "decoder.blocks.0.mlp": return isLast ? 1 : 0
        default: return 0
        }
    }

    private static func matches(_ name: String, _ glob: String) -> Bool {
        let (parts, wanted) = (name.split(separator: "."), glob.split(separator: "."))
        return parts.count == wanted.count && zip(parts, wanted).allSatisfy { $1 == "*" || $0 == $1 }
    }
}
