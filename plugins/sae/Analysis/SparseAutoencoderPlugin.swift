import Dictionaries
import PluginKit

/// Trains a sparse dictionary of one hook point while recordings pass.
public struct SparseAutoencoderPlugin: MonoidPlugin {
    static let version = "1.1.0"
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.sae", name: "Sparse autoencoder", version: version, vendor: "Auscult", licence: "Apache-2.0",
        description: """
            A dictionary of directions for one hook point: BatchTopK, TopK with an auxiliary loss, JumpReLU or L1, trained \
            on valid frames alone while recordings pass; and what putting its reconstruction in the activation's place does \
            to what is written.
            """,
        needs: Needs(hooks: ["encoder.blocks.2"], audio: true, oneRun: true), parameters: parameters, outputs: outputs)

    /// What is saved.
    struct State: Codable {
        /// Nil before the first frame.
        var trainer: SparseTrainer?
        var evaluation: [HeldOut] = []
        var seed: UInt64?
        /// Recordings that were heard, the last one perhaps not to its end.
        var heard = 0
        /// Recordings and the part of one that had gone by when the first step was made; nil before.
        var begun: Double?
    }

    private var settings: TrainingSettings
    private let heldOut: Int
    private let leastSteps: Int
    private let out: String?
    private let host: Host
    private var run: Run?
    private(set) var state = State()

    public init(arguments: Arguments, host: Host) throws {
        self.host = host
        settings = try TrainingSettings(arguments)
        heldOut = try arguments.integer("evaluate")
        leastSteps = try arguments.integer("steps")
        out = try arguments.path("out")
    }

    public var needs: Needs { Needs(hooks: [settings.hook], audio: heldOut > 0, oneRun: true) }

    public mutating func activate(_ run: Run) throws {
        if let seed = state.seed, seed != run.seed {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(seed), and this run has \(run.seed)")
        }
        self.run = run
        state.seed = run.seed
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        guard clip.tensors.count == 1, let tensor = clip.tensors.first else {
            let names = clip.tensors.map(\.hook).joined(separator: ", ")
            throw PluginError(
                .invalidArgument,
                "hook \"\(settings.hook)\" names \(names.isEmpty ? "none" : names), expected one place")
        }
        if clip.window == 0 { state.heard += 1 }
        // What the dictionary is judged by is not what it was trained on; of few recordings half are left to train on.
        if state.evaluation.count < heldOut, clip.windowCount == 1, state.heard % 2 == 0 {
            state.evaluation.append(HeldOut(clip))
            return
        }
        guard let first = tensor.axes.first, ["frame", "mel_frame", "token"].contains(first), tensor.rank >= 2 else {
            throw PluginError(
                .invalidArgument,
                "\(tensor.hook) has the axes \(tensor.axes); a dictionary needs positions first and values behind them")
        }
        let inputs = tensor.shape.dropFirst().reduce(1, *)
        guard inputs > 0 else { throw PluginError(.failed, "\(tensor.hook) has no values") }
        var trainer = try state.trainer ?? makeTrainer(inputs: inputs, seed: run.seed)
        guard trainer.inputs == inputs else {
            throw PluginError(.failed, "\(tensor.hook) came with \(inputs) values, and before with \(trainer.inputs)")
        }
        state.trainer = nil  // or the buffer would be copied before it is written to
        defer { state.trainer = trainer }
        let valid = min(tensor.validPositions, tensor.shape[0])
        let values = tensor.floats()
        try trainer.add(Array(values[..<(valid * inputs)]), between: stepping)
        guard trainer.hasBegun else { return }
        let passed = Double(max(state.heard, 1) - 1) + Double(clip.window + 1) / Double(max(clip.windowCount, 1))
        let begun = state.begun ?? passed
        state.begun = begun
        try trainer.train(until: stepsDue(passed, since: begun, of: Double(run.recordings)), stepping)
    }

    /// The part of the asked-for steps that is due after `passed` recordings of `all`: the same for each that comes after the
    /// first step, so that none depends on how fast the machine is, and the last buffer is not drawn from again and again.
    /// Where it is not known how many come, all are made at the end.
    private func stepsDue(_ passed: Double, since begun: Double, of all: Double) -> Int {
        guard all > begun, passed > begun else { return 0 }
        return Int(Double(leastSteps) * min(1, (passed - begun) / (all - begun)))
    }

    private var stepping: SparseTrainer.Between {
        { [host] done, total in
            try host.checkCancellation()
            host.progress(Double(done), of: Double(total), unit: "steps")
        }
    }

    private func makeTrainer(inputs: Int, seed: UInt64) throws -> SparseTrainer {
        var settings = settings
        if settings.latents == 0 { settings.latents = 8 * inputs }
        guard settings.k <= settings.latents else {
            throw PluginError(
                .invalidArgument, "k is \(settings.k), expected at most the \(settings.latents) latents")
        }
        return SparseTrainer(settings: settings, inputs: inputs, seed: seed)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        guard var trainer = state.trainer else {
            throw PluginError(
                .invalidArgument,
                "no frame was processed beside the \(state.evaluation.count) recordings that are kept for evaluation "
                    + "(evaluate)")
        }
        try trainer.settle(least: leastSteps, stepping)
        state.trainer = trainer
        // A folder's name, not where it lies on this machine: dictionaries are passed on.
        let model = run.model.hasPrefix("/") ? String(run.model.split(separator: "/").last ?? "") : run.model
        let dictionary = try trainer.dictionary(hook: settings.hook, model: model)
        let folder = try out ?? "\(host.folder())/\(Self.fileName(settings))"
        do {
            try dictionary.write(
                to: folder,
                facts: [
                    "model_sha256": run.modelSHA256, "precision": run.precision, "training": settings.variant.rawValue,
                    "steps": String(trainer.steps), "seed": String(run.seed),
                    "auscult_plugin": "org.auscult.sae/\(Self.version)",
                ])
        } catch { throw PluginError(.failed, String(describing: error)) }
        var evaluation = Evaluation(host: host, dictionary: dictionary, folder: folder, hook: settings.hook)
        try evaluation.measure(state.evaluation)
        let report = Report(trainer: trainer, evaluation: evaluation, folder: folder)
        try report.emit(results)
    }

    static func fileName(_ settings: TrainingSettings) -> String {
        let hook = settings.hook.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "_" }
        return "\(String(hook.prefix(80)))-\(settings.variant.rawValue)"
    }

    // MARK: - State

    public func save() throws -> [UInt8] { try StateEncoder.encode(state) }

    public mutating func merge(_ bytes: [UInt8]) throws {
        let other = try StateDecoder.decode(State.self, from: bytes)
        try check(other)
        if let mine = state.seed, let theirs = other.seed, mine != theirs {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(theirs), and this run with \(mine)")
        }
        guard other.heard > 0 else { return }
        guard state.heard == 0 else { throw refusal }
        let seed = state.seed ?? other.seed
        state = other
        state.seed = seed
    }

    /// Whether what was read can be, and is of a training like this one.
    private func check(_ other: State) throws {
        func damaged(_ why: String) -> PluginError {
            PluginError(.invalidArgument, "the saved state is damaged: \(why)")
        }
        guard other.evaluation.count <= heldOut, other.evaluation.allSatisfy(\.isSound) else {
            throw damaged("its recordings for evaluation are no sound")
        }
        guard (0..<1 << 60).contains(other.heard), other.evaluation.count <= other.heard,
            other.begun.map({ $0 > 0 && $0 <= Double(other.heard) }) ?? true
        else { throw damaged("its counts of recordings contradict each other") }
        guard let theirs = other.trainer else { return }
        try theirs.check()
        guard theirs.hasBegun == (other.begun != nil) else { throw damaged("it has begun, and has not") }
        var expected = settings
        if expected.latents == 0 { expected.latents = 8 * theirs.inputs }
        guard theirs.settings == expected else {
            throw PluginError(
                .invalidArgument, "the state is of a training with \(theirs.settings), and this run has \(expected)")
        }
    }

    /// Two trainings are no sum of each other.
    private var refusal: PluginError {
        PluginError(
            .unsupported,
            "two dictionaries in training cannot be put together; one run over all recordings can be gone on with")
    }
}
