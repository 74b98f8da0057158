import PluginKit

/// One head of a model.
package struct AttentionHead: Codable, Hashable, Comparable, Sendable {
    /// Which attention it is of.
    package enum Kind: String, CaseIterable, Codable, Sendable {
        /// Frames to frames.
        case encoder
        /// Tokens to the tokens before them.
        case decoder
        /// Tokens to frames.
        case cross
    }

    /// What stands in its place.
    package enum Change: String, CaseIterable, Sendable {
        case zero
        /// What it gives on average over the positions of the pass.
        case mean
    }

    package let kind: Kind
    package let layer, head: Int

    package init(_ kind: Kind, layer: Int, head: Int) { (self.kind, self.layer, self.head) = (kind, layer, head) }

    /// Heads of a kind: by layer, and in a layer.
    package static func count(of kind: Kind, in run: Run) -> (layers: Int, heads: Int) {
        kind == .encoder ? (run.nAudioLayer, run.nAudioHead) : (run.nTextLayer, run.nTextHead)
    }

    /// All heads of some kinds, in the order of kind, layer and number.
    /// - Parameter layers: empty for all.
    package static func all(_ kinds: [Kind], layers: [Int] = [], in run: Run) -> [AttentionHead] {
        kinds.flatMap { kind in
            let (count, heads) = count(of: kind, in: run)
            return (0..<count).filter { layers.isEmpty || layers.contains($0) }.flatMap { layer in
                (0..<heads).map { AttentionHead(kind, layer: layer, head: $0) }
            }
        }
    }

    /// "decoder 2.5": head 5 of block 2.
    package var name: String { "\(kind.rawValue) \(layer).\(head)" }

    /// The intervention that takes what it adds to the stream away.
    package func knockedOut(_ change: Change) -> String {
        let place =
            switch kind {
            case .encoder: "encoder.blocks.\(layer).attn.z"
            case .decoder: "decoder.blocks.\(layer).attn.z"
            case .cross: "decoder.blocks.\(layer).cross_attn.z"
            }
        return "\(place) @heads \(head) = \(change.rawValue)"
    }

    package static func < (a: AttentionHead, b: AttentionHead) -> Bool {
        func order(_ head: AttentionHead) -> (Int, Int, Int) {
            (Kind.allCases.firstIndex(of: head.kind) ?? 0, head.layer, head.head)
        }
        return order(a) < order(b)
    }

    /// The parameters ``kinds(_:)`` and ``Change``.
    package static let parameters: [Parameter] = [
        .text(
            "attention", default: "encoder,decoder,cross", "which heads: encoder, decoder, cross, with commas between"),
        .choice(
            "change", default: Change.zero.rawValue, of: Change.allCases.map(\.rawValue),
            "what stands in a head's place: nothing, or its mean over the positions of the pass"),
    ]

    /// - Throws: ``PluginError`` (`invalidArgument`) for what is no kind.
    package static func kinds(_ arguments: Arguments) throws -> [Kind] {
        let names = try arguments.list("attention"), known = Kind.allCases.map(\.rawValue)
        guard !names.isEmpty, names.allSatisfy(known.contains) else {
            throw PluginError(
                .invalidArgument,
                "attention is \"\(try arguments.text("attention"))\", expected some of \(known.joined(separator: ", "))"
            )
        }
        return Kind.allCases.filter { names.contains($0.rawValue) }
    }

    package static func change(_ arguments: Arguments) throws -> Change {
        Change(rawValue: try arguments.choice("change")) ?? .zero
    }
}
