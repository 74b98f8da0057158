import Audio
import DataSets
import Digests
import Files
import Kernels
import Mel
import PluginHost
import Synchronization
import Whisper

/// What a plugin hears of each recording: its needs, checked against the model, and the windows that meet them.
///
/// Windows are those of a trace: consecutive, of the model's own length, the last one padded. They cannot be a transcript's: a plugin is told with
/// each window how many there are, which of a transcript is known when it is written.
struct PluginCapture: Sendable {
    let needs: PluginNeedsValue
    private let model: LoadedModel
    private let plan: PassPlan
    private let prompt: DecoderPrompt?
    private let objective: PlannedObjective?
    private let source: WindowSource
    /// What is changed in a recording, where that is told by its words; nil where it is the same in all.
    private let spoken: SpokenChanges?
    /// Where captures of before are, where they can serve: in the encoder, with nothing changed; nil otherwise.
    private let kept: KeptCaptures.Scan?
    /// What is captured, in the order of the forward pass.
    private let points: [HookPoint]

    /// - Parameters:
    ///   - turn: the engine's, where interventions are made of other recordings, which are heard now.
    ///   - kept: captures of scans before this one; nil where every window is computed.
    /// - Throws: ``WhisperError`` for hooks that the model does not have; ``ServiceError`` for needs that cannot be
    /// met.
    init(
        _ needs: PluginNeedsValue, interventions: [InterventionSpec], context: EncoderContext = .full,
        padding: WindowPadding = .sound, plugin: String, model: LoadedModel, turn: EngineTurn? = nil,
        kept: KeptCaptures.Scan? = nil
    ) throws {
        self.needs = needs
        self.model = model
        let points = Set(try needs.hooks.flatMap { try HookPoint.matching($0, in: model.dimensions) })
        self.points = HookPoint.all(in: model.dimensions).filter(points.contains)
        var request = TraceRequest(hooks: [])
        if let text = needs.objective.map(Self.objectiveText) {
            if let refusal = model.precision.gradientRefusal {
                throw ServiceError(.failedPrecondition, "\(plugin) needs gradients: \(refusal)")
            }
            objective = try PlannedObjective(text, dimensions: model.dimensions)
            // As in a trace, the decoder reads the text of an objective that has one.
            if let said = try ObjectiveText(text).textToRead { request.decoderInput = .text(said) }
        } else {
            objective = nil
        }
        let gradients = objective.map { GradientPlan(points: points, objectivePoints: $0.points) }
        try gradients?.check(model.dimensions)
        let decodes =
            needs.decoder || points.contains { !$0.isEncoder }
            || objective?.points.contains { !$0.isEncoder } == true
        // What it writes itself, as in a trace.
        prompt = try decodes ? DecoderPrompt(request, model) : nil
        spoken = try interventions.contains { try $0.namesWords } ? SpokenChanges(interventions, padding, model) : nil
        let sources = InterventionSources(model: model, turn: turn, padding: padding, samples: nil)
        plan = PassPlan(
            captures: points, allFrames: needs.allFrames,
            interventions: try interventions.interventions(
                model.dimensions, spoken == nil ? sources.material : .unheard), keepsAudio: decodes,
            gradients: gradients)
        source = WindowSource(model.dimensions, context: context, padding: padding)
        let isPlain = !points.isEmpty && prompt == nil && objective == nil && interventions.isEmpty
        self.kept = isPlain ? kept : nil
    }

    /// The text form of what the header names.
    private static func objectiveText(_ name: String) -> String {
        switch name {
        case "encoder_sum": "encoder-sum"
        case "transcript_log_probability": "transcript"
        default: name
        }
    }

    /// Whether the objective is the log-probability of what the model writes, and it writes nothing: then there is no gradient.
    private func isWordless(_ tokens: [Int]) -> Bool {
        guard let prompt, objective?.isTranscript == true else { return false }
        return tokens.count <= prompt.promptCount(tokens)
    }

    /// Whether the engine has anything to do for the plugin.
    private var isComputed: Bool { !plan.captures.isEmpty || prompt != nil }

    /// A window before the engine has it.
    struct ReadWindow: Sendable {
        /// Without what is captured.
        let clip: PluginClipValue
        /// The encoder's input; nil where nothing is computed.
        let mel: Tensor?
        /// What its captures are kept under; nil where they are not.
        let place: KeptCaptures.Window?
        /// Of all of the recording.
        let sound: SampleBuffer
    }

    /// Goes through the windows of one recording, one after the other.
    /// - Parameter body: gets each window, with the turn held.
    func forEachWindow(
        of item: DataSetItem, _ samples: SampleBuffer, turn: EngineTurn, _ body: (PluginClipValue) throws -> Void
    ) throws {
        let windows = try windows(of: samples)
        for index in 0..<windows.count {
            try turn.checkpoint()
            try body(compute(read(index, of: windows, item), turn))
        }
    }

    func windows(of samples: SampleBuffer) throws -> RecordingWindows { try source.windows(of: samples) }

    /// A window and its log-mel, for which no turn is needed.
    func read(_ index: Int, of windows: RecordingWindows, _ item: DataSetItem) throws -> ReadWindow {
        let window = try windows[index]
        let rate = Double(SampleBuffer.sampleRate)
        let clip = PluginClipValue(
            recording: UInt64(clamping: item.index), window: index, windowCount: windows.count, name: item.name,
            start: (item.start ?? 0) + Double(index) * (Double(model.dimensions.windowSamples) / rate),
            duration: Double(window.samples.count) / rate, validFrames: window.validFrames,
            samples: needs.audio ? window.samples : nil, labels: item.columns.map { ($0.column, $0.value) },
            phonemes: item.phonemes.map { PluginTimedLabel(start: $0.start, end: $0.end, label: $0.label) },
            words: item.words.map { PluginTimedLabel(start: $0.start, end: $0.end, label: $0.label) })
        let mel = isComputed ? try windows.mel(of: window) : nil
        let place = try kept == nil ? nil : mel.map { try self.place(of: $0, validFrames: window.validFrames) }
        return ReadWindow(clip: clip, mel: mel, place: place, sound: windows.recording)
    }

    private func place(of mel: Tensor, validFrames: Int) throws -> KeptCaptures.Window {
        KeptCaptures.Window(
            model: model.number,
            mel: try mel.withUnsafeBufferPointer { try SHA256.hex(of: UnsafeRawBufferPointer($0)) },
            melFrames: mel.shape[1], validFrames: validFrames, allFrames: needs.allFrames)
    }

    /// What the plugin needs of a window, computed with the turn held.
    func compute(_ window: ReadWindow, _ turn: EngineTurn) throws -> PluginClipValue {
        var clip = window.clip
        guard let mel = window.mel else { return clip }
        let (index, valid, dimensions) = (clip.window, clip.validFrames, model.dimensions)
        if let place = window.place, let known = kept?.captures(plan.captures, of: place) {
            clip.tensors = points.compactMap { known[$0] }.map {
                PluginTensor($0, window: index, validFrames: valid, dimensions)
            }
            return clip
        }
        var tensors: [PluginTensor] = [], captured: [CapturedTensor] = []
        var plan = plan
        if let spoken { plan.interventions = try spoken.changes(in: window.sound, number: clip.recording, turn) }
        let start = index * dimensions.melFrames
        let pass = try WindowPass(model.model(), mel, plan, start: start, validFrames: valid) {
            tensors.append(PluginTensor($0, window: index, validFrames: valid, dimensions))
            if window.place != nil { captured.append($0) }
        }
        if let place = window.place { kept?.keep(captured, of: place) }
        var tokens: [Int] = []
        if let prompt {
            tokens = try pass.tokens(of: prompt, turn: turn)
            clip.tokens = needs.decoder ? tokens.map { Int32(clamping: $0) } : nil
            try pass.read(tokens)
        }
        if let objective, !isWordless(tokens) {
            let reading = PlannedObjective.Reading(
                tokens: tokens, prompt: prompt?.promptCount(tokens) ?? 0, tokenizer: try? model.tokenizer(),
                validFrames: needs.allFrames ? nil : valid)
            _ = try pass.differentiate([try objective.objective(reading)]) { _, gradient in
                guard case .activation(let captured) = gradient else { return }
                tensors.append(
                    PluginTensor(captured, window: index, validFrames: valid, dimensions, suffix: "@grad"))
            }
        }
        clip.tensors = tensors
        return clip
    }
}

extension PluginTensor {
    /// An activation; positions count from the recording's beginning.
    /// - Parameter suffix: stands behind the hook point's name, as of a gradient.
    init(
        _ captured: CapturedTensor, window: Int, validFrames: Int, _ dimensions: ModelDimensions, suffix: String = ""
    ) {
        let perWindow: Int, valid: Int
        switch captured.hook.position {
        case .melFrame: (perWindow, valid) = (dimensions.melFrames, 2 * validFrames)
        case .frame: (perWindow, valid) = (dimensions.nAudioCtx, validFrames)
        case .token: (perWindow, valid) = (0, captured.positions)
        }
        self.init(
            captured.tensor, hook: captured.hook.name + suffix, axes: captured.axes,
            firstPosition: window * perWindow + captured.firstPosition,
            positionsPerSecond: captured.positionsPerSecond ?? 0, validPositions: min(valid, captured.positions))
    }

    init(
        _ tensor: Tensor, hook: String = "", axes: [String] = [], firstPosition: Int = 0,
        positionsPerSecond: Double = 0,
        validPositions: Int = 0
    ) {
        self.init(
            shape: tensor.shape, hook: hook, axes: axes, firstPosition: firstPosition,
            positionsPerSecond: positionsPerSecond, validPositions: validPositions
        ) { body in try tensor.withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) } }
    }
}

extension PluginRunValue {
    init(_ model: LoadedModel, recordings: Int, seed: UInt64) throws {
        self.init(
            model: model.name, sha256: try model.digest(), precision: model.precision, model.dimensions,
            recordings: recordings, seed: seed)
    }
}

/// A recording has not the words, or not once, that a change is placed by: nothing that is wrong with the other recordings.
struct UnheardWord: CodedError {
    let problem: WhisperError
    var code: ErrorCode { problem.code }
    var description: String { problem.description }
}

/// Changes that recordings' own words place, made when a recording begins.
private final class SpokenChanges: Sendable {
    private let specs: [InterventionSpec]
    private let padding: WindowPadding
    private let model: LoadedModel
    private let last = Mutex<(recording: UInt64, changes: [Intervention])?>(nil)

    init(_ specs: [InterventionSpec], _ padding: WindowPadding, _ model: LoadedModel) {
        (self.specs, self.padding, self.model) = (specs, padding, model)
    }

    /// - Throws: also ``UnheardWord``, where a recording has not the words.
    func changes(in sound: SampleBuffer, number: UInt64, _ turn: EngineTurn) throws -> [Intervention] {
        if let last = last.withLock({ $0 }), last.recording == number { return last.changes }
        let sources = InterventionSources(model: model, turn: turn, padding: padding, knowsTokens: false) { sound }
        var material = sources.material
        let heard = try material.words() ?? []
        material.words = { heard }
        do { for spec in specs { try spec.checkWords(heard) } } catch let error as WhisperError {
            throw UnheardWord(problem: error)
        }
        let changes = try specs.interventions(model.dimensions, material)
        last.withLock { $0 = (number, changes) }
        return changes
    }
}
