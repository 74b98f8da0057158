import NIOCore

/// What comes out of a connection's bytes.
package enum FrameEvent: Sendable, Equatable {
    case frame(Frame)
    /// A frame with more data than a frame may have. Its data are passed over as they come, and never stored.
    case oversized(Frame.Header)
}

/// Bytes to frames, however the bytes are cut.
package struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = FrameEvent

    private var header: Frame.Header?
    /// Bytes of an oversized frame that are still to come.
    private var toSkip = 0

    package init() {}

    package mutating func decode(buffer: inout ByteBuffer) throws -> FrameEvent? {
        if toSkip > 0 {
            let skipped = min(toSkip, buffer.readableBytes)
            buffer.moveReaderIndex(forwardBy: skipped)
            toSkip -= skipped
            guard toSkip == 0 else { return nil }
        }
        if header == nil {
            header = buffer.readFrameHeader()
        }
        guard let header else { return nil }
        guard header.length <= Frame.longest else {
            self.header = nil
            toSkip = Int(header.length)
            return .oversized(header)
        }
        guard let data = buffer.readSlice(length: Int(header.length)) else { return nil }
        self.header = nil
        return .frame(Frame(stream: header.stream, kind: header.kind, flags: header.flags, data: data))
    }

    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> FrameEvent? {
        // What is left of a frame when the peer goes is of no use to anyone.
        try decode(buffer: &buffer)
    }
}
