import Messages

/// A frame: a length, 4 bytes little-endian, and one message.
enum Frames {
    /// What the daemon may send at once; larger things travel as memory.
    static let longestToPlugin = 64 << 20

    /// - Throws: ``PluginError`` (`limit`) for a message longer than `longest`.
    static func encode(_ message: some ProtoMessage, longest: Int) throws -> [UInt8] {
        let bytes = message.serialized()
        guard bytes.count <= longest, let length = UInt32(exactly: bytes.count) else {
            throw PluginError(.limit, "a message of \(bytes.count) bytes, at most \(longest)")
        }
        return withUnsafeBytes(of: length.littleEndian) { Array($0) } + bytes
    }

    static func length(_ bytes: UnsafeRawBufferPointer) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    }
}

/// Bytes that came, until they are whole frames.
struct FrameInbox {
    private var bytes: [UInt8] = []
    private var start = 0
    /// Bytes of the longest message that is taken.
    let longest: Int

    init(longest: Int) { self.longest = longest }

    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 1 << 16, start * 2 > bytes.count {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Whether there is as much as one frame may have; then no more is taken in.
    var isFull: Bool { bytes.count - start > longest + 4 }

    /// The next whole message.
    /// - Throws: ``MessageError`` for a length out of bounds and for bytes that are no message.
    mutating func next<M: ProtoMessage>(_: M.Type) throws -> M? {
        guard bytes.count - start >= 4 else { return nil }
        let length = bytes.withUnsafeBytes { Frames.length(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        guard length <= longest else {
            throw MessageError(.tooLarge, "a frame of \(length) bytes, at most \(longest)")
        }
        guard bytes.count - start - 4 >= length else { return nil }
        let message = try bytes.withUnsafeBytes {
            try M(serialized: UnsafeRawBufferPointer(rebasing: $0[(start + 4)..<(start + 4 + length)]))
        }
        start += 4 + length
        if start == bytes.count {
            // A large frame's memory is not kept for the small ones after it.
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            start = 0
        }
        return message
    }
}
