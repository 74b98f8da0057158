import Kernels
import Messages

extension Precision {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a precision that nobody knows.
    init(_ message: V1.ModelRef.Precision?) throws {
        switch message ?? .exact {
        case .exact: self = .exact
        case .int8: self = .int8
        case .bf16: self = .bf16
        case let other: throw ServiceError(.invalidArgument, "there is no precision \(other.rawValue)")
        }
    }

    var message: V1.ModelRef.Precision {
        switch self {
        case .exact: .exact
        case .int8: .int8
        case .bf16: .bf16
        }
    }
}
