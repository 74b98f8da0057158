import Glibc

/// How recordings are read.
public struct ReadingOptions: Sendable, Hashable {
    /// Whether what would be a ``Notice`` is an error.
    public var strict = false
    /// Where ffmpeg is looked for, as `$PATH` lists folders; empty for nowhere.
    public var searchPath: String
    /// Seconds that ffmpeg may take without giving anything.
    public var patience = 60.0
    /// Seconds of sound that are taken from ffmpeg at most: a day.
    public var longestForeign = 86_400.0

    public init(strict: Bool = false) {
        self.strict = strict
        searchPath = getenv("PATH").map { String(cString: $0) } ?? ""
    }
}
