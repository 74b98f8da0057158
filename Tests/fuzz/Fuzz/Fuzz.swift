import NIOCore
import Wire

/// What libFuzzer calls with every input that it makes up.
///
/// The first byte chooses: 0 takes the rest for what comes from a socket, any other for a message of the contract.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let choice = bytes.first else { return 0 }
    let rest = Array(bytes.dropFirst())
    if choice == 0 {
        fuzzConnection(rest)
    } else {
        let kind = contract[Int(choice - 1) % contract.count]
        kind(rest)
    }
    return 0
}

/// Frames cut at places that the input chooses must be those of the whole, and what the streams make of them must keep
/// to their rules.
private func fuzzConnection(_ bytes: [UInt8]) {
    guard bytes.count >= 4 else { return }
    let (cuts, bytes) = (bytes[..<4].map(Int.init), Array(bytes[4...]))
    var whole = FrameDecoder()
    var parts = FrameDecoder()
    let expected = decode(bytes, by: [bytes.count], &whole)
    let events = decode(bytes, by: cuts, &parts)
    precondition(events == expected, "the frames depend on how their bytes are cut")

    let limit = 4
    var streams = ServerStreams(limit: limit)
    var open: Set<UInt32> = []
    var last: UInt32 = 0
    for (index, event) in events.enumerated() {
        switch streams.receive(event) {
        case .open(let stream, _, let isOpen):
            precondition(stream % 2 == 1 && stream > last, "the id \(stream) was let through after \(last)")
            last = stream
            if isOpen { open.insert(stream) }
        case .message(let stream, _): precondition(open.contains(stream), "a message of no open stream")
        case .endOfMessages(let stream): precondition(open.remove(stream) != nil, "an end of no open stream")
        case .refuse(let stream, let error):
            precondition(error.code == .invalidArgument || error.code == .resourceExhausted)
            // As a connection does: an error about a call ends it.
            streams.end(stream)
            open.remove(stream)
        case .nothing: break
        }
        precondition(streams.count <= limit, "more calls than are allowed")
        if index % 3 == 2, let first = open.first {
            streams.end(first)
            open.remove(first)
        }
    }
}

private func decode(_ bytes: [UInt8], by cuts: [Int], _ decoder: inout FrameDecoder) -> [FrameEvent] {
    var buffer = ByteBuffer()
    var events: [FrameEvent] = []
    var start = 0
    var turn = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, cuts[turn % cuts.count]))
        buffer.writeBytes(bytes[start..<end])
        start = end
        turn += 1
        while let event = try? decoder.decode(buffer: &buffer) { events.append(event) }
    }
    return events
}
