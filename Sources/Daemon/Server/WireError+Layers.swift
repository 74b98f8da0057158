import Files
import PluginHost
import Wire

extension WireError {
    /// What a client is told of an error of the layers below: its sentence unchanged, its kind as gRPC's code, and the
    /// kind's own name as the reason.
    init(describing error: any Error) {
        switch error {
        case let error as WireError: self = error
        case let error as any CodedError:
            self.init(Self.codes[error.code] ?? .unknown, "\(error)", reason: error.code.rawValue)
        case is CancellationError:
            self.init(.cancelled, "the call was cancelled", reason: ErrorCode.cancelled.rawValue)
        default: self.init(.unknown, "\(error)")
        }
    }

    private static let codes: [ErrorCode: Code] = [
        .invalidArgument: .invalidArgument, .notFound: .notFound, .dataLoss: .dataLoss, .unsupported: .unimplemented,
        .unavailable: .unavailable, .cannotCreate: .failedPrecondition, .inputOutput: .internal,
        .cancelled: .cancelled, .resourceExhausted: .resourceExhausted, .deadlineExceeded: .deadlineExceeded,
        .failedPrecondition: .failedPrecondition, .mismatch: .failedPrecondition,
        .permissionDenied: .permissionDenied, .unimplemented: .unimplemented, .alreadyExists: .alreadyExists,
        // Of plugins. One that is to blame for its process' end is unavailable, whatever it did.
        .brokenBundle: .dataLoss, .failed: .internal, .missing: .failedPrecondition, .limit: .resourceExhausted,
        .crashed: .unavailable, .noAnswer: .unavailable, .brokeRules: .unavailable, .quarantined: .unavailable,
        .system: .resourceExhausted,
    ]
}
