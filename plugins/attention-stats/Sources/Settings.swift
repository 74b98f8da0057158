import PluginKit

/// The arguments of a run of the analysis.
struct Settings {
    let kinds: [AttentionKind]
    /// Layers that are looked at; empty for all.
    let layers: [Int]
    /// Distances k, in positions, whose share of the mass within ±k is reported.
    let within: [Int]
    /// Frames right after the last one that overlaps audio that count as the end-of-speech sink.
    let sinkWidth: Int
    let perRecording: Bool
    // Thresholds of the classes.
    let sinkShare, localShare, positionalShare: Double
    let localWidth, positionalWidth: Int

    /// Offsets k − q from −100 to 100 are told apart: two seconds of frames to each side.
    static let maxOffset = 100
    /// Lower bounds, in positions, of the bins of the histogram of distances: 0, 1, 2–3, 4–7, … 1024 and more.
    static let bins = [0] + (0...10).map { 1 << $0 }

    static let parameters: [Parameter] = [
        .text("attention", default: "encoder", "which attention: encoder, decoder, cross, with commas between"),
        .text("layers", default: "", "numbers of layers, with commas between; empty for all"),
        .text(
            "within", default: "1,5,10,20,50,75,100",
            "distances k in frames (tokens in the decoder's self-attention): the share of the mass within each is given"
        ),
        .integer(
            "sink-width", default: 25, in: 1...1500,
            "frames right after the end of the audio that are the end-of-speech sink"),
        .boolean("per-recording", default: false, "whether to give the table for each recording as well"),
        .number("sink-share", default: 0.5, in: 0...1, "a head with this much mass on the sink is a sink head"),
        .number(
            "positional-share", default: 0.5, in: 0...1,
            "a head with this much mass at one fixed offset, within positional-width, is positional"),
        .integer("positional-width", default: 1, in: 0...50, "positions to each side that belong to an offset"),
        .number("local-share", default: 0.5, in: 0...1, "a head with this much mass within local-width is local"),
        .integer("local-width", default: 10, in: 0...1500, "positions to each side that are near"),
    ]

    init(_ arguments: Arguments) throws {
        func whole(_ id: String, _ range: ClosedRange<Int>) throws -> [Int] {
            try arguments.list(id).map {
                guard let number = Int($0), range.contains(number) else {
                    throw PluginError(
                        .invalidArgument,
                        "\(id) has \"\($0)\", expected whole numbers from \(range.lowerBound) to \(range.upperBound)")
                }
                return number
            }
        }
        let names = try arguments.list("attention")
        kinds = AttentionKind.allCases.filter { names.contains($0.rawValue) }
        let known = AttentionKind.allCases.map(\.rawValue)
        guard !names.isEmpty, names.allSatisfy(known.contains) else {
            throw PluginError(
                .invalidArgument,
                "attention is \"\(try arguments.text("attention"))\", expected some of \(known.joined(separator: ", "))"
            )
        }
        layers = try whole("layers", 0...1023)
        within = Array(Set(try whole("within", 0...100_000))).sorted()
        guard within.count <= 64 else {
            throw PluginError(.invalidArgument, "within has \(within.count) distances, expected at most 64")
        }
        sinkWidth = try arguments.integer("sink-width")
        perRecording = try arguments.boolean("per-recording")
        sinkShare = try arguments.number("sink-share")
        positionalShare = try arguments.number("positional-share")
        positionalWidth = try arguments.integer("positional-width")
        localShare = try arguments.number("local-share")
        localWidth = try arguments.integer("local-width")
    }

    var hooks: [String] {
        kinds.flatMap { kind in
            (layers.isEmpty ? ["*"] : layers.map(String.init)).map { kind.hook(layer: $0) }
        }
    }
}

/// Which attention a pattern is of.
enum AttentionKind: String, CaseIterable, Codable {
    /// Frames to frames.
    case encoder
    /// Tokens to tokens, each to itself and those before.
    case decoder
    /// Tokens to frames.
    case cross

    func hook(layer: String) -> String {
        switch self {
        case .encoder: "encoder.blocks.\(layer).attn.pattern"
        case .decoder: "decoder.blocks.\(layer).attn.pattern"
        case .cross: "decoder.blocks.\(layer).cross_attn.pattern"
        }
    }

    /// The kind and the layer of a hook point; nil for anything but a pattern.
    static func of(hook: String) -> (kind: AttentionKind, layer: Int)? {
        let parts = hook.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let layer = Int(parts[2]) else { return nil }
        return allCases.first { $0.hook(layer: String(parts[2])) == hook }.map { ($0, layer) }
    }

    /// Seconds in a position of the queries' distance; nil where it is counted in tokens.
    var secondsPerPosition: Double? { self == .decoder ? nil : 0.02 }
    var distanceUnit: String { self == .decoder ? "tokens" : "s" }
}
