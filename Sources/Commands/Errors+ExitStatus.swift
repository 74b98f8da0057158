import Client
import StrictJSON

extension JSONSyntaxError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { .usage }
}
