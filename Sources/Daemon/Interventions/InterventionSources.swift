import Audio
import DataSets
import Files
import Kernels
import Whisper

/// What interventions are made of beside their text, where a model is there to listen: other recordings, measures over data sets, the words
/// of what is heard. All of it is heard before the first pass that is changed.
struct InterventionSources {
    let model: LoadedModel
    /// The engine's, lent at checkpoints; nil where it is not shared.
    let turn: EngineTurn?
    let padding: WindowPadding
    /// How recordings are written down whose words are named.
    var transcript = TranscribeOptions()
    /// Whether the passes are those of the transcript, so that its tokens are known in them.
    var knowsTokens = true
    /// What is heard; nil where that is not known before.
    let samples: (() throws -> SampleBuffer)?

    init(
        model: LoadedModel, turn: EngineTurn?, padding: WindowPadding,
        transcript: TranscribeOptions = TranscribeOptions(),
        knowsTokens: Bool = true, samples: (() throws -> SampleBuffer)?
    ) {
        (self.model, self.turn, self.padding) = (model, turn, padding)
        (self.transcript, self.knowsTokens, self.samples) = (transcript, knowsTokens, samples)
    }

    var material: InterventionMaterial {
        InterventionMaterial(
            recording: recording, recordings: recordings, measured: measured,
            words: {
                guard let samples else {
                    throw ServiceError(
                        .invalidArgument, "live sound has no words before they are spoken; expected @frames a:b")
                }
                let heard = try words(of: samples(), transcript)
                return knowsTokens
                    ? heard : heard.map { HeardWord(text: $0.text, melFrames: $0.melFrames, window: $0.window) }
            })
    }

    private func words(of samples: SampleBuffer, _ options: TranscribeOptions) throws -> [HeardWord] {
        var request = TranscriptionRequest()
        request.options = options
        request.padding = padding
        return try TranscribeService(model: model, request).words(of: samples, turn: turn)
    }

    // MARK: - One other recording

    private func recording(_ name: String) throws -> InterventionMaterial.Recording {
        let samples = try Self.input(named: name).samples(seconds: nil, turn: turn)
        let windows = try WindowSource(model.dimensions, padding: padding).windows(of: samples)
        guard windows.count == 1 else {
            throw ServiceError(
                .invalidArgument,
                "\(name) takes \(windows.count) windows of the model; a patch is from a recording of one, at most "
                    + "\(model.dimensions.windowSamples / SampleBuffer.sampleRate) s")
        }
        let input = OtherInput(name: name, mel: try windows.mel(of: windows[0]))
        return .init(input) { try words(of: samples, transcript) }
    }

    fileprivate static func input(named name: String) throws -> AudioInput {
        guard !name.hasPrefix(DemoClips.prefix) else {
            return try .clip(named: String(name.dropFirst(DemoClips.prefix.count)))
        }
        try Engine.checkAbsolute(name)
        _ = try FileDescriptor(reading: name, name: name)
        return AudioInput(name: name, source: .file(name))
    }

    // MARK: - Data sets

    fileprivate static func items(of dataSet: String) throws -> [PluginRecording] {
        var items: [PluginRecording] = []
        let set = try DataSet(dataSet, clips: { try DemoClips.items() })
        try set.forEach(broken: { if $0.losesRecording { throw $0 } }) {
            items.append(PluginRecording(item: $0, recording: nil))
        }
        guard !items.isEmpty else { throw ServiceError(.invalidArgument, "\(dataSet) has no recordings") }
        return items
    }

    private func recordings(_ dataSet: String) throws -> OtherInputs {
        let (dimensions, padding) = (model.dimensions, padding)
        let items = try Self.items(of: dataSet)
        @Sendable func first(of item: PluginRecording) throws -> OtherInput {
            let (input, seconds) = try item.input()
            let windows = try WindowSource(dimensions, padding: padding).windows(of: input.read(seconds: seconds))
            return OtherInput(name: input.name, mel: try windows.mel(of: windows[0]))
        }
        return OtherInputs(name: dataSet, items.map { item in { @Sendable in try first(of: item) } })
    }

    private func measured(
        _ dataSet: String, _ measure: InterventionMaterial.Measure, _ points: Set<HookPoint>, _ columns: [Int]?
    ) throws -> [HookPoint: [Float]] {
        let measurement = ColumnMeasurement(measure, columns: columns)
        let decodes = points.contains { !$0.isEncoder }
        let prompt = try decodes ? DecoderPrompt(TraceRequest(hooks: []), model) : nil
        let plan = PassPlan(captures: points, keepsAudio: decodes)
        let source = WindowSource(model.dimensions, padding: padding), whisper = try model.model()
        for item in try Self.items(of: dataSet) {
            let (input, seconds) = try item.input()
            let windows = try source.windows(of: input.samples(seconds: seconds, turn: turn))
            for index in 0..<windows.count {
                try Task.checkCancellation()
                try turn?.checkpoint()
                let window = try windows[index]
                let pass = try WindowPass(whisper, windows.mel(of: window), plan, validFrames: window.validFrames) {
                    try measurement.add($0)
                }
                if let prompt { try pass.read(pass.tokens(of: prompt, turn: turn)) }
            }
        }
        return try measurement.values(at: points)
    }
}

extension InterventionMaterial {
    /// Looks whether what a text names is there, and listens to none of it: what comes out is good for looking at.
    static var unheard: InterventionMaterial {
        InterventionMaterial(
            recording: { name in
                _ = try InterventionSources.input(named: name)
                return .init(OtherInput(name: name, mel: Tensor(shape: [0, 0]))) { nil }
            },
            recordings: { dataSet in
                _ = try InterventionSources.items(of: dataSet)
                return OtherInputs(name: dataSet, [])
            },
            measured: { dataSet, _, points, _ in
                _ = try InterventionSources.items(of: dataSet)
                return Dictionary(uniqueKeysWithValues: points.map { ($0, []) })
            },
            words: { nil })
    }
}
