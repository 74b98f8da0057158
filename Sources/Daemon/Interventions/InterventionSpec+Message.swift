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
            guard message.hook.isEmpty, message.operation == nil, message.positions == nil, message.heads.isEmpty else {
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
        self = .parts(
            hook: message.hook,
            positions: message.positions.map { PositionBounds(start: $0.start, end: $0.end) },
            heads: message.heads, try Operation(operation, hook: message.hook))
    }
}

extension InterventionSpec.Operation {
    fileprivate init(_ operation: V1.Intervention.Operation, hook: String) throws {
        switch operation {
        case .zero: self = .zero
        case .mean: self = .mean
        case .scale(let factor): self = .scale(factor)
        case .add(let add): self = .add(try .init(add.value, hook: hook), add.factor)
        case .set(let value): self = .set(try .init(value, hook: hook))
        case .noise(let noise): self = .noise(standardDeviation: noise.standardDeviation, seed: noise.seed)
        case .window(let positions): self = .window(positions)
        case .substitutePadding: self = .substitutePadding
        case .splice(let folder): self = .splice(try Self.folder(folder, hook: hook))
        case .latent(let latent):
            let change: LatentChange
            switch latent.change {
            case .scale(let factor)?: change = .scale(factor)
            case .set(let value)?: change = .set(value)
            case nil:
                throw ServiceError(
                    .invalidArgument, "the intervention on \(hook) does not say how to change latent \(latent.index)")
            }
            self = .latent(try Self.folder(latent.dictionary, hook: hook), latent.index, change)
        }
    }

    private static func folder(_ path: String, hook: String) throws -> String {
        guard !path.isEmpty else {
            throw ServiceError(.invalidArgument, "the intervention on \(hook) names no dictionary")
        }
        return path
    }
}

extension InterventionSpec.TensorSource {
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
