import CAuscultPlugin

/// What the model hears in a pass that a plugin asks for.
public enum PassSound: Sendable {
    /// Nothing but padding.
    case padding
    /// 16 kHz mono, at most one window, padded as in the run's own passes.
    case samples([Float])
    /// The encoder's input itself, `[bands, mel frames]` row by row: an even number of frames, at most 2 × n_audio_ctx, all of which
    /// are encoded.
    /// - Parameters:
    ///   - bands: n_mels of the model.
    ///   - valid: frames that are sound, the others being padding; nil for all.
    case logMel([Float], bands: Int, valid: Int? = nil)
}

extension Host {
    /// Runs the model once, and goes back through it once for each objective.
    ///
    /// `body` gets, in this order: `tokens`, where the decoder read any; `log_mel`; the values at hook points in the order of the forward
    /// pass; their gradients from the last to the first, that of `log_mel` at the end. A gradient is called like its value with `@grad`
    /// behind, or of several objectives `@grad1`, `@grad2`, …
    /// - Parameters:
    ///   - tokens: what the decoder reads, exactly. None: where something in the decoder is wanted, the text of an objective that has one,
    ///     else what the model writes itself.
    ///   - interventions: in their text form.
    ///   - objectives: what is differentiated, as `auscult trace --objective` takes it; at most 64. None for values alone.
    ///   - hooks: names or globs of hook points; `log_mel` is the encoder's input. None where only the objectives' values are wanted.
    /// - Returns: what the objectives come to.
    /// - Throws: ``PluginError``: `unsupported` for objectives with a model whose precision is not `exact`, and for a host that has no
    ///   gradients; `invalidArgument` and `notFound` for what makes no sense or is not there; what `body` throws.
    @discardableResult
    public func pass(
        _ sound: PassSound, tokens: [Int32] = [], interventions: [String] = [], objectives: [String] = [],
        hooks: [String], _ body: (TensorView) throws -> Void = { _ in }
    ) throws -> [Double] {
        let table = try required(AUSCULT_HOST_GRADIENTS, auscult_host_gradients.self)
        let memory = CMemory()
        var pass = auscult_pass()
        pass.struct_size = UInt32(MemoryLayout<auscult_pass>.size)
        switch sound {
        case .padding: break
        case .samples(let samples):
            pass.samples = memory.array(samples)
            pass.sample_count = UInt64(samples.count)
        case .logMel(let elements, let bands, let valid):
            pass.log_mel = try memory.logMel(elements, bands, valid)
        }
        pass.tokens = memory.array(tokens)
        pass.token_count = UInt32(clamping: tokens.count)
        pass.interventions = memory.strings(interventions)
        pass.intervention_count = UInt32(clamping: interventions.count)
        pass.objectives = memory.strings(objectives)
        pass.objective_count = UInt32(clamping: objectives.count)
        pass.hooks = memory.strings(hooks)
        pass.hook_count = UInt32(clamping: hooks.count)
        var values = [Double](repeating: 0, count: objectives.count)
        try values.withUnsafeMutableBufferPointer { values in
            let start = values.baseAddress
            try withUnsafePointer(to: pass) { pass in
                try each("a pass of the model", body) { table.pointee.run(pointer, pass, start, $0, $1) }
            }
        }
        return values
    }
}

extension CMemory {
    fileprivate func logMel(_ elements: [Float], _ bands: Int, _ valid: Int?) throws -> UnsafePointer<auscult_tensor> {
        let frames = bands > 0 ? elements.count / bands : 0
        guard frames > 0, bands * frames == elements.count, (1...frames).contains(valid ?? frames) else {
            throw PluginError(
                .invalidArgument,
                "a log-mel of \(elements.count) numbers in \(bands) bands, \(valid.map(String.init) ?? "all") of its frames valid; expected as "
                    + "many frames in every band, and from one to all of them valid")
        }
        var tensor = auscult_tensor()
        tensor.struct_size = UInt32(MemoryLayout<auscult_tensor>.size)
        tensor.dtype = TensorView.Element.float32.rawValue
        tensor.rank = 2
        (tensor.shape.0, tensor.shape.1) = (Int64(bands), Int64(frames))
        (tensor.strides.0, tensor.strides.1) = (Int64(frames), 1)
        tensor.data = array(elements).map { UnsafeRawPointer($0) }
        tensor.valid_positions = Int64(valid ?? 0)
        let empty = string("")
        tensor.hook = empty
        tensor.axes = (empty, empty, empty, empty, empty, empty, empty, empty)
        return UnsafePointer(value(tensor))
    }
}
