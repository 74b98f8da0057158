import Client
import Wire

extension CallFailure: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { ExitStatus(WireError(self)) }
}

extension FramingError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { .badData }
}
