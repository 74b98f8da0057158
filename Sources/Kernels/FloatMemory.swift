import Foundation
import Synchronization

/// Memory for floats, 64-byte aligned, kept for reuse when it is given back.
///
/// A pass makes and drops the same few sizes again and again; fresh pages for each would cost more than many of the
/// operations. What is kept is bounded, and can be given back to the system.
public enum FloatMemory {
    /// The most that is kept, in bytes: a sixty-fourth of the machine's memory, but 96 MiB at least and 384 at most. The patterns of tiny's
    /// four blocks are 216 MB, and making their pages anew in every pass costs more than writing them.
    public static let limit = min(max(96 << 20, Int(ProcessInfo.processInfo.physicalMemory / 64)), 384 << 20)
    /// From this size on memory is asked for in huge pages, which are far fewer to make: 1500 × 1500 patterns of six heads are 54 MB.
    private static let hugeSize = 4 << 20

    private struct Kept {
        var bySize: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
    }

    private static let kept = Mutex(UncheckedKept())
    /// Sendable: reached under the lock alone.
    private struct UncheckedKept: @unchecked Sendable { var value = Kept() }

    /// Room for `count` floats, whose values are whatever they were.
    static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let size = roundedSize(count)
        let reused: UnsafeMutableRawPointer? = kept.withLock { kept in
            guard let memory = kept.value.bySize[size]?.popLast() else { return nil }
            kept.value.bytes -= size
            return memory
        }
        let memory = reused ?? fresh(size)
        return memory.bindMemory(to: Float.self, capacity: count)
    }

    /// Memory of `size` bytes that is not kept when it is given back, by `deallocate()`: for a model's weights.
    static func fresh(_ size: Int) -> UnsafeMutableRawPointer {
        guard size >= hugeSize else { return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 2 << 20)
        #if os(Linux)
            madvise(memory, size, Int32(MADV_HUGEPAGE))
        #endif
        return memory
    }

    /// Gives back what ``take(_:)`` gave for the same count.
    static func give(_ memory: UnsafeMutablePointer<Float>, _ count: Int) {
        let (memory, size) = (UnsafeMutableRawPointer(memory), roundedSize(count))
        let isKept = kept.withLock { kept in
            guard kept.value.bytes + size <= limit else { return false }
            kept.value.bySize[size, default: []].append(memory)
            kept.value.bytes += size
            return true
        }
        if !isKept { memory.deallocate() }
    }

    /// Gives what is kept back to the system's allocator, such as when nothing has run for a while.
    public static func trim() {
        let all = kept.withLock { kept in
            defer { kept.value = Kept() }
            return kept.value.bySize
        }
        for memory in all.values.joined() { memory.deallocate() }
    }

    /// Runs `body` with room for `count` floats that nobody else has meanwhile.
    public static func withScratch<R>(
        _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> R
    ) rethrows -> R {
        let memory = take(count)
        defer { give(memory, count) }
        return try body(memory)
    }

    /// Bytes for `count` floats, rounded up to an eighth of a power of two, so that near sizes share memory.
    private static func roundedSize(_ count: Int) -> Int {
        let bytes = max(count, 1) * 4
        let step = max(64, (1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) / 8)
        return (bytes + step - 1) / step * step
    }
}
