import PluginKit
import PluginTranscripts

/// What changes when nobody may attend to the padding behind the sound.
public struct PaddingAuditPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.padding-audit", name: "Padding audit", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Which results of a run rest on the padding behind the sound: what the encoder says of frames that overlap sound, and what is "
            + "written, when nobody may attend to padding.",
        needs: Needs(audio: true),
        parameters: [
            .text(
                "hooks", default: "encoder.blocks.*,encoder.blocks.*.mlp.1,encoder.ln_post",
                "hook points of the encoder that are compared, names or globs, with commas between"),
            .boolean("transcripts", default: true, "whether to compare what is written"),
            Transcriber.parameter,
        ],
        outputs: PaddingReport.outputs)

    /// What was heard.
    public struct State: Codable {
        /// By the name of the hook point.
        var changes: [String: HookChange] = [:]
        /// Names of hook points in the order of the forward pass.
        var order: [String] = []
        var windows = 0
        /// Windows without padding.
        var full = 0
        var transcripts: [MaskedTranscripts] = []
        var gatherer = RecordingGatherer()
        /// Names of recordings of several windows.
        var long: [String] = []
    }

    /// What is written of a recording.
    struct MaskedTranscripts: Codable {
        let recording: UInt64
        let name, reference, unchanged: String
        let isReferenceOwn: Bool
        /// By the mask.
        let texts: [String: String]
    }

    public private(set) var state = State()
    private let hooks: [String]
    private let writes: Bool
    private let transcriber: Transcriber
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        hooks = try arguments.list("hooks")
        guard !hooks.isEmpty, hooks.allSatisfy({ $0.hasPrefix("encoder.") }) else {
            throw PluginError(
                .invalidArgument,
                "hooks is \"\(try arguments.text("hooks"))\"; expected hook points of the encoder, as encoder.blocks.*,encoder.ln_post"
            )
        }
        writes = try arguments.boolean("transcripts")
        transcriber = Transcriber(host: host, language: try arguments.text("language"))
        self.host = host
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        if (1..<run.nAudioCtx).contains(clip.validFrames) {
            try compare(clip, run)
        } else {
            state.full += 1
        }
        guard let recording = state.gatherer.add(clip), writes else { return }
        // A mask is of one window's padding.
        guard recording.windows == 1 else { return state.long.append(recording.name) }
        guard recording.validFrames < run.nAudioCtx else { return }
        let unchanged = try transcriber.text(recording)
        let isReferenceOwn = Words.of(recording.text).isEmpty
        var texts: [String: String] = [:]
        for (place, mask) in PaddingMask.allCases.enumerated() {
            host.progress(Double(place), of: Double(PaddingMask.allCases.count), unit: "transcripts")
            texts[mask.rawValue] = try transcriber.text(
                recording, mask.interventions(valid: max(recording.validFrames, 1), context: run.nAudioCtx))
        }
        state.transcripts.append(
            MaskedTranscripts(
                recording: recording.recording, name: recording.name,
                reference: isReferenceOwn ? unchanged : recording.text, unchanged: unchanged,
                isReferenceOwn: isReferenceOwn, texts: texts))
    }

    /// The encoder's passes are both the host's own: what the run itself changes is in neither.
    private mutating func compare(_ clip: Clip, _ run: Run) throws {
        let samples = Array(clip.samples)
        var whole: [String: (values: [Float], shape: [Int])] = [:]
        try host.run(samples, hooks: hooks) { tensor in
            guard tensor.rank == 2 else {
                throw PluginError(
                    .invalidArgument,
                    "\(tensor.hook) has shape \(tensor.shape); expected a hook point of frames and columns, as encoder.blocks.0"
                )
            }
            if !state.order.contains(tensor.hook) { state.order.append(tensor.hook) }
            whole[tensor.hook] = (tensor.floats(), tensor.shape)
        }
        let mask = PaddingMask.encoder.interventions(valid: clip.validFrames, context: run.nAudioCtx)
        try host.run(samples, interventions: mask, hooks: hooks) { tensor in
            guard let before = whole[tensor.hook], before.shape == tensor.shape else {
                throw PluginError(.unsupported, "\(tensor.hook) of \(clip.name) has shape \(tensor.shape) under a mask")
            }
            let rate = tensor.positionsPerSecond > 0 ? tensor.positionsPerSecond / 50 : 1
            let frames = min(Int(Double(clip.validFrames) * rate), tensor.shape[0])
            let isFinite = tensor.withUnsafeFloats {
                state.changes[tensor.hook, default: HookChange()].add(
                    before.values, $0, frames: frames, columns: tensor.shape[1])
            }
            guard isFinite else {
                throw PluginError(.unsupported, "\(tensor.hook) of \(clip.name) has numbers that are not finite")
            }
        }
        state.windows += 1
    }

    public mutating func merge(state other: State) throws {
        let counts = [other.windows, other.full]
        guard other.changes.values.allSatisfy(\.isSound), other.gatherer.isSound,
            Set(other.order) == Set(other.changes.keys), counts.allSatisfy({ (0..<1 << 40).contains($0) })
        else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its sums are not those of windows")
        }
        for (hook, change) in other.changes { state.changes[hook, default: HookChange()].add(change) }
        state.order += other.order.filter { !state.order.contains($0) }
        state.windows += other.windows
        state.full += other.full
        state.transcripts += other.transcripts
        state.gatherer.merge(other.gatherer)
        state.long += other.long
    }

    public mutating func finish(_ results: Results) throws {
        state.gatherer.tell(host)
        for name in state.long { host.log("\(name) takes several windows; its transcript was not compared", .info) }
        try PaddingReport(
            hooks: state.order.compactMap { hook in state.changes[hook].map { (hook, $0) } }, windows: state.windows,
            full: state.full, transcripts: state.transcripts.sorted { $0.recording < $1.recording }
        ).emit(results)
    }
}
