import Foundation

/// Where a user's own data lie: `$XDG_DATA_HOME/auscult`, or `~/.local/share/auscult`
/// (XDG Base Directory Specification 0.8: a relative `$XDG_DATA_HOME` is ignored).
public struct DataFolder: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") {
            self.path = base + "/auscult"
        } else {
            self.path = homeFolder(environment) + "/.local/share/auscult"
        }
    }

    /// The registry and the downloaded models.
    public var models: String { path + "/models" }

    /// Makes the folder `path` with its parents, where it is not there yet.
    /// - Throws: ``FileError`` (`cannotCreate`).
    package static func create(_ path: String) throws {
        // Parents first; each call's own errno is the reason that a person reads.
        var parent = path.startIndex
        while let slash = path[parent...].dropFirst().firstIndex(of: "/") {
            try makeFolder(String(path[..<slash]), of: path)
            parent = slash
        }
        try makeFolder(path, of: path)
    }

    private static func makeFolder(_ path: String, of whole: String) throws {
        guard PathText.withName(path, { mkdir($0, 0o777) }) != 0 else { return }
        let reason = errno
        var status = stat()
        // Whatever mkdir says (a read-only file system, no permission), a folder that is there will do.
        if PathText.withName(path, { stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        throw FileError(.cannotCreate, "cannot make the folder \(whole): \(systemReason(reason))")
    }
}

/// `$HOME`, or what the system knows.
package func homeFolder(_ environment: [String: String]) -> String {
    environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
}
