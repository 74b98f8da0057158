import PluginKit

/// What each neuron, direction or dictionary latent listens to: its maximally activating examples, examples in each range
/// of its activation, and the sound, word or speaker that it tells of. One pass, and memory that does not grow with the
/// recordings, but for what is known of each.
public struct FeaturesPlugin: MonoidPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.features", name: "Features", version: "1.1.0", vendor: "Auscult", licence: "Apache-2.0",
        description:
            "What each neuron, direction or dictionary latent listens to: examples, ranges, labels, in one pass.",
        needs: Needs(hooks: [defaultHooks]), parameters: parameters, outputs: outputs)

    private let settings: Settings
    private let projections: Projections
    private let host: Host
    private var run: Run?
    /// A class: of what it holds there is to be one.
    private let scan: Scan
    /// Hook points that were doubted already.
    private var doubted: Set<String> = []

    public init(arguments: Arguments, host: Host) throws {
        self.host = host
        projections = try Projections(arguments)
        settings = try Settings(arguments, hooks: projections.hooks)
        scan = Scan(settings: settings, description: settings.description + projections.description)
    }

    public var needs: Needs { Needs(hooks: settings.hooks, decoder: settings.decodes) }

    public mutating func activate(_ run: Run) throws {
        try scan.begin(seed: run.seed, tokensOfWindow: run.nTextCtx)
        self.run = run
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        // A window has n_audio_ctx frames of 20 ms.
        try scan.hear(clip, windowSeconds: Double(run.nAudioCtx) / 50)
        for tensor in clip.tensors {
            if let doubt = projections.doubt(tensor.hook), doubted.insert(tensor.hook).inserted {
                host.log(doubt, .warning)
            }
            try hear(tensor, clip, run)
        }
    }

    /// Positions down, features across: the axes behind that of positions are one feature vector.
    private func hear(_ tensor: TensorView, _ clip: Clip, _ run: Run) throws {
        guard tensor.rank >= 2, ["frame", "mel_frame", "token"].contains(tensor.axes[0]) else {
            throw PluginError(
                .invalidArgument,
                "\(tensor.hook) has the axes \(tensor.axes); positions have to come first, and features behind them")
        }
        let width = tensor.shape.dropFirst().reduce(1, *)
        guard width > 0 else { throw PluginError(.failed, "\(tensor.hook) has no features") }
        let count = min(tensor.validPositions, tensor.shape[0])
        // Tokens count from each window's first: those of later windows are counted on, as frames are.
        let first = tensor.positionsPerSecond > 0 ? tensor.firstPosition : clip.window * run.nTextCtx
        guard first >= 0, UInt64(first + count) < FrameMoment.frames else {
            throw PluginError(.limit, "\(clip.name) has position \(first), expected below \(FrameMoment.frames)")
        }
        let places = moments(clip, first..<first + count, rate: tensor.positionsPerSecond)
        try tensor.withUnsafeFloats { values in
            let valid = UnsafeBufferPointer(rebasing: values.prefix(count * width))
            try projections.project(tensor.hook, valid, width: width) { features, number, names in
                let hook = try scan.hook(
                    tensor.hook, features: number, names: names, rate: tensor.positionsPerSecond)
                let window = HookScan.Window(
                    values: features, frames: places, groups: scan.groups(clip.labels),
                    sounds: scan.recordings.sounds.names.count)
                guard try hook.hear(window) else {
                    host.log("\(tensor.hook) has values in \(clip.name) that are not finite: left out", .warning)
                    return
                }
            }
        }
    }

    /// The moments of a window's valid positions, and the sound in each: position t stands for (t + 0.5) / rate.
    private func moments(_ clip: Clip, _ positions: Range<Int>, rate: Double) -> SideScan.Frames {
        let salt = scan.salt
        let recording = scan.recordings[clip.recording]
        let sounds = positions.map { position -> Int32 in
            guard rate > 0, let recording,
                let place = recording.phonemes.place(at: recording.origin + (Double(position) + 0.5) / rate)
            else { return -1 }
            return scan.recordings.sounds.find(scan.recordings.labels[recording.phonemes[place].label]) ?? -1
        }
        return SideScan.Frames(
            recording: clip.recording, first: UInt32(positions.lowerBound),
            keys: positions.map { FrameMoment(recording: clip.recording, frame: UInt64($0)).key(salt: salt) },
            sounds: sounds)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        try FeatureFindings(scan, settings, seed: run.seed, host, results).emit()
    }

    public func save() throws -> [UInt8] { ScanFile.bytes(of: scan) }

    public mutating func merge(_ bytes: [UInt8]) throws {
        try scan.merge(ScanFile.scan(from: bytes, settings: settings, description: scan.description))
    }
}
