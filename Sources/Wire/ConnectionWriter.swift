import NIOCore

/// The way out of one connection, for any thread.
final class ConnectionWriter: Sendable {
    /// What is handed to the socket at once; progress is seen in steps of this.
    private static let piece = 64 << 10

    let channel: any Channel
    let gate: OutboundGate

    init(_ channel: any Channel, limit: Int) {
        self.channel = channel
        self.gate = OutboundGate(limit: limit)
    }

    /// Sends a frame when there is room for it.
    /// - Parameter limit: bytes that may be on their way before it; nil for the connection's own bound.
    func send(_ frame: ByteBuffer, limit: Int? = nil) async throws {
        try await gate.reserve(frame.readableBytes, limit: limit)
        write(frame)
    }

    /// The same for a thread that may block.
    func sendBlocking(_ frame: ByteBuffer) throws {
        try gate.reserveBlocking(frame.readableBytes)
        write(frame)
    }

    /// Sends a small frame at once: an error, an end.
    func sendNow(_ frame: ByteBuffer) {
        gate.take(frame.readableBytes)
        write(frame)
    }

    /// Sends a frame that has its room already, after all that were handed over before.
    func enqueue(_ frame: ByteBuffer) { channel.eventLoop.execute { self.write(frame) } }

    private func write(_ frame: ByteBuffer) {
        guard channel.eventLoop.inEventLoop else {
            return channel.eventLoop.execute { self.write(frame) }
        }
        var rest = frame
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.piece)), piece.readableBytes > 0 {
            channel.write(piece).whenComplete { [gate] _ in gate.release(piece.readableBytes) }
        }
        channel.flush()
    }

    /// Closes the connection if nothing has moved for `limit` while something waited to.
    func closeIfStalled(for limit: Duration) -> Bool {
        guard let since = gate.stalledSince, ContinuousClock.now - since > limit else { return false }
        channel.close(promise: nil)
        return true
    }
}
