import CDescriptors
import Files
import Foundation
import Messages

/// Memory without a name that is filled, sealed, and sent to a plugin's process, each part at a multiple of 64 bytes.
///
/// It is written by system calls and never mapped here, so that it can be sealed against all writing, also by
/// mappings that exist already; that is stronger than F_SEAL_FUTURE_WRITE.
struct SealedMemory: ~Copyable {
    private static let alignment = 64
    let descriptor: FileDescriptor
    private(set) var size = 0

    init() throws {
        let number = auscult_memory_create("auscult-plugin", 0)
        guard number >= 0 else { throw Self.failure() }
        descriptor = FileDescriptor(owning: number, path: "memory for a plugin")
    }

    /// - Returns: the offset of `bytes`.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        let offset = (size + Self.alignment - 1) / Self.alignment * Self.alignment
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

    mutating func append(_ tensor: PluginTensor) throws -> HostV1.MappedTensor {
        let expected = try tensor.byteCount
        guard tensor.axes.count <= 8 else {
            throw PluginError(.invalidArgument, "tensor \(tensor.hook): \(tensor.axes.count) axes, at most 8")
        }
        var offset: UInt64 = 0
        var came = 0
        try tensor.withBytes { bytes in
            came = bytes.count
            if bytes.count == expected { offset = try append(bytes) }
        }
        guard came == expected else {
            throw PluginError(
                .invalidArgument, "tensor \(tensor.hook): \(came) bytes for \(tensor.shape), expected \(expected)")
        }
        return HostV1.MappedTensor(
            dtype: tensor.dtype, shape: tensor.shape.map { UInt64($0) }, hook: tensor.hook, axes: tensor.axes,
            firstPosition: Int64(tensor.firstPosition), positionsPerSecond: tensor.positionsPerSecond,
            validPositions: Int64(tensor.validPositions), offset: offset)
    }

    /// No byte of it changes any more.
    func seal() throws {
        guard ftruncate(descriptor.number, off_t(size)) == 0, auscult_memory_seal(descriptor.number) == 0 else {
            throw Self.failure()
        }
    }

    private static func failure() -> PluginError {
        PluginError(.system, "tensors cannot be put into shared memory: \(systemReason())")
    }
}
