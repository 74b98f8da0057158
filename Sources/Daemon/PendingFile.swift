import Foundation
import Synchronization

/// A result file on its way: it is written under a hidden name in the same folder and gets its own name only
/// when it is complete, so that nobody ever sees half of it.
///
/// The hidden file goes when the value does, and ``discardAll()`` removes those of a process that has to
/// stop at once.
public final class PendingFile: Sendable {
    /// Where the result will lie.
    public let destination: String
    /// Where it is written until then.
    public let path: String

    private static let open = Mutex<Set<String>>([])

    /// Prepares a file that will lie at `destination`, and checks that it can.
    /// - Throws: ``ServiceError`` (`cannotCreate`).
    public init(_ destination: String) throws {
        let url = URL(fileURLWithPath: destination)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: destination, isDirectory: &isFolder), isFolder.boolValue {
            throw ServiceError(.cannotCreate, "cannot write \(destination): it is a folder")
        }
        self.destination = destination
        let name = ".\(url.lastPathComponent).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial"
        self.path = url.deletingLastPathComponent().appendingPathComponent(name).path
        let path = path
        Self.open.withLock { _ = $0.insert(path) }
        do {
            _ = try FileDescriptor(path, O_WRONLY | O_CREAT | O_EXCL)
        } catch {
            let reason = errno
            Self.open.withLock { _ = $0.remove(path) }
            throw ServiceError.cannotWrite(destination, reason)
        }
    }

    deinit { discard() }

    /// The file is complete: it gets its name, and replaces what had it before.
    public func commit() throws {
        try FileDescriptor(path, O_WRONLY).synchronize()
        guard rename(path, destination) == 0 else { throw ServiceError.cannotWrite(destination) }
        Self.open.withLock { _ = $0.remove(path) }
    }

    private func discard() {
        let wasOpen = Self.open.withLock { $0.remove(path) != nil }
        if wasOpen { unlink(path) }
    }

    /// Removes every file that is not complete; for a process that is about to end.
    public static func discardAll() {
        // The lock is kept on purpose: nothing may be committed after this.
        open.withLock { paths in
            for path in paths { unlink(path) }
            paths = []
        }
    }

    /// Writes `bytes` to `destination`, all or nothing.
    public static func write(_ bytes: some ContiguousBytes, to destination: String) throws {
        let pending = try PendingFile(destination)
        let file = try FileDescriptor(pending.path, O_WRONLY)
        try bytes.withUnsafeBytes(file.write)
        try pending.commit()
    }
}
