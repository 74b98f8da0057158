import PluginKit

/// How much sound has to follow a frame until what a feature, or a head, says of it changes no more.
///
/// An encoder looks both ways, so what it says while somebody speaks is revised. Contexts of a recording are encoded as they grow, and each
/// value is compared with what the whole context says.
public struct SettlingPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.settling", name: "Settling", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description:
            "How much sound has to follow a frame until what a feature or a head says of it changes no more.",
        needs: Needs(hooks: ["encoder.blocks.*.mlp.1", "encoder.blocks.*.attn.z"], audio: true),
        parameters: [
            .text(
                "hooks", default: "encoder.blocks.*.mlp.1,encoder.blocks.*.attn.z",
                "hook points: the heads are looked at of those that have heads, and the columns of others"),
            .integer("context", default: 3200, in: 400...30000, "milliseconds of a context, as for live features"),
            .integer(
                "hop", default: 40, in: 20...1000, "milliseconds between two looks: what answers are rounded up to"),
            .integer("every", default: 1600, in: 20...3_600_000, "milliseconds from one context to the next"),
            .number(
                "within", default: 0.05, in: 0...1, "part of a feature's greatest magnitude that a value may be off by"),
            .number(
                "answering", default: 0.1, in: 0...1,
                "part of it that a value must have to count; 0 for all"),
        ],
        outputs: [
            .table(
                "features", title: "Sound that features need",
                "Milliseconds behind a frame until half of the values, and 95 in 100, are near what the whole context says"
            ),
            .table("heads", title: "Sound that heads need"),
            .table("hooks", title: "Sound that hook points need", "Over all columns, or heads, of each"),
            .matrix(
                "settled", title: "Share of values that are settled",
                "Hook points down, sound behind a frame across, in seconds"),
            .scalar("contexts", title: "Contexts looked at"),
        ])

    /// What was heard.
    public struct State: Codable {
        var contexts = 0
        /// By hook point, in the order of the forward pass.
        var needs: [FutureNeeds] = []
    }

    public private(set) var state = State()
    public let needs: Needs
    private let hooks: [String]
    /// Frames.
    private let length: Int
    private let hop: Int
    private let every: Int
    private let within: Float
    private let answering: Float
    private let host: Host

    public init(arguments: Arguments, host: Host) throws {
        func frames(_ id: String, of unit: Int) throws -> Int {
            let milliseconds = try arguments.integer(id)
            guard milliseconds % (20 * unit) == 0 else {
                throw PluginError(
                    .invalidArgument, "\(id) is \(milliseconds) ms; expected a multiple of \(20 * unit)")
            }
            return milliseconds / 20
        }
        hooks = try arguments.text("hooks").split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
        guard !hooks.isEmpty else { throw PluginError(.invalidArgument, "hooks is empty; name a hook point") }
        (length, hop, every) = (try frames("context", of: 4), try frames("hop", of: 1), try frames("every", of: 1))
        guard hop <= length / 4 else {
            throw PluginError(
                .invalidArgument,
                "hop is \(hop * 20) ms; expected a quarter of the context's \(length * 20) ms or less")
        }
        (within, answering) = (Float(try arguments.number("within")), Float(try arguments.number("answering")))
        needs = Needs(hooks: hooks, audio: true)
        self.host = host
    }

    private var steps: Int { (3 * length / 4 + hop - 1) / hop }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard clip.validFrames >= length else { return }
        var tensors: [(groups: Groups, scales: [Float])] = []
        for tensor in clip.tensors {
            let groups = try Groups(tensor)
            tensors.append((groups, Self.scales(groups, tensor)))
            if !state.needs.contains(where: { $0.groups.hook == groups.hook }) {
                state.needs.append(FutureNeeds(groups, steps: steps))
            }
        }
        guard state.needs.map(\.groups) == tensors.map(\.groups) else {
            throw PluginError(
                .unsupported,
                "\(clip.name) came with \(tensors.map(\.groups.hook)); expected \(state.needs.map(\.groups.hook)), in their shapes"
            )
        }
        let starts = Array(stride(from: 0, through: clip.validFrames - length, by: every))
        for (index, start) in starts.enumerated() {
            try look(at: start, clip, tensors)
            state.contexts += 1
            host.progress(Double(index + 1), of: Double(starts.count), unit: "contexts of \(clip.name)")
        }
    }

    /// The greatest magnitude of each group in the recording.
    private static func scales(_ groups: Groups, _ tensor: TensorView) -> [Float] {
        var scales = [Float](repeating: 0, count: groups.count)
        tensor.withUnsafeFloats { values in
            guard let start = values.baseAddress else { return }
            for row in 0..<min(tensor.validPositions, values.count / groups.columns) {
                for group in 0..<groups.count {
                    scales[group] = max(scales[group], groups.magnitude(start + row * groups.columns, group))
                }
            }
        }
        return scales
    }

    /// Encodes one context as it grows, from the whole of it down: what is wanted is known from the first.
    private mutating func look(
        at start: Int, _ clip: Clip, _ tensors: [(groups: Groups, scales: [Float])]
    ) throws {
        let frames = length / 4..<length / 2
        var contexts: [ContextNeeds] = []
        for end in stride(from: length, to: frames.lowerBound, by: -hop) {
            try host.checkCancellation()
            let samples = Array(clip.samples[start * 320..<min((start + end) * 320, clip.samples.count)])
            var place = 0
            try host.run(samples, hooks: hooks) { tensor in
                guard place < tensors.count, try Groups(tensor) == tensors[place].groups,
                    tensor.shape[0] == end
                else {
                    throw PluginError(
                        .unsupported,
                        "a run over \(end) frames gave \(tensor.hook) of shape \(tensor.shape), which is not that of the recording"
                    )
                }
                tensor.withUnsafeFloats { values in
                    if end == length {
                        contexts.append(
                            ContextNeeds(
                                tensors[place].groups, whole: values, frames: frames, scales: tensors[place].scales,
                                within: within))
                    } else if place < contexts.count {
                        contexts[place].look(values)
                    }
                }
                place += 1
            }
        }
        for (index, context) in contexts.enumerated() {
            context.count(into: &state.needs[index], answering: answering, step: hop)
        }
    }

    public mutating func merge(state other: State) throws {
        let isNew = state.needs.isEmpty
        guard other.contexts >= 0, other.contexts < 1 << 48,
            other.needs.isEmpty || isNew || other.needs.count == state.needs.count,
            other.needs.enumerated().allSatisfy({
                $1.steps == steps && $1.isSound(beside: isNew ? nil : state.needs[$0])
            })
        else {
            throw PluginError(
                .invalidArgument, "the saved state is damaged: its counts are not those of these features")
        }
        state.contexts += other.contexts
        if isNew {
            state.needs = other.needs
        } else {
            for (index, needs) in other.needs.enumerated() { state.needs[index].add(needs) }
        }
    }

    // MARK: - Telling

    private static let columns = ["values", "median (ms)", "95 % (ms)", "unsettled"]

    public mutating func finish(_ results: Results) throws {
        try results.emit("contexts", .scalar(Double(state.contexts)))
        if state.contexts == 0 {
            host.log("no recording is as long as a context of \(length * 20) ms: there is nothing to tell", .warning)
        }
        for (output, areHeads) in [("features", false), ("heads", true)] {
            let rows = state.needs.filter { $0.groups.areHeads == areHeads }.flatMap { needs in
                (0..<needs.groups.count).compactMap { group -> [Cell]? in
                    let summary = needs.summary(group)
                    guard summary.values > 0 else { return nil }
                    return [.text(needs.groups.hook), .number(Double(group))] + cells(summary)
                }
            }
            guard !rows.isEmpty else { continue }
            try results.emit(
                output, .table(columns: ["hook", areHeads ? "head" : "index"] + Self.columns, rows: rows),
                mayBeNaN: true)
        }
        guard !state.needs.isEmpty else { return }
        try results.emit(
            "hooks",
            .table(
                columns: ["hook", "of"] + Self.columns,
                rows: state.needs.map { needs in
                    [.text(needs.groups.hook), .text(needs.groups.areHeads ? "heads" : "features")]
                        + cells(needs.summary)
                }), mayBeNaN: true)
        try results.emit(
            "settled",
            .matrix(
                state.needs.flatMap { needs in (0..<steps).map { needs.summary.share(after: $0) } },
                rows: state.needs.count, columns: steps,
                axes: [
                    Axis("hook", labels: state.needs.map(\.groups.hook)),
                    Axis("sound behind a frame", unit: "s", step: Double(hop) / 50),
                ]), mayBeNaN: true)
    }

    private func cells(_ summary: FutureNeeds.Summary) -> [Cell] {
        func milliseconds(_ share: Double) -> Cell {
            .number(summary.steps(for: share).map { Double($0 * hop * 20) } ?? .nan)
        }
        return [
            .number(Double(summary.values)), milliseconds(0.5), milliseconds(0.95), .number(summary.unsettled),
        ]
    }
}
