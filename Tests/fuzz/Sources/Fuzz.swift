import Messages
import NIOCore
import Wire

/// What is tried with bytes of libFuzzer's making. The first byte chooses: a connection's stream, cut into pieces, or one
/// message of the contract. A trap, a broken promise or a leak is a finding.
enum Fuzzed {
    static func tryOut(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count > 2 else { return }
        if bytes[0] % 2 == 0 {
            connection(bytes.dropFirst(2), cutEvery: max(1, Int(bytes[1])))
        } else {
            let type = allMessages[Int(bytes[1]) % allMessages.count]
            message(Array(bytes.dropFirst(2)), type)
        }
    }

    /// Frames through the decoder and the rules of streams.
    private static func connection(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, cutEvery cut: Int) {
        var decoder = FrameDecoder()
        var streams = ServerStreams(limit: 4)
        var buffer = ByteBuffer()
        var rest = bytes
        while !rest.isEmpty {
            buffer.writeBytes(rest.prefix(cut))
            rest = rest.dropFirst(cut)
            while let event = try? decoder.decode(buffer: &buffer) {
                switch streams.receive(event) {
                case .open(let stream, let request, _):
                    precondition(stream % 2 == 1, "a client's stream ids are odd")
                    precondition(streams.count <= 4, "no more streams than are allowed")
                    if request.payload.count % 3 == 0 { streams.end(stream) }
                case .message(let stream, _), .endOfMessages(let stream):
                    precondition(stream % 2 == 1, "only open streams have messages")
                case .refuse, .nothing: break
                }
            }
            buffer.discardReadBytes()
        }
    }

    /// Where it can be read, what is written of it reads as the same.
    private static func message<M: ProtoMessage>(_ bytes: [UInt8], _ type: M.Type) {
        guard let message = try? M(serialized: bytes) else { return }
        let written = message.serialized()
        guard let again = try? M(serialized: written) else {
            preconditionFailure("what was written of a \(M.fullName) cannot be read")
        }
        precondition(again.serialized() == written, "what is read of a \(M.fullName) is written as it was")
    }
}
