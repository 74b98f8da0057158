import PluginKit

/// Whom a part of the model tells what it adds: path patching of single edges, exact.
struct Paths {
    struct Edge {
        let sender: Place
        let receiver: String
        /// The mean over pairs of what is recovered where this reader alone gets the clean contribution.
        let recovered: Double
    }

    let edges: [Edge]

    /// The readers of what a part adds to its residual stream, by name.
    static func receivers(of place: Place, in run: Run) -> [String] {
        var readers: [String] = []
        switch place.kind {
        case .encoderHead, .encoderMLP:
            if place.kind == .encoderHead { readers.append("encoder.blocks.\(place.layer).mlp.0") }
            for layer in place.layer + 1..<max(run.nAudioLayer, place.layer + 1) {
                readers += ["attn.q", "attn.k", "attn.v", "mlp.0"].map { "encoder.blocks.\(layer).\($0)" }
            }
            readers.append("encoder.ln_post")
        case .decoderHead, .crossHead, .decoderMLP:
            if place.kind == .decoderHead { readers.append("decoder.blocks.\(place.layer).cross_attn.q") }
            if place.kind != .decoderMLP { readers.append("decoder.blocks.\(place.layer).mlp.0") }
            for layer in place.layer + 1..<max(run.nTextLayer, place.layer + 1) {
                readers += ["attn.q", "attn.k", "attn.v", "cross_attn.q", "mlp.0"].map {
                    "decoder.blocks.\(layer).\($0)"
                }
            }
            readers.append("decoder.ln")
        case .frames, .tokens: break
        }
        return readers
    }

    init(from senders: [Place], _ pairs: [PatchedPair], _ run: Run, passed: () throws -> Void) throws {
        edges = try senders.flatMap { sender in
            try Self.receivers(of: sender, in: run).map { receiver in
                var sum = 0.0
                for pair in pairs {
                    let change = PatchedPair.change("\(sender.target) @to \(receiver)", pair.file)
                    sum += pair.contrast.recovered(try pair.contrast.value(interventions: [change]))
                    try passed()
                }
                return Edge(sender: sender, receiver: receiver, recovered: sum / Double(max(pairs.count, 1)))
            }
        }
    }
}
