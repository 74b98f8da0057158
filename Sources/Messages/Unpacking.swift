import CProtos
import Foundation

/// protobuf-c's unpacking with a bound on the memory that it may take.
enum Unpacking {
    /// What a message of `size` bytes may take while it is unpacked: 16 times its size, and at least 64 KiB.
    ///
    /// Without a bound a field of two unknown bytes costs about 90 bytes of heap, so that 4 MiB can cost 190 MB.
    static func budget(forSize size: Int) -> Int { max(64 << 10, size * 16) }

    static func unpack<M: ProtoMessage>(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, as: M.Type,
        budget: Int? = nil
    ) throws -> M {
        var left = budget ?? self.budget(forSize: bytes.count)
        return try withUnsafeMutablePointer(to: &left) { left in
            var allocator = ProtobufCAllocator(
                alloc: { left, size in
                    guard let left = left?.assumingMemoryBound(to: Int.self), size <= left.pointee else { return nil }
                    left.pointee -= size
                    return malloc(max(size, 1))
                },
                free: { _, pointer in free(pointer) },
                allocator_data: UnsafeMutableRawPointer(left))
            guard
                let message = protobuf_c_message_unpack(
                    descriptor, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            else {
                guard left.pointee < (budget ?? self.budget(forSize: bytes.count)) / 2 else {
                    throw MessageError(.malformed, "\(bytes.count) bytes are no \(M.fullName)")
                }
                throw MessageError(
                    .tooLarge, "a \(M.fullName) of \(bytes.count) bytes takes too much memory to unpack")
            }
            defer { protobuf_c_message_free_unpacked(message, &allocator) }
            return message.withMemoryRebound(to: M.C.self, capacity: 1) { M($0.pointee) }
        }
    }
}
