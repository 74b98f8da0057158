import CProtos

/// The memory behind one message that is being packed: what protobuf-c's structs point at. Freed at once.
public final class MessageArena {
    private var blocks: [UnsafeMutableRawPointer] = []
    private var next: UnsafeMutableRawPointer?
    private var left = 0
    private static let blockSize = 4096
    private static let alignment = 16

    init() {}

    deinit { for block in blocks { block.deallocate() } }

    private func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let size = (max(size, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
        if let place = next, size <= left {
            next = place + size
            left -= size
            return place
        }
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(size, Self.blockSize), alignment: Self.alignment)
        blocks.append(block)
        if size < Self.blockSize {
            next = block + size
            left = Self.blockSize - size
        }
        return block
    }

    func text(_ text: String) -> UnsafeMutablePointer<CChar> {
        var text = text
        if text.utf8.contains(0) { text = text.replacing("\0", with: "\u{FFFD}") }
        return text.withUTF8 { utf8 in
            let place = allocate(utf8.count + 1).bindMemory(to: CChar.self, capacity: utf8.count + 1)
            for (i, byte) in utf8.enumerated() { place[i] = CChar(bitPattern: byte) }
            place[utf8.count] = 0
            return place
        }
    }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        let place = allocate(bytes.count).bindMemory(to: UInt8.self, capacity: bytes.count)
        bytes.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { place.update(from: base, count: source.count) }
        }
        return ProtobufCBinaryData(len: bytes.count, data: place)
    }

    func message<M: ProtoMessage>(_ message: M?) -> UnsafeMutablePointer<M.C>? {
        guard let message else { return nil }
        let place = allocate(MemoryLayout<M.C>.size).bindMemory(to: M.C.self, capacity: 1)
        place.initialize(to: M.makeC())
        message.fill(&place.pointee, self)
        return place
    }

    func messages<M: ProtoMessage>(_ messages: [M]) -> UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>? {
        array(messages) { message($0) }
    }

    func array<Element, C>(_ elements: [Element], _ c: (Element) -> C) -> UnsafeMutablePointer<C>? {
        guard !elements.isEmpty else { return nil }
        let place = allocate(elements.count * MemoryLayout<C>.stride).bindMemory(to: C.self, capacity: elements.count)
        for (i, element) in elements.enumerated() { (place + i).initialize(to: c(element)) }
        return place
    }
}
