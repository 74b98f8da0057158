import Audio
import Files
import Foundation
import Synchronization

/// Sound that clients pushed, each in a file without a name that goes with it.
///
/// An upload belongs to the connection that made it, and is dropped when that closes; whoever is reading it then reads
/// on to the end.
final class UploadStore: Sendable {
    /// One recording, complete. Its file lasts as long as this object.
    final class Upload: Sendable {
        let encoding: AudioSource.Encoding
        private let descriptor: Int32

        fileprivate init(encoding: AudioSource.Encoding, descriptor: Int32) {
            self.encoding = encoding
            self.descriptor = descriptor
        }

        deinit { close(descriptor) }

        /// A path that opens it from its beginning, for this process.
        var path: String { "/proc/self/fd/\(descriptor)" }
    }

    /// Uploads of one connection at a time; each holds a descriptor.
    static let mostPerConnection = 64

    private struct State {
        /// Of the connections that are open.
        var uploads: [UInt64: [String: Upload]] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    func upload(_ id: String, connection: UInt64) throws -> Upload {
        guard let upload = state.withLock({ $0.uploads[connection]?[id] }) else {
            throw ServiceError(.notFound, "this connection has no upload \(id)")
        }
        return upload
    }

    func discard(_ id: String, connection: UInt64) throws {
        guard state.withLock({ $0.uploads[connection]?.removeValue(forKey: id) }) != nil else {
            throw ServiceError(.notFound, "this connection has no upload \(id)")
        }
    }

    /// A connection was made; only now can it have uploads.
    func opened(_ connection: UInt64) { state.withLock { $0.uploads[connection] = [:] } }

    /// The connection is closed.
    func discardAll(of connection: UInt64) {
        let dropped = state.withLock { $0.uploads.removeValue(forKey: connection) }
        withExtendedLifetime(dropped) {}
    }

    /// Begins an upload.
    /// - Throws: ``ServiceError`` (`resourceExhausted`) where the connection has too many; ``Files/FileError``.
    func begin(connection: UInt64, encoding: AudioSource.Encoding) throws -> Spool {
        let count = state.withLock { $0.uploads[connection]?.count ?? 0 }
        guard count < Self.mostPerConnection else {
            throw ServiceError(
                .resourceExhausted, "this connection has \(count) uploads, and no more are allowed; discard one")
        }
        return try Spool(self, connection: connection, encoding: encoding)
    }

    /// An upload on its way. One task writes it.
    final class Spool: @unchecked Sendable {
        // Sendable: one task uses it, and hands it to a thread only while it waits for that.
        private let store: UploadStore
        private let connection: UInt64
        private let encoding: AudioSource.Encoding
        private var descriptor: Int32
        private(set) var bytes: UInt64 = 0

        fileprivate init(_ store: UploadStore, connection: UInt64, encoding: AudioSource.Encoding) throws {
            self.store = store
            self.connection = connection
            self.encoding = encoding
            let folder = NSTemporaryDirectory()
            descriptor = open(folder, O_TMPFILE_FLAGS, 0o600)
            if descriptor < 0 {
                // Not every file system has files without a name.
                var path = Array((folder + "/auscult-upload-XXXXXX").utf8CString)
                descriptor = mkstemp(&path)
                if descriptor >= 0 { unlink(path) }
            }
            guard descriptor >= 0 else { throw FileError.cannotWrite(folder) }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }

        deinit { if descriptor >= 0 { close(descriptor) } }

        func write(_ piece: [UInt8]) throws {
            var done = 0
            while done < piece.count {
                let count = piece.withUnsafeBytes {
                    Foundation.write(descriptor, $0.baseAddress! + done, $0.count - done)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw FileError.cannotWrite("the upload's temporary file in \(NSTemporaryDirectory())")
                }
                done += count
            }
            bytes += UInt64(piece.count)
        }

        /// It is complete.
        /// - Returns: its id.
        /// - Throws: ``ServiceError`` (`cancelled`) where the connection was closed meanwhile: nobody would drop it.
        func finish() throws -> String {
            let upload = Upload(encoding: encoding, descriptor: descriptor)
            descriptor = -1
            return try store.state.withLock { state in
                guard state.uploads[connection] != nil else {
                    throw ServiceError(.cancelled, "the connection was closed before its upload was complete")
                }
                state.next += 1
                let id = "upload-\(state.next)"
                state.uploads[connection]?[id] = upload
                return id
            }
        }
    }
}

/// `O_TMPFILE | O_RDWR | O_CLOEXEC`; Swift does not see the macro (its value is the kernel's, on x86-64 and arm64 alike
/// up to `O_DIRECTORY`).
private let O_TMPFILE_FLAGS: Int32 = 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC
