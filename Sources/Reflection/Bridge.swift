import Client
import StrictJSON

/// Carries JSON-RPC of an editor to the calls of a server and back; ``BridgeState`` says what means what.
///
/// Messages to the editor are written one after another, those of one call in the order in which they came. While the
/// editor does not read, nothing more is taken from the server.
package actor Bridge {
    /// Bytes of `$/send` that may wait for a slow server, for each call; past it the call ends with RESOURCE_EXHAUSTED.
    package static let maximumPending = 16 << 20

    private var state: BridgeState
    private let transport: any BridgeTransport
    private let write: @Sendable ([UInt8]) throws -> Void
    private var running: [BridgeState.Call: Running] = [:]
    private var status: Int32?

    /// A call that the transport carries.
    private struct Running {
        let task: Task<Void, Never>
        let outgoing: AsyncStream<Outgoing>.Continuation
        var pending = 0
    }

    private enum Outgoing: Sendable {
        case message([UInt8])
        case close
    }

    /// - Parameter write: takes a message with its frame, and returns when it is written; never called twice at once.
    ///   Where it throws, nobody reads any more: all calls are given up, and ``run(_:)`` returns at the editor's next
    ///   bytes.
    package init(
        _ codec: MessageCodec, serverInfo: JSON, transport: any BridgeTransport,
        write: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        state = BridgeState(codec, serverInfo: serverInfo)
        self.transport = transport
        self.write = write
    }

    /// Serves until the editor says `exit` or its bytes end; calls that are open then are given up.
    /// - Parameter input: what the editor sends, in pieces of any size.
    /// - Returns: the status to exit with: 0 after `shutdown`, otherwise 1.
    /// - Throws: ``FramingError`` where the bytes are not framed; what `input` throws.
    package func run<Input: AsyncSequence>(_ input: Input) async throws -> Int32
    where Input.Element == [UInt8], Input: Sendable {
        var reader = LSPFraming.Reader()
        do {
            for try await bytes in input {
                for body in try reader.append(bytes) {
                    perform(state.receive(body))
                    if let status { return status }
                }
            }
        } catch {
            if let error = error as? FramingError {
                let answer = JSONRPCError(JSONRPCError.parseError, error.message)
                perform([.write(.response(id: nil, .failure(answer)))])
            }
            perform(state.inputEnded())
            throw error
        }
        perform(state.inputEnded())
        return status ?? 1
    }

    private func perform(_ actions: [BridgeState.Action]) {
        for action in actions {
            switch action {
            case .write(let message): write(message)
            case .start(let call, let method, let request): start(call, method, request)
            case .send(let call, let bytes): send(bytes, on: call)
            case .closeSend(let call): running[call]?.outgoing.yield(.close)
            case .cancel(let call):
                running[call]?.task.cancel()
                running[call]?.outgoing.finish()
            case .exit(let code): status = status ?? code
            }
        }
    }

    private func write(_ message: JSONRPCMessage) {
        guard status == nil else { return }
        do {
            try write(LSPFraming.frame(message.json.compactText.utf8))
        } catch {
            // Nobody reads any more, so nobody can be told.
            perform(state.inputEnded())
        }
    }

    private func send(_ bytes: [UInt8], on call: BridgeState.Call) {
        guard let pending = running[call]?.pending else { return }
        guard pending + bytes.count <= Self.maximumPending else {
            let failure = CallFailure(
                code: 8, message: "more than \(Self.maximumPending) bytes wait for the server to take them")
            return perform([.cancel(call)] + state.ended(call, failure))
        }
        running[call]?.pending += bytes.count
        running[call]?.outgoing.yield(.message(bytes))
    }

    private func start(_ call: BridgeState.Call, _ method: MethodDescriptor, _ request: [UInt8]?) {
        let (queue, outgoing) = AsyncStream.makeStream(of: Outgoing.self)
        let task = Task {
            var failure: CallFailure?
            do {
                try await carry(call, method, request, queue)
            } catch {
                failure = error as? CallFailure ?? CallFailure(code: 2, message: "\(error)")
            }
            running[call]?.outgoing.finish()
            running[call] = nil
            perform(state.ended(call, failure))
        }
        running[call] = Running(task: task, outgoing: outgoing)
    }

    private func carry(
        _ call: BridgeState.Call, _ method: MethodDescriptor, _ request: [UInt8]?, _ queue: AsyncStream<Outgoing>
    ) async throws {
        if let request, !method.serverStreaming {
            let answer = try await transport.unary(service: method.service, method: method.name, request: request)
            return perform(state.received(answer, on: call))
        }
        let stream = try await transport.open(service: method.service, method: method.name, request: request)
        // What sending throws is not looked at: why a call is over is said where its messages end.
        let sending = Task {
            for await next in queue { try await pass(next, to: stream, on: call) }
        }
        defer { sending.cancel() }
        try await withTaskCancellationHandler {
            for try await message in stream.messages { perform(state.received(message, on: call)) }
        } onCancel: {
            Task { await stream.cancel() }
        }
    }

    private func pass(_ next: Outgoing, to stream: BridgeStream, on call: BridgeState.Call) async throws {
        switch next {
        case .message(let bytes):
            try await stream.send(bytes)
            running[call]?.pending -= bytes.count
        case .close: try await stream.closeSend()
        }
    }
}
