import CDescriptors
import Foundation
import Kernels
import Messages
import Wire

/// Puts the tensors of a trace into memory that a client on this machine can map: each at an offset that 64 divides.
///
/// The memory is sealed before anyone gets it, so neither side can change what the other reads.
final class SharedMemorySink: TraceSink {
    private static let alignment = 64

    private var descriptor: Int32 = -1
    private var size = 0
    private var tensors: [V1.SharedTensor] = []

    deinit { if descriptor >= 0 { close(descriptor) } }

    func begin(windows: Int?) throws {
        descriptor = auscult_memory_create("auscult-trace", 0)
        guard descriptor >= 0 else { throw failure() }
    }

    func append(_ description: TracedTensor, _ tensor: Tensor) throws {
        let offset = (size + Self.alignment - 1) / Self.alignment * Self.alignment
        try tensor.withUnsafeBufferPointer { elements in
            var rest = UnsafeRawBufferPointer(elements)[...]
            var place = off_t(offset)
            while !rest.isEmpty {
                let source = UnsafeRawBufferPointer(rebasing: rest)
                let written = pwrite(descriptor, source.baseAddress, source.count, place)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw failure() }
                rest = rest.dropFirst(written)
                place += off_t(written)
            }
        }
        size = offset + tensor.count * MemoryLayout<Float>.size
        tensors.append(
            V1.SharedTensor(header: V1.TensorHeader(description, tensor), offset: UInt64(offset)))
    }

    func finish(_ summary: TraceSummary) throws {
        guard ftruncate(descriptor, off_t(size)) == 0, auscult_memory_seal(descriptor) == 0 else { throw failure() }
    }

    /// Leaves the memory for the client to fetch.
    func offer(to handoff: DescriptorHandoff) throws -> V1.SharedMemory {
        let token = handoff.offer(descriptor)
        descriptor = -1
        return V1.SharedMemory(socket: handoff.path, token: token, size: UInt64(size), tensors: tensors)
    }

    private func failure() -> ServiceError {
        let full = [ENOSPC, ENOMEM, EMFILE, ENFILE].contains(errno)
        return ServiceError(
            full ? .resourceExhausted : .inputOutput,
            "the tensors cannot be put into shared memory: \(String(cString: strerror(errno)))")
    }
}
