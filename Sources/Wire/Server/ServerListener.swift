import CDescriptors
import Foundation
import Logging
import Synchronization

/// Takes a listening socket's connections, on a thread of its own.
///
/// Where the system has no descriptor for one it takes none for a moment, and says so: the socket stays readable, and asking again at once
/// would keep a core busy for as long as that lasts. Those who connect meanwhile wait in the system's queue.
final class ServerListener: Sendable {
    private static let pause: UInt32 = 250_000  // µs
    /// How often it is said while it lasts.
    private static let reminder = Duration.seconds(30)

    private let descriptor: Int32
    private let isClosed = Atomic(false)

    /// - Parameters:
    ///   - descriptor: a socket that is bound; taken over.
    ///   - accept: gets each connection's descriptor, which is then its own.
    init(_ descriptor: Int32, backlog: Int32, _ logger: Logger, accept: @escaping @Sendable (Int32) -> Void)
        throws(WireError)
    {
        self.descriptor = descriptor
        guard Foundation.listen(descriptor, backlog) == 0 else {
            throw WireError(.unavailable, "the socket cannot be listened at: \(String(cString: strerror(errno)))")
        }
        // A thread of its own waits here.
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        Thread.detachNewThread { [self] in run(logger, accept) }
    }

    /// Stops: who connects from now on is refused by the system.
    func close() {
        isClosed.store(true, ordering: .relaxed)
        // Wakes the thread, which closes it: closed by another, its number could be someone else's already at the next accept.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func run(_ logger: Logger, _ accept: (Int32) -> Void) {
        defer { Foundation.close(descriptor) }
        var lastSaid: ContinuousClock.Instant?
        while !isClosed.load(ordering: .relaxed) {
            let connection = auscult_accept(descriptor)
            guard connection < 0 else {
                accept(connection)
                continue
            }
            let error = errno
            switch error {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                let now = ContinuousClock.now
                if lastSaid.map({ now - $0 >= Self.reminder }) ?? true {
                    say(error, logger)
                    lastSaid = now
                }
                usleep(Self.pause)
            default:
                if !isClosed.load(ordering: .relaxed) {
                    logger.error("no connection is accepted any more: \(String(cString: strerror(error)))")
                }
                return
            }
        }
    }

    private func say(_ error: Int32, _ logger: Logger) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        logger.warning(
            "no connection can be accepted for now; new ones wait: \(String(cString: strerror(error))) (at most \(limit.rlim_cur) open files)"
        )
    }
}
