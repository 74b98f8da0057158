import PluginDraws
import PluginKit

/// Two models on the same sound: a first run writes activations of sampled frames into a file, a run of the other model reads it.
public struct ComparePlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.compare", name: "Compare", version: "1.1.0", vendor: "Auscult", licence: "Apache-2.0",
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
            .integer(
                "count", default: 20, in: 1...10_000,
                "matched neurons, and shared latents, of each hook point that are listed"),
            .integer(
                "crosscoder", default: 0, in: 0...65_536,
                "latents of a dictionary that both models share, learned for each hook point; 0 for none"),
            .integer("active", default: 32, in: 1...1024, "latents of it that are active at a frame, on average"),
            .integer("steps", default: 1000, in: 1...1_000_000, "steps of 512 frames that it learns"),
        ], outputs: CompareReport.outputs)

    public private(set) var state = State()
    private let hooks: [String]
    private let frames: Int
    private let out: String?
    private let with: String?
    private let label: String
    private let least: Int
    private let count: Int
    /// Of the shared dictionary; nil where none is wanted.
    private let crosscoder: Crosscoder.Settings?
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
        let latents = try arguments.integer("crosscoder"), active = try arguments.integer("active")
        guard latents == 0 || active <= latents else {
            throw PluginError(
                .invalidArgument, "active is \(active), expected at most the \(latents) latents of crosscoder")
        }
        let steps = try arguments.integer("steps")
        crosscoder = latents > 0 ? Crosscoder.Settings(latents: latents, active: active, steps: steps) : nil
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
        let phoneme = label.withoutStress
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
        var report = CompareReport(
            comparison: comparison, own: own, other: other, model: run.model,
            otherModel: isItself ? run.model : facts["model"] ?? "?", count: count)
        if var settings = crosscoder {
            settings.seed = run.seed
            report.crosscoders = try crosscoders(comparison, own, other, shared, settings)
        }
        try report.tell(results)
    }

    /// Of each hook point and the one that is most like it: a shared dictionary, and one of the other's frames in another order.
    private func crosscoders(
        _ comparison: Comparison, _ own: ActivationSample, _ other: ActivationSample,
        _ shared: [(own: Int, other: Int)], _ settings: Crosscoder.Settings
    ) throws -> [CompareReport.SharedDictionary] {
        let ours = shared.map(\.own), theirs = shared.map(\.other)
        let labels = ours.map { own.label($0) }, groups = ours.map { own.digests[$0] }
        var draws = SplitMix(seed: Hashing.key(seed: settings.seed, purpose: "crosscoder's null", ""))
        let order = CarriedProbe.order(shared.count, &draws)
        let all = Double(2 * comparison.details.count * settings.steps)
        return try comparison.details.enumerated().map { number, detail in
            let x = Columns(own.rows(detail.pair.own, ours), width: own.widths[detail.pair.own])
            let y = Columns(other.rows(detail.pair.other, theirs), width: other.widths[detail.pair.other])
            func trained(_ y: Columns, _ before: Int) throws -> Crosscoder {
                try Crosscoder(x, y, labels: labels, groups: groups, settings) { done in
                    try host.checkCancellation()
                    host.progress(Double(before * settings.steps + done), of: all, unit: "steps of shared dictionaries")
                }
            }
            return .init(
                pair: detail.pair, crosscoder: try trained(y, 2 * number),
                null: try trained(y.permuted(order), 2 * number + 1))
        }
    }
}
