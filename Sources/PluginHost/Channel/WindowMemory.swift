import CDescriptors
import Files
import Foundation

/// Memory without a name that windows are put into, one after the other: after a while its pages are there. Making and
/// freeing pages for each window, on both sides, takes several times as long as copying into them.
///
/// This process alone can write, through a mapping that is older than the seals; the plugin's process can only map it for
/// reading. It reads a window while process() runs, and after that call its place is filled anew (``WindowPlaces``).
final class WindowMemory: PluginMemory {
    /// Bytes of the largest window; what is larger comes in memory of its own, which is given back after its call.
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
        try write(bytes, at: offset, end: capacity)
        size = offset + bytes.count
        return UInt64(offset)
    }

    /// Copies `bytes` to `offset`; none of them lies at `end` or behind it.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, end: Int) throws {
        guard offset >= 0, end <= capacity, bytes.count <= end - offset else {
            throw PluginError(
                .system, "memory of \(end) bytes has no room for \(bytes.count) bytes behind \(offset)")
        }
        UnsafeMutableRawBufferPointer(start: base + offset, count: bytes.count).copyMemory(from: bytes)
    }
}
