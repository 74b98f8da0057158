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

    private struct State {
        var offers: [[UInt8]: Offer] = [:]
        var listener: ServerListener?
        var isClosed = false
    }

    /// Where clients get them.
    public let path: String
    private let lifetime: Duration
    private let logger: Logger
    private let state = Mutex(State())
    /// Clients that are being served at the same time, each on a thread of its own, and those that the system lets wait.
    private static let mostClients = 64, backlog: Int32 = 128
    /// Descriptors that wait to be fetched. A process has 1,024 by default.
    private static let mostOffers = 256

    /// Serves a socket that is bound to `path`; takes the descriptor over.
    /// - Parameter lifetime: how long a descriptor waits to be fetched.
    /// - Throws: ``WireError`` where the system does not let it be listened at.
    public init(
        listening descriptor: Int32, path: String, lifetime: Duration = .seconds(30),
        authorize: @escaping @Sendable (Peer) -> Bool, logger: Logger
    ) throws(WireError) {
        self.path = path
        self.lifetime = lifetime
        self.logger = logger
        let serving = Served()
        let listener = try ServerListener(descriptor, backlog: Self.backlog, logger) { [weak self] connection in
            guard let self, serving.count.load(ordering: .relaxed) < Self.mostClients else {
                Foundation.close(connection)
                return
            }
            serving.count.add(1, ordering: .relaxed)
            Thread.detachNewThread {
                self.serve(connection, authorize)
                Foundation.close(connection)
                serving.count.subtract(1, ordering: .relaxed)
            }
        }
        state.withLock { $0.listener = listener }
    }

    private final class Served: Sendable { let count = Atomic<Int>(0) }

    deinit { close() }

    /// Stops, and closes what nobody has fetched.
    public func close() {
        let (listener, left) = state.withLock { state in
            state.isClosed = true
            defer { (state.listener, state.offers) = (nil, [:]) }
            return (state.listener, state.offers.values)
        }
        listener?.close()
        for offer in left { Foundation.close(offer.descriptor) }
    }

    /// Leaves a descriptor here; it is closed when it was fetched or nobody came in time. Of too many the oldest is given up.
    /// - Returns: the token.
    public func offer(_ descriptor: Int32) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let offer = Offer(descriptor: descriptor, expires: .now + lifetime)
        let lost = state.withLock { state -> Offer? in
            guard !state.isClosed else { return offer }
            var lost: Offer?
            if state.offers.count >= Self.mostOffers,
                let oldest = state.offers.min(by: { $0.value.expires < $1.value.expires })
            {
                lost = state.offers.removeValue(forKey: oldest.key)
            }
            state.offers[token] = offer
            return lost
        }
        if let lost {
            logger.notice(
                "a descriptor that was not fetched is closed: \(Self.mostOffers) are waiting, the most that may")
            Foundation.close(lost.descriptor)
        }
        let milliseconds = Int(lifetime / .milliseconds(1)) + 1
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            self?.expire()
        }
        return token
    }

    /// Descriptors that wait to be fetched.
    package var waiting: Int { state.withLock { $0.offers.count } }

    private func expire() {
        let now = ContinuousClock.now
        let late = state.withLock { state in
            let late = state.offers.filter { $0.value.expires <= now }
            for token in late.keys { state.offers[token] = nil }
            return Array(late.values)
        }
        for offer in late { Foundation.close(offer.descriptor) }
    }

    private func serve(_ connection: Int32, _ authorize: @Sendable (Peer) -> Bool) {
        var peer = Peer(pid: 0, uid: .max, gid: .max)
        var length = socklen_t(MemoryLayout<Peer>.size)
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0, authorize(peer) else { return }
        Self.setPatience(connection)
        var token = [UInt8](repeating: 0, count: 16)
        var received = 0
        while received < token.count {
            let count = token.withUnsafeMutableBytes { bytes in
                recv(connection, bytes.baseAddress.map { $0 + received }, bytes.count - received, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            received += count
        }
        guard let offer = state.withLock({ $0.offers.removeValue(forKey: token) }) else {
            return logger.notice("process \(peer.pid) asked for a descriptor with a token that is not known")
        }
        defer { Foundation.close(offer.descriptor) }
        guard offer.expires >= .now else { return }
        if auscult_send_descriptor(connection, offer.descriptor) != 0 {
            logger.notice("a descriptor could not be sent to process \(peer.pid): \(String(cString: strerror(errno)))")
        }
    }

    /// Neither side waits for the other for longer than five seconds.
    private static func setPatience(_ connection: Int32) {
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(connection, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Fetches a descriptor from the socket at `path`.
    /// - Throws: ``WireError`` where nobody answers, or does not know the token.
    public static func fetch(from path: String, token: [UInt8]) throws -> Int32 {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else {
            throw WireError(.unavailable, "cannot open a socket: \(String(cString: strerror(errno)))")
        }
        defer { Foundation.close(connection) }
        setPatience(connection)
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
        guard connected == 0 else {
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
