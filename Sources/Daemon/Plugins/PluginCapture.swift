import Audio
import DataSets
import Kernels
import Messages
import PluginHost
import Whisper

/// What a plugin hears of each recording: its needs, checked against the model, and the windows that meet them.
///
/// Windows are those of a trace: consecutive, of the model's own length, padded with zeros.
struct PluginCapture: Sendable {
    let needs: PluginNeedsValue
    private let model: LoadedModel
    private let points: Set<HookPoint>
    private let interventions: [Intervention]
    private let prompt: DecoderPrompt?
    private let context: EncoderContext
    private let logMel: LogMel

    /// - Throws: ``WhisperError`` for hooks that the model does not have; ``ServiceError`` for needs that cannot be
    /// met.
    init(
        _ needs: PluginNeedsValue, interventions: [InterventionSpec], context: EncoderContext = .full, plugin: String,
        model: LoadedModel
    ) throws {
        guard needs.objective == nil else {
            throw ServiceError(
                .unimplemented,
                "\(plugin) needs gradients of \(needs.objective ?? ""), which this engine does not compute yet")
        }
        self.needs = needs
        self.model = model
        self.context = context
        logMel = LogMel(bands: model.dimensions.nMels)
        points = Set(try needs.hooks.flatMap { try HookPoint.matching($0, in: model.dimensions) })
        self.interventions = try interventions.map { try $0.intervention(model.dimensions) }
        let decodes = needs.decoder || points.contains { !$0.isEncoder }
        // What it writes itself, as in a trace.
        prompt = try decodes ? DecoderPrompt(TraceRequest(hooks: []), model) : nil
    }

    /// A window before the engine has it.
    struct ReadWindow: Sendable {
        /// Without what is captured.
        let clip: PluginClipValue
        /// What the encoder hears; nil where nothing is computed.
        let mel: Tensor?
    }

    /// Goes through the windows of one recording, one after the other.
    /// - Parameter body: gets each window, with the turn held.
    func forEachWindow(
        of item: DataSetItem, _ samples: SampleBuffer, turn: EngineTurn, _ body: (PluginClipValue) throws -> Void
    ) throws {
        let windows = windows(of: samples)
        for index in 0..<windows {
            try turn.checkpoint()
            try body(compute(read(index, of: windows, item, samples), turn))
        }
    }

    func windows(of samples: SampleBuffer) -> Int {
        max(1, (samples.count + model.dimensions.windowSamples - 1) / model.dimensions.windowSamples)
    }

    /// A window and its log-mel, for which no turn is needed.
    func read(_ index: Int, of windows: Int, _ item: DataSetItem, _ recording: SampleBuffer) throws -> ReadWindow {
        let dimensions = model.dimensions
        let start = index * dimensions.windowSamples
        let samples = try recording.read(start..<min(start + dimensions.windowSamples, recording.count))
        let valid = min(EncoderFrames.valid(sampleCount: samples.count), dimensions.nAudioCtx)
        let seconds = Double(dimensions.windowSamples) / Double(SampleBuffer.sampleRate)
        let clip = PluginClipValue(
            recording: UInt64(clamping: item.index), window: index, windowCount: windows, name: item.name,
            start: (item.start ?? 0) + Double(index) * seconds,
            duration: Double(samples.count) / Double(SampleBuffer.sampleRate), validFrames: valid,
            samples: needs.audio ? samples : nil, labels: item.columns.map { ($0.column, $0.value) },
            phonemes: item.phonemes.map { PluginTimedLabel(start: $0.start, end: $0.end, label: $0.label) },
            words: item.words.map { PluginTimedLabel(start: $0.start, end: $0.end, label: $0.label) })
        let isComputed = !points.isEmpty || prompt != nil
        return ReadWindow(clip: clip, mel: isComputed ? context.mel(samples, dimensions, by: logMel) : nil)
    }

    /// What the plugin needs of a window, computed with the turn held.
    func compute(_ window: ReadWindow, _ turn: EngineTurn) throws -> PluginClipValue {
        var clip = window.clip
        guard let mel = window.mel else { return clip }
        let dimensions = model.dimensions
        let (index, valid) = (clip.window, clip.validFrames)
        let plan = HookPlan(
            captures: points, validFrames: needs.allFrames ? nil : valid, interventions: interventions)
        let whisper = try model.model()
        var tensors: [PluginTensor] = []
        let run = try HookRun(plan, dimensions: dimensions) {
            tensors.append(PluginTensor($0, window: index, validFrames: valid, dimensions))
        }
        let audio = points.isEmpty ? nil : try whisper.encode(mel, hooks: run)
        if let prompt {
            let tokens = try prompt.tokens(mel, hooks: plan, turn: turn)
            clip.tokens = needs.decoder ? tokens.map { Int32(clamping: $0) } : nil
            if let audio, points.contains(where: { !$0.isEncoder }) {
                _ = try whisper.decode([tokens], cache: whisper.decoderCache(audio: audio), hooks: run)
            }
        }
        clip.tensors = tensors
        return clip
    }
}

extension PluginTensor {
    /// An activation; positions count from the recording's beginning.
    init(_ captured: CapturedTensor, window: Int, validFrames: Int, _ dimensions: ModelDimensions) {
        let perWindow: Int, valid: Int
        switch captured.hook.position {
        case .melFrame: (perWindow, valid) = (dimensions.melFrames, 2 * validFrames)
        case .frame: (perWindow, valid) = (dimensions.nAudioCtx, validFrames)
        case .token: (perWindow, valid) = (0, captured.positions)
        }
        self.init(
            captured.tensor, hook: captured.hook.name, axes: captured.axes,
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

    init(
        model: String, sha256: String, precision: Precision, _ dimensions: ModelDimensions, recordings: Int,
        seed: UInt64
    ) {
        self.init(
            model: model, modelSHA256: sha256, dimensions: V1.Dimensions(dimensions),
            recordings: UInt64(clamping: recordings), seed: seed, precision: precision.rawValue)
    }
}
