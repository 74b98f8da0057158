import CDescriptors
import Files
import Foundation
import Messages

/// Memory without a name that is filled, sealed, and sent to a plugin's process, each part at a multiple of 64 bytes.
///
/// It is written by system calls and never mapped here, so that it can be sealed against all writing, also by
/// mappings that exist already; that is stronger than F_SEAL_FUTURE_WRITE.
struct SealedMemory: PluginMemory, ~Copyable {
    let descriptor: FileDescriptor
    private(set) var size = 0

    init() throws {
        let number = auscult_memory_create("auscult-plugin", 0)
        guard number >= 0 else { throw Self.failure() }
        descriptor = FileDescriptor(owning: number, path: "memory for a plugin")
    }

    /// - Returns: the offset of `bytes`.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        let offset = PluginMemoryLayout.aligned(size)
        var rest = bytes[...]
        var place = off_t(offset)
        while !rest.isEmpty {
            let written = pwrite(
                descriptor.number, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, place)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure() }
            rest = rest.dropFirst(written)
            place += off_t(written)
        }
        size = offset + bytes.count
        return UInt64(offset)
    }

    /// No byte of it changes any more.
    func seal() throws {
        guard ftruncate(descriptor.number, off_t(size)) == 0, auscult_memory_seal(descriptor.number) == 0 else {
            throw Self.failure()
        }
    }

    static func failure() -> PluginError {
        PluginError(.system, "tensors cannot be put into shared memory: \(systemReason())")
    }
}
