import CDescriptors
import Files
import Foundation

/// Memory without a name that windows are put into, one after the other: from the second on its pages are there. Making and
/// freeing pages for each window, on both sides, takes several times as long as copying into them.
///
/// This process alone can write, through a mapping that is older than the seals; the plugin's process can only map it for
/// reading. It reads while process() runs, and between two calls the memory is filled anew.
final class WindowMemory: PluginMemory {
    /// What is larger is given back after each window.
    static let largest = 256 << 20

    let descriptor: FileDescriptor
    let capacity: Int
    private(set) var size = 0
    /// Whether the other side has it.
    var isSent = false
    private let base: UnsafeMutableRawPointer

    init(capacity: Int) throws {
        let number = auscult_memory_create("auscult-plugin", capacity)
        guard number >= 0 else { throw SealedMemory.failure() }
        descriptor = FileDescriptor(owning: number, path: "memory for a plugin")
        let place = mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
        guard let place, place != MAP_FAILED else { throw SealedMemory.failure() }
        base = place
        self.capacity = capacity
        guard auscult_memory_seal_future(number) == 0 else { throw SealedMemory.failure() }
    }

    deinit { munmap(base, capacity) }

    /// Forgets what is in it.
    func clear() { size = 0 }

    func append(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        let offset = PluginMemoryLayout.aligned(size)
        guard bytes.count <= capacity - offset else {
            throw PluginError(
                .system, "memory of \(capacity) bytes has no room for \(bytes.count) bytes behind \(offset)")
        }
        UnsafeMutableRawBufferPointer(start: base + offset, count: bytes.count).copyMemory(from: bytes)
        size = offset + bytes.count
        return UInt64(offset)
    }
}
