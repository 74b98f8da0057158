import CDescriptors
import Foundation
import Logging
import Synchronization

/// Gives file descriptors to clients on this machine, over a second Unix socket beside the server's.
///
/// ttRPC's frames cannot carry descriptors. So a descriptor is left here under a token of 16 random bytes, the token goes
/// to the client in a message, and whoever connects and sends it gets one byte with the descriptor (SCM_RIGHTS). A token
/// serves once, and for half a minute.
public final class DescriptorHandoff: Sendable {
    private struct Offer {
        let descriptor: Int32
        let expires: ContinuousClock.Instant
    }

    /// Where clients get them.
    public let path: String
    private let listener: Int32
    private let offers = Mutex<[[UInt8]: Offer]>([:])
    private let serving = Atomic<Int>(0)
    private static let lifetime = Duration.seconds(30)
    /// Clients that are being served at the same time.
    private static let mostClients = 64

    /// Serves a socket that is bound to `path` and listens; takes the descriptor over.
    public init(listening listener: Int32, path: String, authorize: @escaping @Sendable (Peer) -> Bool, logger: Logger)
    {
        self.path = path
        self.listener = listener
        // A thread of its own waits here.
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 {
                    guard [EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN].contains(errno) else { return }
                    usleep(50_000)
                    continue
                }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                guard let self, self.serving.load(ordering: .relaxed) < Self.mostClients else {
                    Foundation.close(connection)
                    continue
                }
                self.serving.add(1, ordering: .relaxed)
                Thread.detachNewThread { [weak self] in
                    self?.serve(connection, authorize, logger)
                    Foundation.close(connection)
                    self?.serving.subtract(1, ordering: .relaxed)
                }
            }
        }
    }

    /// Stops, and closes what nobody has fetched.
    public func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Foundation.close(listener)
        let left = offers.withLock { offers in
            defer { offers = [:] }
            return Array(offers.values)
        }
        for offer in left { Foundation.close(offer.descriptor) }
    }

    /// Leaves a descriptor here; it is closed when it was fetched or nobody came in time.
    /// - Returns: the token.
    public func offer(_ descriptor: Int32) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let now = ContinuousClock.now
        let late = offers.withLock { offers in
            let late = offers.filter { $0.value.expires < now }
            for token in late.keys { offers[token] = nil }
            offers[token] = Offer(descriptor: descriptor, expires: now + Self.lifetime)
            return Array(late.values)
        }
        for offer in late { Foundation.close(offer.descriptor) }
        return token
    }

    private func serve(_ connection: Int32, _ authorize: @Sendable (Peer) -> Bool, _ logger: Logger) {
        var peer = Peer(pid: 0, uid: .max, gid: .max)
        var length = socklen_t(MemoryLayout<Peer>.size)
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0, authorize(peer) else { return }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var token = [UInt8](repeating: 0, count: 16)
        var received = 0
        while received < token.count {
            let count = token.withUnsafeMutableBytes {
                recv(connection, $0.baseAddress! + received, $0.count - received, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            received += count
        }
        guard let offer = offers.withLock({ $0.removeValue(forKey: token) }) else {
            return logger.notice("process \(peer.pid) asked for a descriptor with a token that is not known")
        }
        defer { Foundation.close(offer.descriptor) }
        guard offer.expires >= .now else { return }
        if auscult_send_descriptor(connection, offer.descriptor) != 0 {
            logger.notice("a descriptor could not be sent to process \(peer.pid): \(String(cString: strerror(errno)))")
        }
    }

    /// Fetches a descriptor from the socket at `path`.
    /// - Throws: ``WireError`` where nobody answers, or does not know the token.
    public static func fetch(from path: String, token: [UInt8]) throws -> Int32 {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { Foundation.close(connection) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw WireError(.invalidArgument, "\(path) is too long to be a socket's path")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connection >= 0, connected == 0 else {
            throw WireError(.unavailable, "nothing answers at \(path): \(String(cString: strerror(errno)))")
        }
        guard send(connection, token, token.count, Int32(MSG_NOSIGNAL)) == token.count else {
            throw WireError(.unavailable, "\(path) was closed before the token was sent")
        }
        let descriptor = auscult_receive_descriptor(connection)
        guard descriptor >= 0 else {
            throw WireError(.notFound, "no descriptor came from \(path): the token is not known, or was used")
        }
        return descriptor
    }
}
