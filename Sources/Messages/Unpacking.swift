import CProtos
import Foundation

/// protobuf-c's unpacking with a bound on the memory that it may take.
package enum Unpacking {
    /// What may be allocated for one message, and what was.
    package struct Memory {
        /// Bytes that may still be taken. What is given back is not counted in again: nothing is, before the message is.
        package var left: Int
        /// Whether an allocation was refused.
        package var hasRefused = false
        /// Allocations that were not freed.
        package var live = 0

        package init(budget: Int) { left = budget }
    }

    /// What a message of `size` bytes may take while it is unpacked: 16 times its size, and at least 64 KiB.
    ///
    /// Without a bound a field of two unknown bytes costs about 90 bytes of heap, so that 4 MiB can cost 190 MB.
    package static func budget(forSize size: Int) -> Int { max(64 << 10, size * 16) }

    /// - Parameter bytes: checked by ``MessageCheck``.
    package static func unpack<M: ProtoMessage>(
        _ bytes: UnsafeRawBufferPointer, as: M.Type, memory: inout Memory
    ) throws -> M {
        try withUnsafeMutablePointer(to: &memory) { memory in
            var allocator = ProtobufCAllocator(
                alloc: { memory, size in
                    guard let memory = memory?.assumingMemoryBound(to: Memory.self) else { return nil }
                    guard size <= memory.pointee.left, let place = malloc(max(size, 1)) else {
                        memory.pointee.hasRefused = true
                        return nil
                    }
                    memory.pointee.left -= size
                    memory.pointee.live += 1
                    return place
                },
                free: { memory, place in
                    guard let place else { return }
                    memory?.assumingMemoryBound(to: Memory.self).pointee.live -= 1
                    free(place)
                },
                allocator_data: UnsafeMutableRawPointer(memory))
            guard
                let message = protobuf_c_message_unpack(
                    M.descriptor, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            else {
                guard memory.pointee.hasRefused else {
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
