import PluginKit

/// Two models on the same sound: a first run writes activations of sampled frames into a file, a run of the other model reads it.
public struct ComparePlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.compare", name: "Compare", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            Two models on the same sound: which layers are alike, which neurons answer to each other, and whether a probe \
            of one reads the other.
            """,
        needs: Needs(hooks: ["encoder.blocks.*"], audio: true),
        parameters: [
            .text(
                "hooks", default: "encoder.blocks.*", "hook points of the encoder between commas, names or globs"),
            .integer(
                "frames", default: 40, in: 1...1500,
                "frames of each window that are compared; a hash of the sound says which, so that both runs take the same"
            ),
            .path("out", "a file for the activations, safetensors: what a run of the other model compares itself with"),
            .path("with", "such a file, of the other model. Without it, hook points are compared with one another"),
            .column(
                "label", default: "phoneme", or: ["phoneme", "none"],
                "what the probe is to read: phonemes of the alignments, a column, or none"),
            .integer("least", default: 20, in: 2...1_000_000, "frames that a label needs"),
            .integer("count", default: 20, in: 1...10_000, "matched neurons of each hook point that are listed"),
        ], outputs: CompareReport.outputs)

    public private(set) var state = State()
    private let hooks: [String]
    private let frames: Int
    private let out: String?
    private let with: String?
    private let label: String
    private let least: Int
    private let count: Int
    private let host: Host
    private var run: Run?

    /// What was heard.
    public struct State: Codable {
        var sample = ActivationSample()
    }

    public init(arguments: Arguments, host: Host) throws {
        hooks = try arguments.list("hooks").filter { !$0.isEmpty }
        guard !hooks.isEmpty else { throw PluginError(.invalidArgument, "hooks is empty; name a hook point") }
        frames = try arguments.integer("frames")
        out = try arguments.path("out")
        with = try arguments.path("with")
        label = try arguments.text("label")
        least = try arguments.integer("least")
        count = try arguments.integer("count")
        guard out == nil || out != with else {
            throw PluginError(
                .invalidArgument, "out and with are both \(out ?? ""); the file that is read stays as it is")
        }
        self.host = host
    }

    public var needs: Needs { Needs(hooks: hooks, audio: true) }

    public mutating func activate(_ run: Run) throws {
        self.run = run
        // What cannot be read is better said before the first recording.
        if let with { _ = try SampleFile.read(with) }
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        let label = label
        try state.sample.add(clip, count: frames) { time in
            switch label {
            case "none": ""
            case "phoneme": clip.phonemes.place(at: time).map { Self.sound(clip.phonemes[$0].label) } ?? ""
            default: clip.labels[label] ?? ""
            }
        }
    }

    /// A phoneme without its stress; "" for what is none.
    private static func sound(_ label: String) -> String {
        let silences: Set = ["", "sil", "sp", "spn", "<sil>", "<eps>", "h#", "pau", "epi", "#h"]
        let phoneme = label.filter { !("0"..."9").contains($0) && !"ˈˌ".contains($0) }
        return silences.contains(phoneme.lowercased()) ? "" : phoneme
    }

    public mutating func merge(state other: State) throws { try state.sample.add(other.sample) }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        let own = state.sample
        try results.emit("frames", .scalar(Double(own.count)))
        guard own.count > 0 else {
            host.log("no sound was heard: there is nothing to compare", .warning)
            return
        }
        if let out {
            try SampleFile.write(
                own,
                facts: [
                    "model": run.model, "model_sha256": run.modelSHA256, "precision": run.precision, "label": label,
                ], to: out)
            // A run that writes is done, unless it compares as well.
            guard with != nil else { return }
        }
        let (other, facts) = try with.map(SampleFile.read) ?? (own, [:])
        let shared = ActivationSample.shared(own, other)
        guard shared.count > 1 else {
            throw PluginError(
                .invalidArgument,
                "with: \(with ?? "") shares \(shared.count) of \(own.count) frames with this run; expected a run over the same "
                    + "recordings, with the same frames= and the same interventions")
        }
        if shared.count < own.count {
            host.log("\(own.count - shared.count) of \(own.count) frames are not in the file, and left out", .warning)
        }
        let isItself = with == nil
        let comparison = try Comparison(
            own, other, shared: shared, isItself: isItself, least: least, seed: run.seed
        ) { done, all in
            try host.checkCancellation()
            host.progress(Double(done + 1), of: Double(all), unit: "hook points compared")
        }
        try CompareReport(
            comparison: comparison, own: own, other: other, model: run.model,
            otherModel: isItself ? run.model : facts["model"] ?? "?", count: count
        ).tell(results)
    }
}
