import Messages
import NIOCore
import Wire

/// What libFuzzer calls with bytes of its own making. The first bytes choose what is tried: a connection's stream, cut into
/// pieces, or one message of the contract.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let rest = Array(bytes.dropFirst())
    if bytes[0] % 2 == 0 { connection(rest) } else { messages(rest) }
    return 0
}

/// Frames, cut where the first bytes say, through the decoder and the rules of streams.
private func connection(_ bytes: [UInt8]) {
    let cut = max(1, Int(bytes.first ?? 1))
    var decoder = FrameDecoder()
    var streams = ServerStreams(limit: 4)
    var buffer = ByteBuffer()
    var rest = bytes.dropFirst()
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

/// One message, chosen by the first byte: where it can be read, what is written of it reads as the same.
private func messages(_ bytes: [UInt8]) {
    let body = Array(bytes.dropFirst())
    let types: [@Sendable ([UInt8]) -> Void] = FuzzedMessages.all
    types[Int(bytes.first ?? 0) % types.count](body)
}
