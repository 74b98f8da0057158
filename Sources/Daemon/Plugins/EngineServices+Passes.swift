import Audio
import Kernels
import Mel
import PluginHost
import Whisper

// Passes of the model that a plugin asks for: by the plan of a trace, over one window.

extension EngineServices {
    func run(
        samples: [Float]?, tokens: [Int32]?, interventions: [String], hooks: [String]
    ) throws -> [PluginTensor] {
        let pass = PluginPass(
            sound: samples.map { PluginPass.Sound.samples($0) } ?? .padding, tokens: tokens,
            interventions: interventions, hooks: hooks)
        try check(pass.sound)
        guard !hooks.isEmpty else { return [] }
        return try computing {
            let plan = try plan(pass, request(pass))
            guard !plan.pass.readsDecoder || tokens?.isEmpty == false else {
                throw refuse("hook points in the decoder need tokens for it to read")
            }
            return try compute(pass, plan).tensors.filter { $0.hook != Self.tokensName }
        }
    }

    func pass(_ pass: PluginPass) throws -> PluginPassAnswer {
        try check(pass.sound)
        guard !pass.hooks.isEmpty || !pass.objectives.isEmpty else {
            throw refuse("a pass needs at least one hook point or objective")
        }
        if !pass.objectives.isEmpty, let refusal = model.precision.gradientRefusal {
            throw PluginError(.unsupported, "\(plugin) asks for gradients: \(refusal)")
        }
        return try computing { try compute(pass, plan(pass, request(pass))) }
    }

    /// What the tokens that the decoder read are called among tensors.
    private static let tokensName = "tokens"

    private func check(_ sound: PluginPass.Sound) throws {
        let dimensions = model.dimensions
        switch sound {
        case .padding: break
        case .samples(let samples):
            guard samples.count <= dimensions.windowSamples else {
                throw refuse("a run takes at most \(dimensions.windowSamples) samples; there are \(samples.count)")
            }
            try checkFinite(samples)
        case .logMel(let shape, let elements, let valid):
            guard shape.count == 2, shape[0] == dimensions.nMels, shape[1] % 2 == 0,
                (2...dimensions.melFrames).contains(shape[1]), elements.count == shape[0] * shape[1]
            else {
                throw refuse(
                    "a log-mel is [\(dimensions.nMels), \(dimensions.melFrames)] for this model, or an even number of frames fewer; "
                        + "it is \(shape)")
            }
            guard (0...shape[1]).contains(valid) else {
                throw refuse("\(valid) frames of the log-mel are to be valid; it has \(shape[1])")
            }
            try checkFinite(elements)
        }
    }

    // MARK: - The plan

    private func request(_ pass: PluginPass) throws -> TraceRequest {
        // A gradient is asked for somewhere: where the objectives are, it is what they are made of.
        let hooks =
            pass.hooks.isEmpty
            ? try pass.objectives.flatMap { try PlannedObjective($0, dimensions: model.dimensions).points.map(\.name) }
            : pass.hooks
        var request = TraceRequest(hooks: hooks)
        request.objectives = pass.objectives
        request.frames = wantsAllFrames ? .all : .valid
        request.interventions = pass.interventions.map { .text($0) }
        if let tokens = pass.given { request.decoderInput = .tokens(tokens) }
        return request
    }

    private func plan(_ pass: PluginPass, _ request: TraceRequest) throws -> TracePlan {
        let sources = InterventionSources(model: model, turn: turn, padding: .sound, knowsTokens: false) {
            switch pass.sound {
            case .samples(let samples): return SampleBuffer(samples)
            case .padding: return SampleBuffer([])
            case .logMel: throw self.refuse("a log-mel has no words; expected @frames a:b")
            }
        }
        return try TracePlan(request, model.dimensions, sources.material)
    }

    // MARK: - The pass

    private func compute(_ asked: PluginPass, _ plan: TracePlan) throws -> PluginPassAnswer {
        let whisper = try model.model(), dimensions = model.dimensions
        let (mel, valid) = input(asked.sound, whisper)
        let frames = valid ?? mel.shape[1] / 2, isAsked = !asked.hooks.isEmpty
        var found: [PluginTensor] = plan.wantsLogMel ? [logMel(mel, frames)] : []
        guard !plan.pass.captures.isEmpty || plan.pass.gradients != nil else {
            return PluginPassAnswer(tensors: found, values: [])
        }
        let pass = try WindowPass(whisper, mel, plan.pass, start: 0, validFrames: valid) {
            if isAsked { found.append(PluginTensor($0, window: 0, validFrames: frames, dimensions)) }
        }
        var tokens: [Int] = [], prompt = 0
        if plan.pass.readsDecoder {
            var request = TraceRequest(hooks: [])
            request.decoderInput = plan.decoderInput
            let writer = try DecoderPrompt(request, model)
            tokens = try asked.given ?? pass.tokens(of: writer, turn: turn)
            prompt = writer.promptCount(tokens)
            try pass.read(tokens)
            found.insert(Self.tokens(tokens), at: 0)
        }
        guard !plan.objectives.isEmpty else { return PluginPassAnswer(tensors: found, values: []) }
        let reading = PlannedObjective.Reading(
            tokens: tokens, prompt: prompt, tokenizer: try? model.tokenizer(),
            validFrames: plan.pass.allFrames ? nil : valid)
        let objectives = try plan.objectives.map { try $0.objective(reading) }
        let values = try pass.differentiate(objectives) { index, gradient in
            guard isAsked else { return }
            let suffix = ObjectiveNumber(index, of: objectives.count).suffix
            switch gradient {
            case .activation(let captured):
                found.append(
                    PluginTensor(captured, window: 0, validFrames: frames, dimensions, suffix: suffix))
            case .logMel(let tensor): found.append(self.logMel(tensor, frames, suffix: suffix))
            }
        }
        return PluginPassAnswer(tensors: found, values: values)
    }

    /// The encoder's input, and how many of its frames overlap sound; nil where all do.
    private func input(_ sound: PluginPass.Sound, _ whisper: WhisperModel) -> (mel: Tensor, valid: Int?) {
        switch sound {
        case .padding: return (whisper.paddingMel, nil)
        case .samples(let samples):
            let valid = EncoderFrames.valid(sampleCount: samples.count)
            return (
                WindowSource(model.dimensions, context: context).mel(samples), min(valid, model.dimensions.nAudioCtx)
            )
        case .logMel(let shape, let elements, let valid):
            return (Tensor(shape: shape, elements), valid > 0 ? (valid + 1) / 2 : nil)
        }
    }

    /// The encoder's input or a gradient of it, cut along its frames like an activation.
    private func logMel(_ mel: Tensor, _ validFrames: Int, suffix: String = "") -> PluginTensor {
        let kept = wantsAllFrames ? mel.shape[1] : min(mel.shape[1], 2 * validFrames)
        return PluginTensor(
            Reduction.none.applied(to: mel, axis: 1, first: kept), hook: TraceRequest.logMel + suffix,
            axes: ["mel", "mel_frame"], positionsPerSecond: 100, validPositions: min(kept, 2 * validFrames))
    }

    private static func tokens(_ tokens: [Int]) -> PluginTensor {
        let ids = tokens.map { Int32(clamping: $0) }
        return PluginTensor(
            dtype: .i32, shape: [ids.count], hook: Self.tokensName, axes: ["token"], validPositions: ids.count
        ) { body in try ids.withUnsafeBytes(body) }
    }
}

extension PluginPass {
    /// The tokens that were given for the decoder to read.
    fileprivate var given: [Int]? { tokens?.isEmpty == false ? tokens?.map { Int($0) } : nil }
}
