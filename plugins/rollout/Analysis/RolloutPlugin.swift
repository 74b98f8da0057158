import PluginKit

/// Which frames each frame of the encoder's output rests on through all blocks (``Relevance``), drawn for each recording, and how near they
/// are (``Locality``).
public struct RolloutPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.rollout", name: "Gradient-weighted rollout", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Which frames of a recording each frame of the encoder's output rests on, through all blocks, and how near they are.",
        needs: Needs(hooks: [pattern("*")], allFrames: true, gradientsOf: "encoder_sum"),
        parameters: [
            .text(
                "objective", default: "post",
                "what is differentiated: post (the sum of the encoder's outputs), transcript (the log-probability of what is written), or what "
                    + "'auscult trace --objective' takes"),
            .integer("size", default: 300, in: 16...1500, "rows of a map at most; frames are averaged to fit"),
            .number(
                "clip", default: 99, in: 50...100,
                "percentile of a map's values that larger ones are drawn as; 100 for all"),
            .boolean("maps", default: true, "whether to draw a map of each window"),
        ],
        outputs: [
            .matrix(
                "map", title: "What each frame rests on",
                axes: (Axis("destination", unit: "s"), Axis("source", unit: "s")),
                "Destination down, source across, in seconds; a blank line stands at the end of the audio"),
            .table("windows", title: "Locality, for one recording", "A row for each window"),
            .table("locality", title: "Locality", "How much of what a frame rests on lies within so many frames of it"),
            .scalar("frames", title: "Frames looked at"),
        ])

    /// What was heard.
    public struct State: Codable {
        var locality = Locality()
        /// Windows of the recording that is open.
        var open: [Locality] = []
        /// Windows that had no objective, since nothing was written.
        var wordless = 0
    }

    public private(set) var state = State()
    private let objective: String
    private let size: Int
    private let clip: Double
    private let drawsMaps: Bool
    private let host: Host

    public init(arguments: Arguments, host: Host) throws {
        objective = try arguments.text("objective")
        guard objective.contains(where: { $0 != " " }) else {
            throw PluginError(
                .invalidArgument, "objective is empty; expected post, transcript or an objective of a trace")
        }
        size = try arguments.integer("size")
        clip = try arguments.number("clip")
        drawsMaps = try arguments.boolean("maps")
        self.host = host
    }

    private static func pattern(_ layer: String) -> String { "encoder.blocks.\(layer).attn.pattern" }

    public var needs: Needs {
        Needs(
            hooks: [Self.pattern("*")], allFrames: true, gradientsOf: objective == "post" ? "encoder_sum" : objective)
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        if clip.window == 0 { state.open = [] }
        let patterns = clip.tensors.filter { !$0.hook.hasSuffix("@grad") }
        var relevance: Relevance?
        for pattern in patterns {
            try host.checkCancellation()
            // Blocks that come behind the objective have no part in it.
            guard let gradient = clip.tensors.first(where: { $0.hook == pattern.hook + "@grad" }) else { continue }
            guard pattern.rank == 3, pattern.shape[1] == pattern.shape[2], gradient.shape == pattern.shape,
                relevance.map({ $0.count == pattern.shape[1] }) ?? true
            else {
                throw PluginError(
                    .unsupported,
                    "\(pattern.hook) of \(clip.name) has shape \(pattern.shape) and its gradient \(gradient.shape); expected "
                        + "[heads, frames, frames] of both, of one size in all blocks")
            }
            var sum = relevance ?? Relevance(count: pattern.shape[1])
            relevance = nil
            pattern.withUnsafeFloats { values in
                gradient.withUnsafeFloats { sum.add(pattern: values, gradient: $0, heads: pattern.shape[0]) }
            }
            relevance = sum
        }
        if let relevance {
            try take(relevance, clip, results)
        } else {
            state.wordless += 1
            state.open.append(Locality())
        }
        guard clip.isLastWindow else { return }
        try results.emit(
            "windows",
            .table(
                columns: ["window"] + Self.columns,
                rows: state.open.enumerated().map { [.number(Double($0 + 1))] + Self.row($1) }),
            recording: clip.name, mayBeNaN: true)
        state.open = []
    }

    private mutating func take(_ relevance: Relevance, _ clip: Clip, _ results: Results) throws {
        let valid = min(clip.validFrames, relevance.count)
        var locality = Locality()
        for frame in 0..<valid { locality.add(relevance.sources(of: frame), destination: frame, valid: valid) }
        state.locality.add(locality)
        state.open.append(locality)
        guard drawsMaps, valid > 0 else { return }
        let map = RolloutMap(relevance, valid: valid, size: size, clip: self.clip)
        let axes = ["destination", "source"].map { Axis($0, unit: "s", first: clip.start, step: map.step) }
        try results.emit(
            "map", .matrix(map.values, rows: map.count, columns: map.count, axes: axes),
            recording: clip.windowCount > 1 ? "\(clip.name), window \(clip.window + 1)" : clip.name, mayBeNaN: true)
    }

    private static let columns =
        ["frames", "distance (s)"] + Locality.distances.map { "within \($0)" } + ["ahead", "padding"]

    private static func row(_ locality: Locality) -> [Cell] {
        [.number(Double(locality.rows)), .number(locality.meanDistance)] + locality.sharesWithin.map(Cell.number)
            + [.number(locality.shareAhead), .number(locality.shareOfPadding)]
    }

    public mutating func merge(state other: State) throws {
        guard other.wordless >= 0, other.locality.isSound, other.open.allSatisfy(\.isSound) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its sums are not what frames add up to")
        }
        state.locality.add(other.locality)
        state.wordless += other.wordless
        state.open = other.open
    }

    public mutating func finish(_ results: Results) throws {
        try results.emit("frames", .scalar(Double(state.locality.rows)))
        try results.emit(
            "locality",
            .table(columns: ["objective"] + Self.columns, rows: [[.text(objective)] + Self.row(state.locality)]),
            mayBeNaN: true)
    }
}
