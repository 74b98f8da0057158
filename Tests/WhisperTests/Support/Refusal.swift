import Files
import TensorFiles
import Testing
import Whisper

/// What a checkpoint was refused with: an error of this layer, or of the files below it, whose kinds mean the same.
struct Refusal {
    let code: ErrorCode
    let message: String

    /// Nil for any other error.
    init?(_ error: any Error) {
        switch error {
        case let error as WhisperError: (code, message) = (error.code, error.message)
        case let error as TensorFileError: (code, message) = (.init(rawValue: error.code.rawValue), error.message)
        default: return nil
        }
    }

    /// The refusal that `body` gives; a test that gets none, or an error of another kind, fails.
    static func of(_ sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> Refusal? {
        do {
            try body()
            Issue.record("nothing was refused", sourceLocation: sourceLocation)
            return nil
        } catch {
            let refusal = Refusal(error)
            if refusal == nil { Issue.record("an error of another kind: \(error)", sourceLocation: sourceLocation) }
            return refusal
        }
    }
}
