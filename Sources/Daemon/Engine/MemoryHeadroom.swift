import CDescriptors
import Foundation
import Kernels

/// What is left of the address space that the process may have (`ulimit -v`), where it is bounded.
///
/// Swift ends the process where an allocation fails, so a call is ended before one can: where little is left, it is told so while the
/// daemon still has enough to go on.
enum MemoryHeadroom {
    /// Kept for what a window's pass takes between two checkpoints, and for everything around it.
    static let reserve = 128 << 20

    /// - Parameter needed: bytes that are about to be asked for, beside the reserve.
    /// - Throws: ``ServiceError`` (`resourceExhausted`).
    static func check(needed: Int = 0) throws {
        guard let limit, left(of: limit) < reserve + needed else { return }
        // What is kept for the next pass is no use to this one.
        FloatMemory.trim()
        auscult_memory_trim()
        let left = left(of: limit)
        guard left < reserve + needed else { return }
        throw ServiceError(
            .resourceExhausted,
            "there is too little memory: \(left >> 20) MiB are left of the \(limit >> 20) MiB of address space that this "
                + "process may have, and \((reserve + needed) >> 20) MiB are needed; ulimit -v sets the bound")
    }

    /// The bound; nil where there is none.
    static var limit: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return nil
        }
        return Int(clamping: limit.rlim_cur)
    }

    static func left(of limit: Int) -> Int { max(0, limit - used) }

    /// Address space in use, in bytes. Asks without allocating.
    static var used: Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
            let count = read(file, buffer.baseAddress, buffer.count)
            guard count > 0 else { return 0 }
            // The first number: pages.
            let pages = buffer[..<count].prefix { (48...57).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 48 }
            return pages * Int(getpagesize())
        }
    }
}
