import Atlas
import Client
import DataSets
import StrictJSON

extension AtlasError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { ExitStatus(reason: code.rawValue) }
}

extension DataSetError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { ExitStatus(reason: code.rawValue) }
}

extension JSONSyntaxError: ErrorWithExitStatus {
    package var exitStatus: ExitStatus { .usage }
}
