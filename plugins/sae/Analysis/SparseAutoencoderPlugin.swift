import Dictionaries
import PluginKit

/// Trains a sparse dictionary of one hook point while recordings pass.
public struct SparseAutoencoderPlugin: MonoidPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.sae", name: "Sparse autoencoder", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            A dictionary of directions for one hook point: BatchTopK, TopK with an auxiliary loss, JumpReLU or L1, trained \
            on valid frames alone while recordings pass; and what putting its reconstruction in the activation's place does \
            to what is written.
            """,
        needs: Needs(hooks: ["encoder.blocks.2"], audio: true, labels: true), parameters: parameters,
        outputs: outputs)

    /// What is saved.
    struct State: Codable {
        /// Nil before the first frame.
        var trainer: SparseTrainer?
        var evaluation: [HeldOut] = []
        var seed: UInt64?
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

    public var needs: Needs { Needs(hooks: [settings.hook], audio: true, labels: true) }

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
        // What the dictionary is judged by is not what it was trained on.
        if state.evaluation.contains(where: { $0.recording == clip.recording }) { return }
        if state.evaluation.count < heldOut, clip.window == 0, clip.windowCount == 1 {
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
        try trainer.hear(Array(values[..<(valid * inputs)])) { try host.checkCancellation() }
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
                "no frame was heard beside the \(state.evaluation.count) recordings that are kept for evaluation "
                    + "(evaluate)")
        }
        let cut = try finishTraining(&trainer)
        state.trainer = trainer
        let dictionary = try trainer.dictionary(hook: settings.hook, model: run.model)
        let folder = try out ?? "\(host.folder())/\(Self.fileName(settings))"
        do {
            try dictionary.write(
                to: folder,
                facts: [
                    "model_sha256": run.modelSHA256, "training": settings.variant.rawValue,
                    "steps": String(trainer.steps), "seed": String(run.seed), "auscult_plugin": "org.auscult.sae/1.0.0",
                ])
        } catch { throw PluginError(.failed, String(describing: error)) }
        var evaluation = Evaluation(host: host, dictionary: dictionary, folder: folder, hook: settings.hook)
        try evaluation.measure(state.evaluation)
        let report = Report(trainer: trainer, evaluation: evaluation, folder: folder, cut: cut)
        try report.emit(results)
    }

    /// Makes the steps that are left. A call has a deadline, which long training must not miss: what does not fit is left
    /// out, and said.
    /// - Returns: the steps that were left out.
    private func finishTraining(_ trainer: inout SparseTrainer) throws -> Int {
        let start = ContinuousClock.now
        let isLate = { ContinuousClock.now - start > .seconds(80) }
        try trainer.settle { try host.checkCancellation() }
        while trainer.steps < leastSteps, !isLate() {
            try host.checkCancellation()
            if trainer.steps % 16 == 0 {
                host.progress(Double(trainer.steps), of: Double(leastSteps), unit: "steps")
            }
            trainer.step()
        }
        return max(0, leastSteps - trainer.steps)
    }

    static func fileName(_ settings: TrainingSettings) -> String {
        let hook = settings.hook.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "_" }
        return "\(String(hook.prefix(80)))-\(settings.variant.rawValue)"
    }

    // MARK: - State

    public func save() throws -> [UInt8] { try StateEncoder.encode(state) }

    public mutating func merge(_ bytes: [UInt8]) throws {
        let other = try StateDecoder.decode(State.self, from: bytes)
        guard let theirs = other.trainer else {
            guard state.trainer == nil || other.evaluation.isEmpty else { throw refusal }
            return try adopt(other)
        }
        guard state.trainer == nil, state.evaluation.isEmpty else { throw refusal }
        try theirs.check()
        var expected = settings
        if expected.latents == 0 { expected.latents = 8 * theirs.inputs }
        guard theirs.settings == expected else {
            throw PluginError(
                .invalidArgument, "the state is of a training with \(theirs.settings), and this run has \(expected)")
        }
        try adopt(other)
    }

    private mutating func adopt(_ other: State) throws {
        guard other.evaluation.count <= heldOut, other.evaluation.allSatisfy(\.isSound) else {
            throw PluginError(
                .invalidArgument, "the saved state is damaged: its recordings for evaluation are no sound")
        }
        if let mine = state.seed, let theirs = other.seed, mine != theirs {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(theirs), and this run with \(mine)")
        }
        if state.trainer == nil, state.evaluation.isEmpty {
            let seed = state.seed ?? other.seed
            state = other
            state.seed = seed
        }
    }

    /// Two trainings are no sum of each other.
    private var refusal: PluginError {
        PluginError(
            .unsupported,
            "two dictionaries in training cannot be put together: run this analysis in one piece (no shards, one worker), "
                + "or go on from a saved state")
    }
}
