import Client
import Files
import Foundation

/// A Unix socket that editors connect to; only the user's own can.
package struct EditorSocket: Sendable {
    package let path: SocketPath

    package init(path: SocketPath) {
        self.path = path
    }

    /// Listens, and runs `body` for each connection, which is closed after it, until the task is cancelled.
    /// - Throws: ``CommandError`` (`cannotCreate`) where the path is taken or cannot be made.
    package func serve(_ body: @escaping @Sendable (Int32) async -> Void) async throws {
        let listener = try open()
        defer {
            unlink(path.path)
            close(listener)
        }
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                try await waitUntilReadable(listener)
                let editor = accept(listener, nil, nil)
                // Editors that gave up, or came when there were no descriptors left, come again.
                guard editor >= 0 else { continue }
                _ = fcntl(editor, F_SETFD, FD_CLOEXEC)
                group.addTask {
                    await body(editor)
                    close(editor)
                }
            }
        }
    }

    private func open() throws -> Int32 {
        if case .listening = SocketProbe(path) {
            throw CommandError(.cannotCreate, "somebody listens at \(path) already")
        }
        var status = stat()
        // What nobody listens at was left behind; anything but a socket is somebody's file.
        if lstat(path.path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path.path) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let listener = socket(AF_UNIX, kind, 0)
        let mask = umask(0o177)
        let bound = path.withAddress { bind(listener, $0, $1) }
        let reason = errno
        umask(mask)
        guard listener >= 0, bound == 0, listen(listener, 16) == 0 else {
            if listener >= 0 { close(listener) }
            throw CommandError(.cannotCreate, "cannot listen at \(path): \(systemReason(reason))")
        }
        return listener
    }
}
