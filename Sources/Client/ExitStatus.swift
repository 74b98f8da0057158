import Files
import Results
import Wire

/// How a command ended, as the number that a shell sees (BSD's sysexits.h, and 128 + the signal's number).
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    case failure = 1
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case cannotCreate = 73
    case inputOutput = 74
    case temporaryFailure = 75
    case interrupted = 130

    /// What `--help` says about it.
    package var meaning: String {
        switch self {
        case .ok: "done"
        case .failure: "an unexpected failure"
        case .usage: "the command line is invalid"
        case .badData: "an input is damaged or of another kind than expected"
        case .noInput: "an input or a model does not exist"
        case .unavailable: "the daemon or a server cannot be reached"
        case .cannotCreate: "an output cannot be written"
        case .inputOutput: "reading or writing failed"
        case .temporaryFailure: "try again later: the daemon is busy, or the time was up"
        case .interrupted: "interrupted with Ctrl-C"
        }
    }

    /// The table for `--help`.
    package static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return "  " + number + String(repeating: " ", count: 5 - number.count) + status.meaning
        }.joined(separator: "\n")
    }

    /// The status that stands for an error of this program, of the layers below, or of the daemon.
    package init(of error: any Error) {
        switch error {
        case let error as CommandError: self = error.status
        case let error as WireError: self.init(error)
        case let error as any CodedError: self = Self(error.code) ?? .failure
        case let error as any ErrorWithExitStatus: self = error.exitStatus
        case let error as Failure: self = error.status
        case is CancellationError: self = .interrupted
        default: self = .failure
        }
    }

    /// The finer reason counts, where it is known; else gRPC's code.
    package init(_ error: WireError) {
        self = Self(ErrorCode(rawValue: error.reason)) ?? Self.byCode[error.code] ?? .failure
    }

    private init?(_ code: ErrorCode) {
        guard let status = code.exitStatus.flatMap(Self.init(rawValue:)) else { return nil }
        self = status
    }

    private static let byCode: [WireError.Code: ExitStatus] = [
        .cancelled: .interrupted, .invalidArgument: .usage, .outOfRange: .usage, .notFound: .noInput,
        .dataLoss: .badData, .deadlineExceeded: .temporaryFailure, .resourceExhausted: .temporaryFailure,
        .aborted: .temporaryFailure, .failedPrecondition: .temporaryFailure, .alreadyExists: .cannotCreate,
        // A daemon that is older or another user's is one that does not serve us.
        .unavailable: .unavailable, .unimplemented: .unavailable, .permissionDenied: .unavailable,
        .unauthenticated: .unavailable,
    ]
}

/// An error without a code, of a layer that the client does not know.
package protocol ErrorWithExitStatus: Error {
    var exitStatus: ExitStatus { get }
}

/// Ends a command with a status after everything that there is to say has been said.
package struct Failure: Error {
    package let status: ExitStatus

    package init(status: ExitStatus) {
        self.status = status
    }
}
