import Files
import NIOPosix

/// A thread of its own for one piece of work that computes and may block, which Swift's cooperative threads must not.
enum EngineThread {
    /// Of address space; pages count when they are touched.
    static let stackBytes = 8 << 20

    /// Runs `body` on a new thread that ends with it.
    /// - Throws: ``ServiceError`` (`resourceExhausted`) where the system gives no thread.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        do { try SystemThread.start(stackBytes: stackBytes, body) } catch let error as FileError {
            throw ServiceError(error.code, error.message)
        }
    }
}

/// Runs work that reads files and may take a while on a thread where it holds nobody up.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await NIOThreadPool.singleton.runIfActive(body)
}
