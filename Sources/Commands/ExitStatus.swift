import ArgumentParser
import Audio
import Daemon
import Files
import Whisper

/// How a command ended, as the number that a shell sees (BSD's sysexits.h, and 128 + the signal's number).
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    case failure = 1
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case cannotCreate = 73
    case inputOutput = 74
    case interrupted = 130

    /// What `--help` says about it.
    var meaning: String {
        switch self {
        case .ok: "done"
        case .failure: "an unforeseen failure"
        case .usage: "the command line makes no sense"
        case .badData: "an input is damaged or not what it should be"
        case .noInput: "an input or a model is not there"
        case .unavailable: "a server cannot be reached"
        case .cannotCreate: "an output cannot be made"
        case .inputOutput: "reading or writing failed"
        case .interrupted: "interrupted with Ctrl-C"
        }
    }

    /// The table for `--help`.
    static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return "  " + number + String(repeating: " ", count: 5 - number.count) + status.meaning
        }.joined(separator: "\n")
    }

    /// The status that stands for an error of the layers below.
    init(of error: any Error) {
        switch error {
        case let error as ServiceError: self.init(code: error.code.rawValue)
        case let error as FileError: self.init(code: error.code.rawValue)
        case let error as WhisperError: self.init(code: error.code.rawValue)
        case let error as AudioError: self.init(code: error.code.rawValue)
        case let error as Failure: self = error.status
        case is CancellationError: self = .interrupted
        default: self = .failure
        }
    }

    /// Codes mean the same in all layers.
    private init(code: String) {
        switch code {
        case ServiceError.Code.invalidArgument.rawValue: self = .usage
        case ServiceError.Code.notFound.rawValue: self = .noInput
        case ServiceError.Code.dataLoss.rawValue, WhisperError.Code.unsupported.rawValue: self = .badData
        case FileError.Code.cannotCreate.rawValue, FileError.Code.permissionDenied.rawValue:
            self = .cannotCreate
        case ServiceError.Code.inputOutput.rawValue: self = .inputOutput
        case ServiceError.Code.cancelled.rawValue: self = .interrupted
        case ServiceError.Code.unavailable.rawValue: self = .unavailable
        default: self = .failure
        }
    }
}

/// Ends a command with a status after everything that there is to say has been said.
struct Failure: Error {
    let status: ExitStatus
}
