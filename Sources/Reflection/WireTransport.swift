import Client
import Messages
import NIOCore
import Synchronization
import Wire

/// Calls whose messages are bytes, over one connection to the daemon, which is made again where it was lost.
///
/// A stream is cancelled by the subscription id in its first message, which is looked for by its name: `started`.
package struct WireTransport: BridgeTransport {
    private let connection: SharedConnection
    private let codec: MessageCodec

    package init(_ connection: SharedConnection, _ pool: DescriptorPool) {
        self.connection = connection
        var options = MessageCodec.Options()
        options.usesProtoNames = true
        codec = MessageCodec(pool, options: options)
    }

    package func unary(service: String, method: String, request: [UInt8]) async throws -> [UInt8] {
        try await unary(service: service, method: method, request: request, timeout: nil)
    }

    func unary(service: String, method: String, request: [UInt8], timeout: Duration?) async throws -> [UInt8] {
        try await failing {
            let client = try await connection.daemon().client
            return Array(try await client.unary(service, method, request, timeout: timeout).readableBytesView)
        }
    }

    package func open(service: String, method: String, request: [UInt8]?) async throws -> BridgeStream {
        try await failing {
            let client = try await connection.daemon().client
            let descriptor = try codec.pool.method("\(service)/\(method)")
            let call = try await client.open(
                service, method, request, sendsMore: request == nil, answersOnce: !descriptor.serverStreaming)
            let output = try codec.pool.message(named: descriptor.output)
            let stream = DynamicStream(call, client, isServerStream: descriptor.serverStreaming) { message in
                // Bytes that cannot be read are for whoever reads the message to speak of.
                guard case .string(let id)? = (try? codec.decode(message, as: output))?["started"]?["subscription_id"]
                else { return nil }
                return id
            }
            return BridgeStream(
                send: { message in try await failing { try await call.send(message) } },
                closeSend: { try await failing { try await call.finish() } },
                messages: AsyncThrowingStream { try await stream.next() }, cancel: { await stream.cancel() })
        }
    }
}

/// Runs `body`, and tells what it throws in the bridge's terms.
private func failing<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as WireError {
        throw CallFailure(error)
    } catch let error as CommandError {
        throw CallFailure(code: 14, message: error.message, reason: "unavailable")
    }
}

extension CallFailure {
    package init(_ error: WireError) {
        self.init(
            code: Int(error.code.rawValue), message: error.message, reason: error.reason.isEmpty ? nil : error.reason)
    }
}

extension WireError {
    package init(_ failure: CallFailure) {
        self.init(Code(rawValue: Int32(clamping: failure.code)), failure.message, reason: failure.reason ?? "")
    }
}

/// An open call, and what is known of how to cancel it.
private final class DynamicStream: Sendable {
    private struct State {
        var isFirst = true
        var subscription: String?
        var isCancelled = false
    }

    private let call: OpenBytesCall
    private let client: WireClient
    private let isServerStream: Bool
    private let subscription: @Sendable ([UInt8]) -> String?
    private let state = Mutex(State())

    init(
        _ call: OpenBytesCall, _ client: WireClient, isServerStream: Bool,
        subscription: @escaping @Sendable ([UInt8]) -> String?
    ) {
        self.call = call
        self.client = client
        self.isServerStream = isServerStream
        self.subscription = subscription
    }

    /// The next message, also for a task that is cancelled: the stream ends when the daemon has ended it.
    func next() async throws -> [UInt8]? {
        let next = Task.detached { [call] in try await call.next().map { Array($0.readableBytesView) } }
        guard let message = try await failing({ try await next.value }) else { return nil }
        let (isFirst, isCancelled) = state.withLock { state in
            defer { state.isFirst = false }
            return (state.isFirst, state.isCancelled)
        }
        // The answer to what was sent until then is nobody's.
        if isCancelled, !isServerStream { return nil }
        if isFirst, isServerStream, let id = subscription(message) {
            let isCancelled = state.withLock { state in
                state.subscription = id
                return state.isCancelled
            }
            if isCancelled { await tellDaemon(id) }
        }
        return message
    }

    /// Asks the daemon to end it, now or when its id is known; after a second it is given up here.
    func cancel() async {
        let id = state.withLock { state in
            state.isCancelled = true
            return state.subscription
        }
        Task.detached { [call] in
            try await Task.sleep(for: .seconds(1))
            call.abandon()
        }
        if let id { await tellDaemon(id) }
        if !isServerStream { try? await call.finish() }
    }

    private func tellDaemon(_ id: String) async {
        // Where this fails, the stream has ended, or the connection has.
        _ = try? await client.call(
            V1.DaemonRPC.cancel, V1.CancelRequest(subscriptionId: id), timeout: .seconds(1))
    }
}

/// A connection to the daemon that is opened when it is needed, and again when it was lost.
package actor SharedConnection {
    private let open: @Sendable () async throws -> DaemonConnection
    private var current: DaemonConnection?
    private var opening: Task<DaemonConnection, any Error>?

    package init(_ current: DaemonConnection? = nil, open: @escaping @Sendable () async throws -> DaemonConnection) {
        self.current = current
        self.open = open
    }

    package func daemon() async throws -> DaemonConnection {
        if let current, current.client.isOpen { return current }
        if let opening { return try await opening.value }
        let task = Task { [open] in try await open() }
        opening = task
        defer { opening = nil }
        let daemon = try await task.value
        current = daemon
        return daemon
    }

    package func close() async {
        await current?.close()
        current = nil
    }
}
