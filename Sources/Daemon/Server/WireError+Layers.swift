import Atlas
import Audio
import DataSets
import Dictionaries
import Files
import PluginHost
import TensorFiles
import Whisper
import Wire

extension WireError {
    /// What a client is told of an error of the layers below: its sentence unchanged, its kind as gRPC's code, and the
    /// kind's own name as the reason.
    init(describing error: any Error) {
        switch error {
        case let error as WireError: self = error
        case let error as ServiceError: self.init(reason: error.code.rawValue, error.message)
        case let error as WhisperError: self.init(reason: error.code.rawValue, "\(error)")
        case let error as TensorFileError: self.init(reason: error.code.rawValue, error.message)
        case let error as DictionaryError: self.init(reason: error.code.rawValue, error.message)
        case let error as AudioError: self.init(reason: error.code.rawValue, "\(error)")
        case let error as DataSetError: self.init(reason: error.code.rawValue, "\(error)")
        case let error as AtlasError: self.init(reason: error.code.rawValue, error.message)
        case let error as PluginError: self.init(plugin: error)
        case let error as FileError: self.init(reason: error.code.rawValue, error.message)
        case is CancellationError: self.init(reason: ServiceError.Code.cancelled.rawValue, "the call was cancelled")
        default: self.init(.unknown, "\(error)")
        }
    }

    private init(reason: String, _ message: String) {
        self.init(Self.codes[reason] ?? .unknown, message, reason: reason)
    }

    /// A plugin that is to blame for its process' end is unavailable, whatever it did.
    private init(plugin error: PluginError) {
        let codes: [PluginError.Code: Code] = [
            .notFound: .notFound, .brokenBundle: .dataLoss, .invalidArgument: .invalidArgument,
            .missing: .failedPrecondition, .unsupported: .failedPrecondition, .limit: .resourceExhausted,
            .crashed: .unavailable, .noAnswer: .unavailable, .brokeRules: .unavailable, .quarantined: .unavailable,
            .cancelled: .cancelled, .system: .resourceExhausted,
        ]
        self.init(codes[error.code] ?? .internal, error.message, reason: error.code.rawValue)
    }

    /// Kinds mean the same in all layers, so their names are enough.
    private static let codes: [String: Code] = [
        ServiceError.Code.invalidArgument.rawValue: .invalidArgument,
        ServiceError.Code.notFound.rawValue: .notFound,
        ServiceError.Code.dataLoss.rawValue: .dataLoss,
        WhisperError.Code.unsupported.rawValue: .unimplemented,
        ServiceError.Code.unavailable.rawValue: .unavailable,
        ServiceError.Code.cannotCreate.rawValue: .failedPrecondition,
        ServiceError.Code.inputOutput.rawValue: .internal,
        ServiceError.Code.cancelled.rawValue: .cancelled,
        ServiceError.Code.resourceExhausted.rawValue: .resourceExhausted,
        ServiceError.Code.deadlineExceeded.rawValue: .deadlineExceeded,
        ServiceError.Code.failedPrecondition.rawValue: .failedPrecondition,
        ServiceError.Code.mismatch.rawValue: .failedPrecondition,
        ServiceError.Code.permissionDenied.rawValue: .permissionDenied,
        ServiceError.Code.unimplemented.rawValue: .unimplemented,
        ServiceError.Code.alreadyExists.rawValue: .alreadyExists,
    ]
}
