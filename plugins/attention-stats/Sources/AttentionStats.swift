import PluginKit

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(AttentionStats.self) }

/// How far each head looks, how widely, and how much of its attention lies on padding: `HeadSums` defines the
/// statistics, `HeadClass` the classes. Rows are the queries that overlap audio; keys are all of them.
struct AttentionStats: StatefulPlugin {
    static let descriptor = PluginDescriptor(
        id: "org.auscult.attention-stats", name: "Attention statistics", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description: "How far each head looks, how widely, and how much of its attention lies on padding.",
        needs: Needs(hooks: [AttentionKind.encoder.hook(layer: "*")]), parameters: Settings.parameters,
        outputs: Drawing.outputs)

    private let settings: Settings
    private let layout: HeadLayout
    private let host: Host
    private var times = WordTimes()
    private(set) var state: AttentionState

    init(arguments: Arguments, host: Host) throws {
        settings = try Settings(arguments)
        layout = HeadLayout(within: settings.within)
        state = AttentionState(within: settings.within)
        self.host = host
    }

    var needs: Needs {
        Needs(hooks: settings.hooks, decoder: settings.kinds.contains { $0 != .encoder })
    }

    mutating func activate(_ run: Run) throws {
        for kind in settings.kinds {
            let layers = kind == .encoder ? run.nAudioLayer : run.nTextLayer
            if let stray = settings.layers.first(where: { $0 >= layers }) {
                throw PluginError(
                    .invalidArgument,
                    "layers has \(stray), and the \(kind.rawValue) attention of \(run.model) has \(layers)")
            }
        }
    }

    mutating func process(_ clip: Clip, _ results: Results) throws {
        let middles = settings.kinds.contains(.cross) ? times.middles(clip, host) : []
        for tensor in clip.tensors {
            guard let (kind, layer) = AttentionKind.of(hook: tensor.hook) else { continue }
            try host.checkCancellation()
            let sums = try self.sums(tensor, clip, kind, layer, middles)
            try keep(sums, tensor.hook, clip)
        }
        // Saved states are checked, so this has room.
        if clip.window == 0 { state.recordings += 1 }
        guard settings.perRecording, clip.isLastWindow, let open = state.open else { return }
        state.open = nil
        try Drawing(open.layers, layout, settings).emitTable("recording-heads", results, recording: open.name)
    }

    private mutating func keep(_ sums: LayerSums, _ hook: String, _ clip: Clip) throws {
        guard AttentionState.add(sums, to: &state.layers, hook) else {
            throw PluginError(.failed, "\(hook) of \(clip.name) has other heads than before")
        }
        guard settings.perRecording else { return }
        var open =
            state.open.flatMap { $0.recording == clip.recording ? $0 : nil }
            ?? .init(recording: clip.recording, name: clip.name)
        guard AttentionState.add(sums, to: &open.layers, hook) else {
            throw PluginError(.failed, "\(hook) of \(clip.name) has other heads than before")
        }
        state.open = open
    }

    /// The sums of a pattern, `[heads, queries, keys]`.
    private func sums(
        _ pattern: TensorView, _ clip: Clip, _ kind: AttentionKind, _ layer: Int, _ middles: [Double?]
    ) throws -> LayerSums {
        guard pattern.rank == 3 else {
            throw PluginError(
                .unsupported,
                "\(pattern.hook) of \(clip.name) has shape \(pattern.shape), expected [heads, queries, keys]")
        }
        let (queries, keys) = (pattern.shape[1], pattern.shape[2])
        let rows = kind == .encoder ? min(queries, clip.validFrames) : queries
        let validKeys = kind == .decoder ? nil : min(keys, clip.validFrames)
        var heads: [HeadSums] = []
        for slice in pattern.slices {
            var sums = RowSums(layout, settings)
            slice.withUnsafeFloats { values in
                for q in 0..<rows {
                    sums.add(
                        UnsafeBufferPointer(rebasing: values[q * keys..<(q + 1) * keys]),
                        place: place(q, kind, clip, middles), relative: (Double(q) + 0.5) / Double(max(1, rows)),
                        keys: kind == .decoder ? min(q + 1, keys) : keys, validKeys: validKeys)
                }
            }
            var head = HeadSums(layout)
            guard head.add(sums) else {
                throw PluginError(.failed, "\(pattern.hook) of \(clip.name) has values that are not finite")
            }
            heads.append(head)
        }
        return LayerSums(kind: kind, layer: layer, heads: heads)
    }

    /// The key that lies where the query lies: frame t stands for (t + 0.5) / 50 s of the window.
    private func place(_ q: Int, _ kind: AttentionKind, _ clip: Clip, _ middles: [Double?]) -> Double? {
        guard kind == .cross else { return Double(q) }
        // A row attends while the next token is chosen (openai/whisper's word times count the same way).
        guard q + 1 < middles.count, let time = middles[q + 1] else { return nil }
        return (time - clip.start) * 50 - 0.5
    }

    mutating func merge(state other: AttentionState) throws {
        guard other.fits(HeadLayout(within: other.within)) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its sums have other sizes than it says")
        }
        try state.add(other)
    }

    mutating func finish(_ results: Results) throws {
        let drawing = Drawing(state.layers, layout, settings)
        try results.emit("recordings", .scalar(Double(state.recordings)))
        try drawing.emitTable("heads", results)
        try drawing.emitClasses(results)
        for kind in settings.kinds { try drawing.emitMaps(kind, results) }
    }
}
