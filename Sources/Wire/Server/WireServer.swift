import Foundation
import Logging
import Messages
import NIOCore
import Synchronization

/// A ttRPC server on a Unix socket.
///
/// Every bound has an answer: past one, a call is refused with RESOURCE_EXHAUSTED and the connection lives.
public final class WireServer: Sendable {
    public struct Limits: Sendable {
        public var connections = 64
        /// Calls at the same time on one connection.
        public var streamsPerConnection = 32
        /// Bytes on their way to one reader, before results wait.
        public var outboundBytes = 8 << 20
        /// Bytes of a client's messages that nobody has read yet, before the connection is not read.
        public var inboundBytes = 8 << 20
        /// How long a reader may take nothing while something waits for it.
        public var stall = Duration.seconds(5)
        /// How long a connection that is refused has to ask something, by whose answer it is told why.
        public var refusal = Duration.milliseconds(250)

        public init() {}
    }

    /// What the server reports to its owner. Called on any thread.
    public struct Observer: Sendable {
        /// A connection was admitted.
        public var connectionOpened: @Sendable (_ id: UInt64) -> Void = { _ in }
        /// One that was admitted is closed.
        public var connectionClosed: @Sendable (_ id: UInt64) -> Void = { _ in }
        public var callBegan: @Sendable (_ method: String) -> Void = { _ in }
        public var callEnded: @Sendable (_ method: String, WireError.Code, Duration) -> Void = { _, _, _ in }

        public init() {}
    }

    public let limits: Limits
    let logger: Logger
    private let methods: [String: ServerMethod]
    private let services: Set<String>
    private let authorize: @Sendable (Peer) -> WireError?
    private let describe: @Sendable (any Error) -> WireError
    private let observer: Observer

    private struct State {
        var listener: ServerListener?
        var connections: [UInt64: ServerConnection] = [:]
        var nextConnection: UInt64 = 1
        var calls: [String: ServerCall] = [:]
        var nextCall: UInt64 = 1
        var isDraining = false
        /// Connections that are refused, and not yet closed.
        var refused = 0
        var idle: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var nextIdle: UInt64 = 0
        /// Tasks of methods that have not returned, also of calls that have ended.
        var running = 0
        /// When it was told last that a call ended for want of something.
        var toldExhaustion: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    /// Makes subscription ids of two daemons differ.
    private let salt = UInt32.random(in: .min ... .max)

    /// - Parameters:
    ///   - authorize: why a peer is refused; nil where it is welcome.
    ///   - describe: the error that a client sees for one that a method throws.
    public init(
        _ methods: [ServerMethod], limits: Limits = Limits(), logger: Logger, observer: Observer = Observer(),
        authorize: @escaping @Sendable (Peer) -> WireError? = { _ in nil },
        describe: @escaping @Sendable (any Error) -> WireError = { WireError(.unknown, "\($0)") }
    ) {
        self.methods = Dictionary(methods.map { ($0.service + "/" + $0.name, $0) }) { $1 }
        self.services = Set(methods.map(\.service))
        self.limits = limits
        self.logger = logger
        self.observer = observer
        self.authorize = authorize
        self.describe = describe
    }

    /// The services that it has, sorted.
    public var serviceNames: [String] { services.sorted() }

    // MARK: - Listening

    /// Serves a socket that is bound; takes the descriptor over.
    /// - Throws: ``WireError`` (`unavailable`) where it cannot be listened at.
    public func listen(on descriptor: Int32) throws(WireError) {
        let listener = try ServerListener(descriptor, backlog: 256, logger) { [self] in accept($0) }
        let isLate = state.withLock { state in
            if !state.isDraining { state.listener = listener }
            return state.isDraining
        }
        if isLate { listener.close() }
    }

