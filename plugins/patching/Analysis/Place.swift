import PluginKit

/// A part of the model whose activation is put from one recording into the other.
struct Place: Hashable {
    enum Kind: String, CaseIterable {
        case frames = "encoder stream"
        case encoderHead = "encoder head"
        case encoderMLP = "encoder MLP"
        case tokens = "decoder stream"
        case decoderHead = "decoder head"
        case crossHead = "cross-attention head"
        case decoderMLP = "decoder MLP"
    }

    let kind: Kind
    /// The block; −1 for what enters the first.
    let layer: Int
    /// The window of frames, the token (from the last one, which is 0, backwards), or the head; 0 where there is one only.
    let index: Int
    /// Positions; nil for all.
    var rows: Range<Int>?

    var head: Int? { [.encoderHead, .decoderHead, .crossHead].contains(kind) ? index : nil }

    /// Whether it is one part of a block, and so can be named in a sentence.
    var isPart: Bool { kind != .frames && kind != .tokens }

    var hook: String {
        switch kind {
        case .frames: layer < 0 ? "encoder.positional" : "encoder.blocks.\(layer)"
        case .encoderHead: "encoder.blocks.\(layer).attn.z"
        case .encoderMLP: "encoder.blocks.\(layer).mlp"
        case .tokens: layer < 0 ? "decoder.positional" : "decoder.blocks.\(layer)"
        case .decoderHead: "decoder.blocks.\(layer).attn.z"
        case .crossHead: "decoder.blocks.\(layer).cross_attn.z"
        case .decoderMLP: "decoder.blocks.\(layer).mlp"
        }
    }

    /// Where an intervention acts that changes it.
    var target: String {
        let positions =
            rows.map { " @\(kind == .tokens ? "tokens" : "frames") \($0.lowerBound):\($0.upperBound)" } ?? ""
        return hook + positions + (head.map { " @heads \($0)" } ?? "")
    }

    var name: String { "\(kind.rawValue) \(layer)\(head.map { ".\($0)" } ?? "")" }

    /// All hook points that places lie at.
    static let hooks = [
        "encoder.positional", "encoder.blocks.*", "encoder.blocks.*.attn.z", "encoder.blocks.*.mlp", "decoder.blocks.*",
        "decoder.blocks.*.attn.z", "decoder.blocks.*.cross_attn.z", "decoder.blocks.*.mlp",
    ]

    /// All places of a pass.
    /// - Parameters:
    ///   - frames: that both recordings have.
    ///   - step: frames of a window.
    ///   - tokens: that the decoder reads.
    static func all(in run: Run, frames: Int, step: Int, tokens: Int) -> [Place] {
        var places: [Place] = []
        for layer in -1..<run.nAudioLayer {
            for window in 0..<(frames + step - 1) / step {
                let rows = window * step..<min((window + 1) * step, frames)
                places.append(Place(kind: .frames, layer: layer, index: window, rows: rows))
            }
        }
        for layer in 0..<run.nAudioLayer {
            // Of a clean recording that is longer, no more than the other has.
            places += (0..<run.nAudioHead).map { Place(kind: .encoderHead, layer: layer, index: $0, rows: 0..<frames) }
            places.append(Place(kind: .encoderMLP, layer: layer, index: 0, rows: 0..<frames))
        }
        for layer in 0..<run.nTextLayer {
            places += (0..<tokens).map {
                Place(kind: .tokens, layer: layer, index: tokens - 1 - $0, rows: $0..<$0 + 1)
            }
            for kind in [Kind.decoderHead, .crossHead] {
                places += (0..<run.nTextHead).map { Place(kind: kind, layer: layer, index: $0) }
            }
            places.append(Place(kind: .decoderMLP, layer: layer, index: 0))
        }
        return places
    }
}
