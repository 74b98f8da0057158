import NIOCore

/// A client's way out, for any thread. Frames go out in the order in which they were handed over.
final class ConnectionWriter: Sendable {
    /// What is handed to the socket at once; progress is seen in steps of this.
    private static let piece = 64 << 10

    let channel: any Channel
    let gate: OutboundGate

    init(_ channel: any Channel, limit: Int) {
        self.channel = channel
        self.gate = OutboundGate(limit: limit)
    }

    /// Sends a frame whose room is reserved in the gate already.
    /// - Parameter done: when it has gone, or the connection has.
    func enqueue(_ frame: ByteBuffer, done: (@Sendable () -> Void)? = nil) {
        channel.eventLoop.execute { self.write(frame, done) }
    }

    /// On the event loop.
    private func write(_ frame: ByteBuffer, _ done: (@Sendable () -> Void)?) {
        var rest = frame
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.piece)), piece.readableBytes > 0 {
            let isLast = rest.readableBytes == 0
            channel.write(piece).whenComplete { [gate] _ in
                gate.release(piece.readableBytes)
                if isLast { done?() }
            }
        }
        channel.flush()
    }
}
