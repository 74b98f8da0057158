import Files
import Foundation
import NIOPosix

/// A thread of its own for one piece of work that computes and may block, which Swift's cooperative threads must not.
enum EngineThread {
    /// Of address space; pages count when they are touched.
    static let stackBytes = 8 << 20

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread that ends with it.
    /// - Throws: ``ServiceError`` (`resourceExhausted`) where the system gives no thread.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            throw ServiceError(.resourceExhausted, "the system gives no more threads: \(systemReason(code))")
        }
    }
}

/// Runs work that reads files and may take a while on a thread where it holds nobody up.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await NIOThreadPool.singleton.runIfActive(body)
}
