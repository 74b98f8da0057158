import Messages
import NIOCore
import Wire

extension Fuzzed {
    /// The frames of the pieces are those of the whole, and what the streams make of them keeps to their rules.
    static func connection(_ bytes: [UInt8], cutEvery cut: Int) {
        let events = frames(bytes, cutEvery: cut)
        precondition(
            events == frames(bytes, cutEvery: max(1, bytes.count)), "frames do not depend on how their bytes are cut")

        let limit = 4
        var streams = ServerStreams(limit: limit)
        /// Calls whose clients may still send.
        var open: Set<UInt32> = []
        var last: UInt32 = 0
        for (index, event) in events.enumerated() {
            switch streams.receive(event) {
            case .open(let stream, _, let isOpen):
                precondition(stream % 2 == 1 && stream > last, "a client's stream ids are odd and rise")
                last = stream
                if isOpen { open.insert(stream) }
            case .message(let stream, _): precondition(open.contains(stream), "only open streams have messages")
            case .endOfMessages(let stream): precondition(open.remove(stream) != nil, "only open streams are closed")
            case .refuse(let stream, let error):
                precondition([.invalidArgument, .resourceExhausted].contains(error.code), "\(error.code) says why")
                // As a connection does: an error about a call ends it.
                streams.end(stream)
                open.remove(stream)
            case .nothing: break
            }
            precondition(streams.count <= limit, "no more streams than are allowed")
            if index % 3 == 2, let first = open.first {
                streams.end(first)
                open.remove(first)
            }
        }
    }

    private static func frames(_ bytes: [UInt8], cutEvery cut: Int) -> [FrameEvent] {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        var events: [FrameEvent] = []
        for start in stride(from: 0, to: bytes.count, by: cut) {
            buffer.writeBytes(bytes[start..<min(bytes.count, start + cut)])
            while let event = try? decoder.decode(buffer: &buffer) { events.append(event) }
            buffer.discardReadBytes()
        }
        return events
    }

    static func message(_ bytes: [UInt8], number: UInt8) {
        let type = allMessages[Int(number) % allMessages.count]
        message(bytes, type)
    }

    /// Where it can be read, what is written of it reads as the same; compared as bytes, since a NaN equals nothing.
    private static func message<M: ProtoMessage>(_ bytes: [UInt8], _ type: M.Type) {
        guard let message = try? M(serialized: bytes) else { return }
        let written = message.serialized()
        do {
            let again = try M(serialized: written)
            precondition(again.serialized() == written, "what is read of a \(M.fullName) is written as it was")
        } catch {
            // It is shorter than what came, and may be too wasteful for its new length.
            let isTooLarge = (error as? MessageError)?.kind == .tooLarge
            precondition(isTooLarge, "what was written of a \(M.fullName) can be read: \(error)")
        }
    }
}
