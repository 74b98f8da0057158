import PluginKit

/// Linear probes: what can be read off a hook point with one matrix, and what could be read off anything.
public struct ProbesPlugin: MonoidPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.probes", name: "Linear probes", version: "1.1.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            A linear classifier with bias at each hook point, for a column of the data set or the sound at each frame: \
            standardised inputs, L2 chosen on a validation part, no speaker in two parts, and beside its accuracy a \
            majority baseline, a control task and an interval over speakers.
            """,
        needs: Needs(hooks: ["encoder.blocks.*"], labels: true), parameters: parameters, outputs: outputs)

    private let targetName: String
    private let target: Target
    private let reduction: Reduction
    private let hooks: [String]
    private let speakers: [String]
    private let l2: Double?
    private let out: String?
    private let host: Host
    private var run: Run?
    private var collection: Collection

    public init(arguments: Arguments, host: Host) throws {
        self.host = host
        targetName = try arguments.text("target")
        guard !targetName.isEmpty else { throw PluginError(.invalidArgument, "target is empty, expected a column") }
        target = Target(targetName)
        let every = try arguments.integer("every")
        switch (try arguments.choice("reduce"), target) {
        case ("frames", _), (_, .phoneme): reduction = .frames(every: every)
        case ("max", _): reduction = .maximum
        default: reduction = .mean
        }
        hooks = try arguments.list("hooks")
        guard !hooks.isEmpty else { throw PluginError(.invalidArgument, "hooks is empty, expected hook points") }
        speakers = try arguments.list("speaker")
        let penalty = try arguments.number("l2")
        l2 = penalty > 0 ? penalty : nil
        out = try arguments.path("out")
        let what =
            "\(targetName), \(reduction.name), \(hooks.joined(separator: " ")), by \(speakers.joined(separator: " "))"
        collection = Collection(description: what, limit: try arguments.integer("max_rows"))
    }

    public var needs: Needs { Needs(hooks: hooks, labels: true) }

    var state: Collection { collection.canonical }

    public mutating func activate(_ run: Run) throws {
        if let seed = collection.seed, seed != run.seed {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(seed), and this run has \(run.seed)")
        }
        self.run = run
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        let layers = try clip.tensors.map(Self.layer)
        let window = RecordingWindow(
            recording: clip.recording, columns: clip.labels,
            phonemes: clip.phonemes.map {
                RecordingWindow.Sound(start: $0.start, end: $0.end, label: $0.label.withoutStress)
            },
            words: clip.words.map(RecordingWindow.Sound.init), layers: layers)
        try collection.add(
            window, target: target, reduction: reduction, speakerColumns: speakers, seed: run.seed)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        let rows = collection.sample
        guard !rows.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "no recording has a label for '\(targetName)': \(collection.windows) windows were processed, with the columns "
                    + (collection.columns.isEmpty ? "none" : collection.columns.joined(separator: ", ")))
        }
        let facts = rows.map {
            RowFacts(recording: $0.recording, frame: $0.frame, label: $0.label, speaker: $0.speaker, type: $0.type)
        }
        let study: Study
        do { study = try Study(facts: facts, byClass: target != .phoneme, l2: l2, seed: run.seed) } catch {
            throw PluginError(.invalidArgument, "target '\(targetName)': \(error)")
        }
        var reports: [LayerReport] = []
        for (index, hook) in collection.hooks.enumerated() {
            var last: ContinuousClock.Instant?
            // Forty phonemes of a wide model take minutes a hook point: it is still at work, and can be stopped.
            func isAt(_ part: Double) throws {
                let now = ContinuousClock.now
                if let last, now - last < .milliseconds(500) { return }
                last = now
                try host.checkCancellation()
                host.progress(Double(index) + part, of: Double(collection.hooks.count), unit: "hook points")
            }
            try isAt(0)
            let features = collection.study(hook: index, of: rows)
            reports.append(try study.report(hook: hook, features: features, onStep: isAt))
        }
        let summary = Summary(study: study, reports: reports)
        let path = try out ?? "\(host.folder())/probes-\(Self.fileName(targetName)).safetensors"
        do {
            try ProbeFile.write(
                reports, classes: study.classes, best: summary.best.hook,
                facts: [
                    "target": targetName, "reduction": reduction.name, "split": study.split.unit.rawValue,
                    "seed": String(run.seed), "model": run.model, "model_sha256": run.modelSHA256,
                    "precision": run.precision,
                ], to: path)
        } catch { throw PluginError(.failed, String(describing: error)) }
        try summary.emit(
            results,
            about: "Target \(targetName), \(reduction.name); \(collection.windows) windows were heard, "
                + "\(collection.unlabelled) of them without a label; at most \(collection.limit) rows are kept. "
                + "The probes are in \(path).")
    }

    public mutating func merge(_ bytes: [UInt8]) throws {
        try collection.merge(StateDecoder.decode(Collection.self, from: bytes), reduction: reduction)
    }

    public func save() throws -> [UInt8] { try StateEncoder.encode(state) }

    /// Positions down, features across: the axes behind that of positions are one feature vector.
    private static func layer(_ tensor: TensorView) throws -> RecordingWindow.Layer {
        guard tensor.rank >= 2, ["frame", "mel_frame", "token"].contains(tensor.axes[0]) else {
            throw PluginError(
                .invalidArgument,
                "\(tensor.hook) has the axes \(tensor.axes); a probe needs positions first and features behind them")
        }
        let features = tensor.shape.dropFirst().reduce(1, *)
        guard features > 0 else { throw PluginError(.failed, "\(tensor.hook) has no features") }
        let valid = min(tensor.validPositions, tensor.shape[0])
        return RecordingWindow.Layer(
            hook: tensor.hook, firstPosition: tensor.firstPosition, positionsPerSecond: tensor.positionsPerSecond,
            valid: valid, features: features, values: tensor.floats())
    }

    private static func fileName(_ target: String) -> String {
        String(target.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }.prefix(80))
    }
}

extension RecordingWindow.Sound {
    init(_ label: TimedLabel) { self.init(start: label.start, end: label.end, label: label.label) }
}
