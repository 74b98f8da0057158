import Client
import Wire

extension ReflectionError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { ExitStatus(reason: code.rawValue) }
}

extension CallFailure: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { ExitStatus(WireError(self)) }
}

extension FramingError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { .badData }
}
