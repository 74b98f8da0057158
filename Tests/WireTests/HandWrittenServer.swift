import Foundation
import TestSupport

/// A socket that accepts, and leaves everything else to the test.
final class HandWrittenServer: Sendable {
    private let folder: TemporaryFolder
    private let listener: Int32
    var path: String { folder("s") }

    init() async throws {
        folder = try TemporaryFolder()
        listener = try UnixSocket.listening(at: folder("s"))
    }

    deinit { close(listener) }

    /// The next connection that a client makes.
    func connection() async throws -> RawConnection {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [listener] in
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return continuation.resume(throwing: SystemError("accept")) }
                continuation.resume(returning: RawConnection(connection))
            }
        }
    }
}
