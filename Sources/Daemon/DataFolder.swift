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
            let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
            self.path = home + "/.local/share/auscult"
        }
    }

    /// The registry and the downloaded models.
    public var models: String { path + "/models" }

    /// Makes the folder `path` with its parents, where it is not there yet.
    package static func create(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ServiceError(.cannotCreate, "cannot make the folder \(path): \(systemReason())")
        }
    }
}
