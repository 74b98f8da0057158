import Kernels
import Messages
import Whisper

extension InterventionSpec {
    /// Interventions of one call. Each is looked up in the model while the call has the engine.
    static let most = 1024

    /// What the messages of one call ask for.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for one that says nothing, or two things, and for more than ``most``.
    static func all(_ messages: [V1.Intervention]) throws -> [InterventionSpec] {
        guard messages.count <= most else {
            throw ServiceError(.invalidArgument, "\(messages.count) interventions; expected at most \(most)")
        }
        return try messages.map { try InterventionSpec($0) }
    }

    /// What a message asks for.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for one that says nothing, or two things.
    init(_ message: V1.Intervention) throws {
        guard message.text.isEmpty else {
            guard message.hook.isEmpty, message.operation == nil, message.positions == nil, message.heads.isEmpty,
                message.neurons.isEmpty, message.words == nil, message.receiver == nil
            else {
                throw ServiceError(
                    .invalidArgument, "the intervention \"\(message.text)\" has its text form and other fields as well")
            }
            self = .text(message.text)
            return
        }
        guard !message.hook.isEmpty else {
            throw ServiceError(.invalidArgument, "an intervention names no hook point")
        }
        guard let operation = message.operation else {
            throw ServiceError(.invalidArgument, "the intervention on \(message.hook) has no operation")
        }
        var parts = InterventionParts(
            hook: message.hook, positions: message.positions.map { .init($0) }, heads: message.heads,
            neurons: message.neurons, try .init(operation, hook: message.hook))
        parts.words = try message.words.map { try .init($0, hook: message.hook) }
        parts.receiver = message.receiver.map { .init(hook: $0.hook, heads: $0.heads) }
        self = .parts(parts)
    }
}

extension InterventionParts.PositionBounds {
    fileprivate init(_ message: V1.PositionRange) { self.init(start: message.start, end: message.end) }
}

extension InterventionParts.Words {
    fileprivate init(_ message: V1.Words, hook: String) throws {
        switch message.name {
        case .numbers(let numbers)?: self = .numbers(numbers.first, numbers.last)
        case .said(let text)?: self = .said(text)
        case nil: throw ServiceError(.invalidArgument, "the intervention on \(hook) names no word")
        }
    }
}

extension InterventionParts.Operation {
    fileprivate init(_ operation: V1.Intervention.Operation, hook: String) throws {
        switch operation {
        case .zero: self = .zero
        case .mean: self = .mean
        case .meanOver(let dataSet): self = .meanOver(try Self.path(dataSet, "data set", hook))
        case .scale(let factor): self = .scale(factor)
        case .add(let add): self = .add(try .init(add.value, hook: hook), add.factor)
        case .set(let value): self = .set(try .init(value, hook: hook))
        case .noise(let noise): self = .noise(standardDeviation: noise.standardDeviation, seed: noise.seed)
        case .clamp(let clamp): self = .clamp(.init(clamp))
        case .patch(let patch):
            self = .patch(
                try Self.path(patch.source, "recording", hook), patch.positions.map { .init($0) },
                try patch.words.map { try .init($0, hook: hook) })
        case .resample(let resample):
            self = .resample(try Self.path(resample.dataSet, "data set", hook), seed: resample.seed)
        case .window(let positions): self = .window(positions)
        case .substitutePadding: self = .substitutePadding
        case .splice(let folder): self = .splice(try Self.path(folder, "dictionary", hook))
        case .latent(let latent):
            let folder = try Self.path(latent.dictionary, "dictionary", hook)
            switch latent.change {
            case .scale(let factor)?: self = .latent(folder, latent.index, .scale(factor))
            case .set(let value)?: self = .latent(folder, latent.index, .set(value))
            case .clamp(let clamp)?: self = .latentClamp(folder, latent.index, .init(clamp))
            case nil:
                throw ServiceError(
                    .invalidArgument, "the intervention on \(hook) does not say how to change latent \(latent.index)")
            }
        }
    }

    private static func path(_ path: String, _ what: String, _ hook: String) throws -> String {
        guard !path.isEmpty else {
            throw ServiceError(.invalidArgument, "the intervention on \(hook) names no \(what)")
        }
        return path
    }
}

extension InterventionParts.Clamp {
    fileprivate init(_ message: V1.Clamp) {
        func limit(_ message: V1.ClampLimit?) -> Limit? {
            switch message?.limit {
            case .value(let value)?: .value(value)
            case .quantile(let quantile)?: .quantile(quantile)
            case nil: nil
            }
        }
        self.init(
            lower: limit(message.lower), upper: limit(message.upper), over: message.over.isEmpty ? nil : message.over)
    }
}

extension InterventionParts.TensorSource {
    fileprivate init(_ message: V1.TensorValue?, hook: String) throws {
        switch message?.value {
        case .path(let path)?: self = .path(path)
        case .tensor(let tensor)?: self = .tensor(try Tensor(tensor, about: "the intervention on \(hook)"))
        case nil: throw ServiceError(.invalidArgument, "the intervention on \(hook) has no tensor")
        }
    }
}

extension Tensor {
    /// A tensor by value.
    /// - Throws: ``ServiceError`` (`invalidArgument`) where the type is not float32 or the sizes do not agree.
    init(_ message: V1.Tensor, about what: String) throws {
        func refuse(_ problem: String) -> ServiceError {
            ServiceError(.invalidArgument, "the tensor of \(what) \(problem)")
        }
        guard message.dtype == .f32 else { throw refuse("has type \(message.dtype.rawValue); expected F32") }
        var count = 1
        for extent in message.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: extent))
            guard !overflow else { throw refuse("has the impossible shape \(message.shape)") }
            count = product
        }
        guard count <= message.data.count, message.data.count == count * 4 else {
            throw refuse("has shape \(message.shape), which needs 4 × \(count) bytes; it has \(message.data.count)")
        }
        self.init(uninitialized: message.shape.map { Int($0) })
        withUnsafeMutableBufferPointer { target in
            message.data.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
        }
    }
}
