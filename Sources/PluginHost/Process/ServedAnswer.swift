import Files
import Foundation
import Messages

/// What a plugin asked of the engine, answered: the message, and the memory that goes with it.
struct ServedAnswer {
    var answer: HostV1.Answer
    var memory: FileDescriptor?

    /// Answers `question` by `services`. Errors become statuses; nothing is thrown for them.
    static func serve(_ question: HostV1.Ask.Question, _ services: any PluginServices) -> ServedAnswer {
        do {
            return try answer(question, services)
        } catch let error as PluginError {
            return ServedAnswer(answer: HostV1.Answer(status: Status.of(error.code), error: error.message))
        } catch {
            return ServedAnswer(answer: HostV1.Answer(status: Status.failed, error: "\(error)"))
        }
    }

    private static func answer(
        _ question: HostV1.Ask.Question, _ services: any PluginServices
    ) throws -> ServedAnswer {
        switch question {
        case .encode(let ask):
            let ids = try services.encode(ask.text, parseSpecial: ask.parseSpecial)
            return ServedAnswer(answer: HostV1.Answer(ids: ids))
        case .decode(let ask):
            return ServedAnswer(answer: HostV1.Answer(text: try services.decode(ask.ids)))
        case .weights(let ask):
            return try answer([services.weights(ask.name)])
        case .run(let ask):
            guard ask.hooks.count <= DescriptionCheck.mostHooks,
                ask.interventions.count <= CReading.mostInterventions
            else {
                throw PluginError(.limit, "\(ask.hooks.count) hook points and \(ask.interventions.count) interventions")
            }
            return try answer(
                services.run(
                    samples: ask.samples.map { try floats($0.samples) }, tokens: ask.tokens?.ids,
                    interventions: ask.interventions, hooks: ask.hooks))
        case .pass(let ask):
            let found = try services.pass(pass(ask))
            var served = try answer(found.tensors)
            served.answer.values = found.values
            return served
        case .logits(let ask):
            let (product, overflow) = Int(ask.sequences).multipliedReportingOverflow(by: Int(ask.tokensEach))
            guard !overflow, product == ask.tokens.count, (1...1024).contains(ask.sequences), product > 0 else {
                throw PluginError(
                    .invalidArgument,
                    "\(ask.tokens.count) tokens for \(ask.sequences) sequences of \(ask.tokensEach); "
                        + "1 to 1024 sequences were expected")
            }
            return try answer([
                services.decode(
                    audio: ask.audio.map { try matrix($0, "audio", "[n_audio_ctx, n_audio_state]") },
                    tokens: ask.tokens, sequences: Int(ask.sequences),
                    tokensEach: Int(ask.tokensEach))
            ])
        case .transcribe(let ask):
            guard ask.interventions.count <= CReading.mostInterventions else {
                throw PluginError(
                    .limit, "\(ask.interventions.count) interventions, at most \(CReading.mostInterventions)")
            }
            let text = try services.transcribe(
                samples: floats(ask.samples), language: ask.language, interventions: ask.interventions)
            return ServedAnswer(answer: HostV1.Answer(text: text))
        case .folder:
            return ServedAnswer(answer: HostV1.Answer(text: try services.stateFolder()))
        }
    }

    private static func answer(_ tensors: [PluginTensor]) throws -> ServedAnswer {
        var memory = try SealedMemory()
        var mapped: [HostV1.MappedTensor] = []
        for tensor in tensors { mapped.append(try memory.append(tensor)) }
        try memory.seal()
        return ServedAnswer(
            answer: HostV1.Answer(tensors: mapped, memory: UInt64(memory.size)), memory: memory.descriptor)
    }

    private static func pass(_ ask: HostV1.AskPass) throws -> PluginPass {
        guard ask.hooks.count <= DescriptionCheck.mostHooks, ask.objectives.count <= CReading.mostObjectives,
            ask.interventions.count <= CReading.mostInterventions
        else {
            throw PluginError(
                .limit,
                "\(ask.hooks.count) hook points, \(ask.objectives.count) objectives and \(ask.interventions.count) interventions; at most "
                    + "\(DescriptionCheck.mostHooks), \(CReading.mostObjectives) and \(CReading.mostInterventions)")
        }
        let sound: PluginPass.Sound
        switch (ask.samples, ask.logMel) {
        case (nil, nil): sound = .padding
        case (let samples?, nil): sound = .samples(try floats(samples.samples))
        case (nil, let mel?):
            let (shape, elements) = try matrix(mel, "a log-mel", "[n_mels, mel frames]")
            sound = .logMel(shape: shape, elements: elements, valid: Int(clamping: ask.validMelFrames))
        default:
            throw PluginError(.invalidArgument, "samples and a log-mel; one of the two was expected")
        }
        return PluginPass(
            sound: sound, tokens: ask.tokens?.ids, interventions: ask.interventions, objectives: ask.objectives,
            hooks: ask.hooks)
    }

    private static func matrix(
        _ tensor: V1.Tensor, _ name: String, _ expected: String
    ) throws -> (shape: [Int], elements: [Float]) {
        let elements = try floats(tensor.data)
        guard tensor.dtype == .f32, tensor.shape.count == 2,
            let rows = Int(exactly: tensor.shape[0]), let columns = Int(exactly: tensor.shape[1]),
            case let (product, overflow) = rows.multipliedReportingOverflow(by: columns), !overflow,
            product == elements.count
        else {
            throw PluginError(
                .invalidArgument,
                "\(name) of shape \(tensor.shape) with \(elements.count) numbers; float32 \(expected) was expected")
        }
        return ([rows, columns], elements)
    }

    private static func floats(_ bytes: [UInt8]) throws -> [Float] {
        guard bytes.count % 4 == 0 else {
            throw PluginError(.invalidArgument, "\(bytes.count) bytes are not float32 numbers")
        }
        return [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            count = bytes.count / 4
        }
    }
}
