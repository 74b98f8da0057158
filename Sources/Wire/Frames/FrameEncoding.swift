import Messages
import NIOCore

extension ByteBufferAllocator {
    /// A frame with `message` as its data.
    /// - Throws: ``WireError`` (`resourceExhausted`) for a message that no frame can hold.
    func frame(
        _ message: some ProtoMessage, stream: UInt32, kind: Frame.Kind, flags: Frame.Flags = []
    ) throws(WireError) -> ByteBuffer {
        let buffer: ByteBuffer? = message.packed { size, write in
            guard size <= Frame.longest else { return nil }
            var buffer = self.buffer(capacity: Frame.headerSize + size)
            buffer.writeFrameHeader(
                Frame.Header(length: UInt32(size), stream: stream, kind: kind, flags: flags))
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { place in
                guard let base = place.bindMemory(to: UInt8.self).baseAddress, size > 0 else { return 0 }
                return write(base)
            }
            return buffer
        }
        guard let buffer else {
            throw WireError(
                .resourceExhausted,
                "a \(type(of: message).fullName) is larger than a frame of \(Frame.longest >> 20) MiB can hold")
        }
        return buffer
    }

    /// A frame with these bytes as its data.
    func frame(
        bytes: [UInt8] = [], stream: UInt32, kind: Frame.Kind, flags: Frame.Flags = []
    ) throws(WireError) -> ByteBuffer {
        guard bytes.count <= Frame.longest else {
            throw WireError(
                .resourceExhausted,
                "a message of \(bytes.count) bytes is larger than a frame of \(Frame.longest >> 20) MiB can hold")
        }
        var buffer = self.buffer(capacity: Frame.headerSize + bytes.count)
        buffer.writeFrameHeader(
            Frame.Header(length: UInt32(bytes.count), stream: stream, kind: kind, flags: flags))
        buffer.writeBytes(bytes)
        return buffer
    }
}

extension ProtoMessage {
    /// Reads a message from a frame's data.
    init(_ buffer: ByteBuffer) throws(WireError) {
        do {
            self = try buffer.withUnsafeReadableBytes { try Self(serialized: $0) }
        } catch let error as MessageError {
            throw WireError(error)
        } catch {
            throw WireError(.internal, "\(error)")
        }
    }
}
