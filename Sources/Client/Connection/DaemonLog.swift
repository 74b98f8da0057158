import Files
import Foundation

/// Where a daemon writes that a command started: `$XDG_STATE_HOME/auscult/auscultd.log`, or
/// `~/.local/state/auscult/auscultd.log` (XDG Base Directory Specification 0.8).
package struct DaemonLog: Sendable {
    package let path: String

    /// Bytes past which the log is put aside as `auscultd.log.1`, in place of the one before, when a daemon starts.
    private static let most = 1 << 20

    /// - Returns: nil where the folder cannot be made; the daemon then runs without a log.
    init?(environment: [String: String]) {
        let base =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? homeFolder(environment) + "/.local/state"
        let folder = base + "/auscult"
        guard (try? DataFolder.create(folder)) != nil else { return nil }
        path = folder + "/auscultd.log"
        if size > Self.most { rename(path, path + ".1") }
    }

    /// Bytes in it.
    package var size: Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The last lines after the first `offset` bytes, oldest first.
    package func lines(after offset: Int, count: Int = 5) -> [String] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        let start = max(offset, size - (8 << 10))
        guard (try? file.seek(toOffset: UInt64(clamping: start))) != nil,
            let bytes = try? file.read(upToCount: 8 << 10)
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(count).map(String.init)
    }
}