    /// Serves a connection by a thread of its own, or closes it.
    private func accept(_ descriptor: Int32) {
        var peer = Peer(pid: 0, uid: 0, gid: 0), size = socklen_t(MemoryLayout<Peer>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0,
            let connection = admit(descriptor, peer)
        else {
            close(descriptor)
            return
        }
        Thread.detachNewThread { connection.serve() }
    }

    /// - Returns: nil for one that cannot even be told why it is refused, since too many are being told already.
    private func admit(_ descriptor: Int32, _ peer: Peer) -> ServerConnection? {
        var refusal = authorize(peer)
        let connection = state.withLock { state -> ServerConnection? in
            if refusal == nil, state.isDraining { refusal = .draining }
            if refusal == nil, state.connections.count >= limits.connections {
                refusal = WireError(
                    .resourceExhausted, "there are \(limits.connections) connections already, and no more are allowed",
                    reason: "resource_exhausted")
            }
            if refusal != nil {
                guard state.refused < limits.connections else { return nil }
                state.refused += 1
            }
            let connection = ServerConnection(self, descriptor, id: state.nextConnection, peer: peer, refusal: refusal)
            if refusal == nil { state.connections[connection.id] = connection }
            state.nextConnection += 1
            return connection
        }
        guard let connection else { return nil }
        if let refusal {
            logger.notice("connection \(connection.id) of uid \(peer.uid) is refused: \(refusal.message)")
        } else {
            logger.debug("connection \(connection.id) from process \(peer.pid)")
            observer.connectionOpened(connection.id)
        }
        return connection
    }

    func closed(_ connection: ServerConnection, wasRefused: Bool) {
        state.withLock { state in
            if wasRefused { state.refused -= 1 } else { state.connections[connection.id] = nil }
        }
        guard !wasRefused else { return }
        logger.debug("connection \(connection.id) is closed")
        observer.connectionClosed(connection.id)
    }

    // MARK: - Calls

    func method(_ request: TTRPC.Request, isOpen: Bool) throws(WireError) -> ServerMethod {
        let name = request.service + "/" + request.method
        guard let method = methods[name] else {
            throw WireError(
                .unimplemented,
                services.contains(request.service)
                    ? "the service \(request.service) has no method \(request.method)"
                    : "there is no service \(request.service)")
        }
        let takesStream = method.kind == .clientStream || method.kind == .bidirectional
        guard takesStream || !isOpen else {
            throw WireError(.invalidArgument, "\(name) takes one message, and this request begins a stream of them")
        }
        return method
    }

    func newSubscriptionID() -> String {
        let number = state.withLock { state in
            defer { state.nextCall += 1 }
            return state.nextCall
        }
        return String(salt, radix: 16) + "-" + String(number)
    }

    func admit(_ call: ServerCall) throws(WireError) {
        let method = call.method
        let isWelcome = state.withLock { state in
            // Asked where the call is counted: a drain that begins after this waits for it.
            guard !state.isDraining || (method.servesWhileDraining && !method.endsWhenDraining) else { return false }
            state.calls[call.subscriptionID] = call
            state.running += 1
            return true
        }
        guard isWelcome else { throw .draining }
    }

    /// Runs a call that was admitted.
    func begin(_ call: ServerCall) {
        let method = call.method
        observer.callBegan(method.service + "/" + method.name)
        call.start(describe) { [self] in returned() }
    }

    func ended(_ call: ServerCall) {
        state.withLock { $0.calls[call.subscriptionID] = nil }
        let name = call.method.service + "/" + call.method.name
        logger.debug("\(name) on connection \(call.connection.id): \(call.code)")
        if call.code == .resourceExhausted, mayTellExhaustion() {
            logger.notice("\(name) of process \(call.connection.peer.pid) ended with RESOURCE_EXHAUSTED")
        }
        observer.callEnded(name, call.code, ContinuousClock.now - call.began)
    }

    /// Once a second: who floods the server with calls shall not flood its log.
    private func mayTellExhaustion() -> Bool {
        let now = ContinuousClock.now
        return state.withLock { state in
            if let last = state.toldExhaustion, last.duration(to: now) < .seconds(1) { return false }
            state.toldExhaustion = now
            return true
        }
    }

    private func returned() {
        let idle = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [UInt64: CheckedContinuation<Bool, Never>]() }
            defer { state.idle = [:] }
            return state.idle
        }
        for waiter in idle.values { waiter.resume(returning: true) }
    }

    /// Ends a call with CANCELLED.
    /// - Returns: whether there was one of this id.
    public func cancel(subscription id: String) -> Bool {
        guard let call = state.withLock({ $0.calls[id] }) else { return false }
        call.fail(WireError(.cancelled, "cancelled on request", reason: "cancelled"))
        return true
    }

    /// A call that is being answered.
    public struct CallStatus: Sendable {
        public var subscriptionID: String
        public var method: String
        public var seconds: Double
        public var peer: Peer
    }

    public var calls: [CallStatus] {
        state.withLock { Array($0.calls.values) }.sorted { $0.began < $1.began }.map { call in
            CallStatus(
                subscriptionID: call.subscriptionID, method: call.method.service + "/" + call.method.name,
                seconds: (ContinuousClock.now - call.began) / .seconds(1), peer: call.connection.peer)
        }
    }

    public var connectionCount: Int { state.withLock { $0.connections.count } }
    public var isDraining: Bool { state.withLock { $0.isDraining } }

    // MARK: - The end

    /// Takes no new connections and no new calls, and waits for those that run; past `timeout` they are cancelled.
    /// Then closes all connections.
    /// - Returns: whether everything ended by itself.
    @discardableResult
    public func drain(timeout: Duration) async -> Bool {
        let (listener, subscriptions) = state.withLock { state in
            state.isDraining = true
            defer { state.listener = nil }
            return (state.listener, state.calls.values.filter(\.method.endsWhenDraining))
        }
        for call in subscriptions { call.fail(.draining) }
        listener?.close()
        let clean = await isIdle(within: timeout)
        if !clean {
            for call in state.withLock({ Array($0.calls.values) }) { call.fail(.draining) }
            // Methods see their cancellation; one that does not within a second is left behind.
            _ = await isIdle(within: .seconds(1))
        }
        await closeConnections()
        return clean
    }

    /// What was answered last goes out before a connection is closed, for up to a second.
    private func closeConnections() async {
        let end = ContinuousClock.now + .seconds(1)
        for connection in connections { connection.socket.closeWhenWritten() }
        while !connections.isEmpty, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(2)) }
        for connection in connections { connection.socket.close() }
        while !connections.isEmpty { try? await Task.sleep(for: .milliseconds(2)) }
    }

    private var connections: [ServerConnection] { state.withLock { Array($0.connections.values) } }

    /// Whether all methods have returned within `limit`.
    private func isIdle(within limit: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.waitUntilIdle() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// - Returns: whether they have; false where the task is cancelled before.
    private func waitUntilIdle() async -> Bool {
        let place = state.withLock { state in
            state.nextIdle += 1
            return state.nextIdle
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool? in
                    if state.running == 0 { return true }
                    // Asked inside the lock: a cancellation after this finds the continuation.
                    if Task.isCancelled { return false }
                    state.idle[place] = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            state.withLock { $0.idle.removeValue(forKey: place) }?.resume(returning: false)
        }
    }
}
