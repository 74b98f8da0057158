import Files

/// What went wrong with a plugin: a kind that a program can act on and a sentence, with the plugin's id in it, that a
/// person can.
public struct PluginError: CodedError, Equatable {
    public let code: ErrorCode
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// Whether the plugin's process is to blame, so that another start may end the same way.
    public var isCrash: Bool { code == .crashed || code == .noAnswer || code == .brokeRules }
}

/// What goes wrong with plugins alone.
extension ErrorCode {
    /// The bundle, its library or its description is not what the interface asks for.
    public static let brokenBundle = ErrorCode(rawValue: "broken_bundle")
    /// The plugin says that it failed.
    public static let failed = ErrorCode(rawValue: "failed")
    /// The plugin says that what it needs, a hook point or a weight, is not there.
    public static let missing = ErrorCode(rawValue: "missing")
    /// More memory, results or time than a plugin may have.
    public static let limit = ErrorCode(rawValue: "limit")
    /// The process ended in the middle of a call: a signal, an exit.
    public static let crashed = ErrorCode(rawValue: "crashed")
    /// No answer within the time that a call may take; the process was killed.
    public static let noAnswer = ErrorCode(rawValue: "no_answer")
    /// It sent something that the interface does not allow; the process was killed.
    public static let brokeRules = ErrorCode(rawValue: "broke_rules")
    /// It crashed too often of late and is not started for now.
    public static let quarantined = ErrorCode(rawValue: "quarantined")
    /// The system refused: no process, no descriptor, no memory.
    public static let system = ErrorCode(rawValue: "system")
}
