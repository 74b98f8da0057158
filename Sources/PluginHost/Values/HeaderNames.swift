import CAuscultPlugin
import Files

/// The header's statuses as the type that functions return: C's enumeration has another.
enum Status {
    static let ok = auscult_status(AUSCULT_OK)
    static let failed = auscult_status(AUSCULT_FAILED)
    static let invalidArgument = auscult_status(AUSCULT_INVALID_ARGUMENT)
    static let notFound = auscult_status(AUSCULT_NOT_FOUND)
    static let cancelled = auscult_status(AUSCULT_CANCELLED)
    static let unsupported = auscult_status(AUSCULT_UNSUPPORTED)
    static let limit = auscult_status(AUSCULT_LIMIT)

    static func name(_ status: auscult_status) -> String {
        switch Int(status) {
        case AUSCULT_OK: "AUSCULT_OK"
        case AUSCULT_FAILED: "AUSCULT_FAILED"
        case AUSCULT_INVALID_ARGUMENT: "AUSCULT_INVALID_ARGUMENT"
        case AUSCULT_NOT_FOUND: "AUSCULT_NOT_FOUND"
        case AUSCULT_CANCELLED: "AUSCULT_CANCELLED"
        case AUSCULT_UNSUPPORTED: "AUSCULT_UNSUPPORTED"
        case AUSCULT_LIMIT: "AUSCULT_LIMIT"
        default: "the unknown status \(status)"
        }
    }

    /// The status that a plugin gets for an error of the engine.
    static func of(_ code: ErrorCode) -> auscult_status {
        switch code {
        case .invalidArgument: invalidArgument
        case .notFound, .missing: notFound
        case .cancelled: cancelled
        case .unsupported: unsupported
        case .limit: limit
        default: failed
        }
    }
}

extension ErrorCode {
    /// What a plugin says went wrong, by its status.
    init(pluginStatus status: auscult_status) {
        self =
            switch Int(status) {
            case AUSCULT_INVALID_ARGUMENT: .invalidArgument
            case AUSCULT_NOT_FOUND: .missing
            case AUSCULT_CANCELLED: .cancelled
            case AUSCULT_UNSUPPORTED: .unsupported
            case AUSCULT_LIMIT: .limit
            default: .failed
            }
    }
}

extension auscult_needs {
    /// - Parameter flag: one of `AUSCULT_NEED_…`.
    func has(_ flag: Int) -> Bool { Int(flags) & flag != 0 }
}

extension auscult_parameter {
    /// The kind as `PluginParameter.kind` names it; nil for one that the header does not have.
    var kindName: String? {
        switch Int(kind) {
        case AUSCULT_PARAMETER_INTEGER: "integer"
        case AUSCULT_PARAMETER_NUMBER: "number"
        case AUSCULT_PARAMETER_TEXT: "string"
        case AUSCULT_PARAMETER_BOOLEAN: "boolean"
        case AUSCULT_PARAMETER_CHOICE: "choice"
        case AUSCULT_PARAMETER_PATH: "path"
        default: nil
        }
    }

    /// Whether ``minimum`` and ``maximum`` count.
    var isNumber: Bool { Int(kind) == AUSCULT_PARAMETER_INTEGER || Int(kind) == AUSCULT_PARAMETER_NUMBER }
}

/// A log's level by its name; the nearest for a number that the header does not have.
func logLevelName(_ level: Int32) -> String {
    switch Int(level) {
    case ...AUSCULT_LOG_DEBUG: "debug"
    case AUSCULT_LOG_INFO: "info"
    case AUSCULT_LOG_WARNING: "warning"
    default: "error"
    }
}
