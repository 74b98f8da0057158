/// What went wrong with a plugin: a kind that a program can act on and a sentence, with the plugin's id in it, that a
/// person can.
public struct PluginError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as ``failed``.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No plugin, folder or library of that name.
        public static let notFound = Code(rawValue: "not_found")
        /// The bundle, its library or its description is not what the interface asks for.
        public static let brokenBundle = Code(rawValue: "broken_bundle")
        /// An argument that the plugin does not know or does not take.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// The plugin says that it failed.
        public static let failed = Code(rawValue: "failed")
        /// The plugin says that what it needs, a hook point or a weight, is not there.
        public static let missing = Code(rawValue: "missing")
        /// The plugin says that this cannot be done with this model or state, or lacks the interface for it.
        public static let unsupported = Code(rawValue: "unsupported")
        /// More memory, results or time than it may have.
        public static let limit = Code(rawValue: "limit")
        /// The process ended in the middle of a call: a signal, an exit.
        public static let crashed = Code(rawValue: "crashed")
        /// No answer within the time that a call may take; the process was killed.
        public static let noAnswer = Code(rawValue: "no_answer")
        /// It said something that the interface does not allow; the process was killed.
        public static let brokeRules = Code(rawValue: "broke_rules")
        /// It crashed too often of late and is not started for now.
        public static let quarantined = Code(rawValue: "quarantined")
        /// The run was cancelled.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The system refused: no process, no descriptor, no memory.
        public static let system = Code(rawValue: "system")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// Whether the plugin's process is to blame, so that another start may end the same way.
    public var isCrash: Bool { code == .crashed || code == .noAnswer || code == .brokeRules }
}
