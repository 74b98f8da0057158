import Messages
import NIOCore

/// Reads one connection's frames for the calls that were made on it. All of it runs on the connection's event loop.
final class ClientConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = FrameEvent

    /// A client that nobody holds closes its connection.
    private weak var client: WireClient?

    init(_ client: WireClient) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .oversized(let header):
            let error = WireError(
                .resourceExhausted,
                "the server sent a frame of \(header.length) bytes; at most \(Frame.longest) are allowed")
            client?.call(header.stream)?.fail(error)
        case .frame(let frame):
            // Frames of calls that were given up are passed over.
            client?.call(frame.stream)?.receive(frame)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        client?.lost()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// One call that a client made, from any thread.
final class ClientCall: Sendable {
    let stream: UInt32
    let client: WireClient
    /// The server's messages; ends where the call does.
    let inbound: InboundQueue
    /// Whether the answer comes in a response rather than in data.
    private let answersOnce: Bool

    init(_ client: WireClient, stream: UInt32, answersOnce: Bool) {
        self.client = client
        self.stream = stream
        self.answersOnce = answersOnce
        self.inbound = InboundQueue(flow: client.flow)
    }

    /// On the event loop.
    func receive(_ frame: Frame) {
        switch frame.kind {
        case .response:
            do {
                let response = try TTRPC.Response(frame.data)
                if let status = response.status, status.code != 0 {
                    // What the server said before that is still worth reading.
                    client.forget(stream)
                    return inbound.finish(WireError(status), keepingMessages: true)
                }
                if answersOnce { inbound.push(ByteBuffer(bytes: response.payload)) }
                end()
            } catch { fail(error) }
        case .data:
            let isEnd = frame.flags.contains(.remoteClosed)
            if !frame.flags.contains(.noData), !(isEnd && frame.data.readableBytes == 0) { inbound.push(frame.data) }
            if isEnd { end() }
        default: break
        }
    }

    private func end() {
        client.forget(stream)
        inbound.finish()
    }

    /// From any thread.
    func fail(_ error: WireError) {
        client.forget(stream)
        inbound.finish(error)
    }
}
