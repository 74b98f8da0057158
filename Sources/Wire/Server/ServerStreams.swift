import Messages
import NIOCore

/// The streams of one connection as a server sees them: which frames mean what, and which are refused.
///
/// It does no input or output, so that any sequence of frames can be tried on it. Rules are those of ttRPC's
/// PROTOCOL.md and of its Go server: a client's ids are odd and strictly rise; a wrong one is answered on that id and
/// the connection lives; a frame of an unknown type is passed over.
package struct ServerStreams {
    /// What a connection has to do about a frame.
    package enum Action: Equatable {
        /// A call begins.
        case open(stream: UInt32, TTRPC.Request, isOpen: Bool)
        /// A message of the client's on an open call.
        case message(stream: UInt32, ByteBuffer)
        /// The client sends no more.
        case endOfMessages(stream: UInt32)
        /// An error to answer.
        case refuse(stream: UInt32, WireError)
        case nothing
    }

    private enum State { case open, halfClosed }

    private let limit: Int
    private var streams: [UInt32: State] = [:]
    private var lastID: UInt32 = 0

    /// - Parameter limit: calls at the same time.
    package init(limit: Int) { self.limit = limit }

    /// Calls that have not ended.
    package var count: Int { streams.count }

    /// The call has been answered.
    package mutating func end(_ stream: UInt32) { streams[stream] = nil }

    package mutating func receive(_ event: FrameEvent) -> Action {
        switch event {
        case .oversized(let header):
            // A new call would have had this id; it is used up. An open one has lost a message, and ends.
            if header.kind == .request, header.stream > lastID { lastID = header.stream }
            return .refuse(
                stream: header.stream,
                WireError(
                    .resourceExhausted,
                    "a frame of \(header.length) bytes is longer than the \(Frame.longest) that are allowed"))
        case .frame(let frame):
            switch frame.kind {
            case .request: return request(frame)
            case .data: return data(frame)
            default: return .nothing
            }
        }
    }

    private mutating func request(_ frame: Frame) -> Action {
        let id = frame.stream
        func refuse(_ code: WireError.Code, _ message: String) -> Action {
            .refuse(stream: id, WireError(code, message))
        }
        guard id % 2 == 1 else {
            return refuse(.invalidArgument, "the stream id \(id) is even; a client's are odd")
        }
        guard id > lastID else {
            return refuse(.invalidArgument, "the stream id \(id) does not rise; the last one was \(lastID)")
        }
        lastID = id
        let request: TTRPC.Request
        do { request = try TTRPC.Request(frame.data) } catch { return .refuse(stream: id, error) }
        guard streams.count < limit else {
            return refuse(.resourceExhausted, "this connection has \(limit) calls already, and no more are allowed")
        }
        let isOpen = frame.flags.contains(.remoteOpen) && !frame.flags.contains(.remoteClosed)
        streams[id] = isOpen ? .open : .halfClosed
        return .open(stream: id, request, isOpen: isOpen)
    }

    private mutating func data(_ frame: Frame) -> Action {
        let id = frame.stream
        guard let state = streams[id] else {
            // Of a call that has ended, what was on its way; of one that never was, an error.
            return id <= lastID && id % 2 == 1
                ? .nothing : .refuse(stream: id, WireError(.invalidArgument, "there is no stream \(id)"))
        }
        guard state == .open else {
            return .refuse(stream: id, WireError(.invalidArgument, "the stream \(id) was closed by its client"))
        }
        guard frame.flags.contains(.remoteClosed) else {
            return frame.flags.contains(.noData) ? .nothing : .message(stream: id, frame.data)
        }
        guard frame.data.readableBytes == 0 else {
            return .refuse(
                stream: id, WireError(.invalidArgument, "the frame that closes the stream \(id) must be empty"))
        }
        streams[id] = .halfClosed
        return .endOfMessages(stream: id)
    }
}
