import Foundation
import NIOCore
import Synchronization

/// One connection's socket. One thread reads it; whoever has a frame writes it, without another thread that has to be woken.
///
/// What the socket does not take at once waits, in its order, for a thread that is there from then on.
final class ServerSocket: Sendable {
    /// What is handed to the socket at once; progress is seen in steps of this.
    private static let piece = 64 << 10

    private struct Outbound {
        var frame: ByteBuffer
        var done: (@Sendable () -> Void)?
    }

    private struct State {
        var waiting = CircularBuffer<Outbound>()
        /// Whether some thread writes, behind whom all others' frames wait.
        var isBusy = false
        /// Whether there is a thread that writes what waits.
        var hasWriter = false
        var closesWhenWritten = false
        var isClosed = false
    }

    private let descriptor: Int32
    /// Told of what has gone, and closed with the connection.
    private let gate: OutboundGate
    private let state = Mutex(State())
    /// Signalled where the thread that writes has something to do.
    private let work = DispatchSemaphore(value: 0)

    /// - Parameter descriptor: of a connected socket; taken over.
    init(_ descriptor: Int32, gate: OutboundGate) {
        self.descriptor = descriptor
        self.gate = gate
    }

    // Closed only when no thread can use it any more: its number may be another file's at once.
    deinit { Foundation.close(descriptor) }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Ends the connection; what waits is forgotten. The thread that reads comes back with nothing.
    func close() {
        let (waiting, hasWriter) = state.withLock { state in
            guard !state.isClosed else { return (CircularBuffer<Outbound>(), false) }
            state.isClosed = true
            defer { state.waiting = [] }
            return (state.waiting, state.hasWriter)
        }
        // First, or who waits for room would find some.
        gate.close(.connectionClosed)
        shutdown(descriptor, Int32(SHUT_RDWR))
        for one in waiting { settle(one) }
        if hasWriter { work.signal() }
    }

    /// Ends it when what waits has been written.
    func closeWhenWritten() {
        let isIdle = state.withLock { state in
            state.closesWhenWritten = true
            return !state.isBusy
        }
        if isIdle { close() }
    }

    // MARK: - Writing

    /// Sends a frame whose room is reserved in the gate already, behind those that were handed over before.
    /// - Parameter done: when it has gone, or the connection has.
    func enqueue(_ frame: ByteBuffer, done: (@Sendable () -> Void)? = nil) {
        let one = Outbound(frame: frame, done: done)
        enum Place { case first, behind, nowhere }
        let place = state.withLock { state -> Place in
            if state.isClosed { return .nowhere }
            if state.isBusy {
                state.waiting.append(one)
                return .behind
            }
            state.isBusy = true
            return .first
        }
        switch place {
        case .nowhere: settle(one)
        case .behind: break
        case .first:
            var rest = one
            let isWhole = write(&rest, waiting: false)
            leave(isWhole ? nil : rest)
        }
    }

    /// Ends this thread's turn to write; what is left is the writing thread's.
    private func leave(_ rest: Outbound?) {
        enum Next { case nothing, close, write(starts: Bool) }
        let next = state.withLock { state -> Next in
            if let rest { state.waiting.prepend(rest) }
            if state.waiting.isEmpty {
                state.isBusy = false
                return state.closesWhenWritten && !state.isClosed ? .close : .nothing
            }
            defer { state.hasWriter = true }
            return .write(starts: !state.hasWriter)
        }
        switch next {
        case .nothing: break
        case .close: close()
        case .write(let starts):
            if starts { Thread.detachNewThread { [self] in writeWaiting() } }
            work.signal()
        }
    }

    /// The writing thread, until the connection is closed.
    private func writeWaiting() {
        while !isClosed {
            work.wait()
            while var one = nextWaiting() { write(&one, waiting: true) }
            if state.withLock({ $0.closesWhenWritten && !$0.isBusy }) { close() }
        }
    }

    /// What has waited longest; nil where nothing does, and then whoever has a frame writes it again.
    private func nextWaiting() -> Outbound? {
        state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.isBusy = false }
            return next
        }
    }

    /// Writes a frame, or as much of it as the socket takes at once.
    /// - Returns: whether nothing is left to be written: all has gone, or the connection has.
    @discardableResult
    private func write(_ one: inout Outbound, waiting: Bool) -> Bool {
        let flags = Int32(MSG_NOSIGNAL) | (waiting ? 0 : Int32(MSG_DONTWAIT))
        while one.frame.readableBytes > 0 {
            let (count, error) = one.frame.withUnsafeReadableBytes {
                (send(descriptor, $0.baseAddress, min($0.count, Self.piece), flags), errno)
            }
            if count > 0 {
                one.frame.moveReaderIndex(forwardBy: count)
                gate.release(count)
            } else if error == EAGAIN {
                return false
            } else if error != EINTR {
                close()
                settle(one)
                return true
            }
        }
        one.done?()
        return true
    }

    /// A frame that will not be sent.
    private func settle(_ one: Outbound) {
        gate.release(one.frame.readableBytes)
        one.done?()
    }

    // MARK: - Reading

    /// How long ``receive(into:room:)`` waits for something.
    func limitWaiting(to duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: max(1000, Int(attoseconds / 1_000_000_000_000)))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    enum Received { case bytes(Int), nothingYet, end }

    /// Waits for bytes, and puts up to `room` of them behind what `buffer` has.
    func receive(into buffer: inout ByteBuffer, room: Int) -> Received {
        while true {
            var (count, error) = (0, Int32(0))
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { place in
                count = recv(descriptor, place.baseAddress, room, 0)
                error = errno
                return max(0, count)
            }
            if isClosed || count == 0 { return .end }
            if count > 0 { return .bytes(count) }
            switch error {
            case EINTR: continue
            case EAGAIN: return .nothingYet
            default: return .end
            }
        }
    }

    /// Whether the peer has gone, asked without reading.
    var isAbandoned: Bool {
        var one = pollfd(fd: descriptor, events: 0, revents: 0)
        poll(&one, 1, 0)
        return one.revents & Int16(POLLHUP | POLLERR) != 0
    }
}
