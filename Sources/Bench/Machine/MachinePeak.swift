import CMachinePeak
import Dispatch
import Foundation

/// What the machine's cores can do at best, measured: float32 fused multiply-adds, and reading memory.
public final class MachinePeak {
    /// The instructions that the loops use.
    public static var instructions: String { String(cString: machine_peak_instructions()) }

    public let threads: Int
    /// Float32 operations a second; a fused multiply-add is two.
    public private(set) var operations: [Double] = []
    /// Bytes a second.
    public private(set) var bytes: [Double] = []
    /// Larger than any cache, together.
    private let memory: UnsafeBufferPointer<Float>
    private let loops: UInt64

    public init(threads: Int) {
        self.threads = max(1, threads)
        let count = (256 << 20) / MemoryLayout<Float>.size
        let place = machine_peak_memory(UInt64(count))
        memory = UnsafeBufferPointer(start: place, count: place == nil ? 0 : count)
        // About 20 ms on any core.
        let trial: UInt64 = 200_000
        let time = seconds { _ = machine_peak_multiply_add(trial) }
        loops = UInt64(Double(trial) * 0.02 / max(time, 1e-6))
    }

    deinit { machine_peak_release(UnsafeMutablePointer(mutating: memory.baseAddress), UInt64(memory.count)) }

    /// One more sample of both, the best of three bursts of each, since a peak is what is looked for; 100 to 150 ms.
    public func sample() {
        let counts = Counts(loops: loops, memory: memory, threads: threads)
        let bursts = 0..<3
        let work = bursts.map { _ in seconds { Self.concurrently(threads) { _ in counts.multiplyAdd() } } }
        operations.append(Double(counts.multiplyAdd(dry: true)) * Double(threads) / (work.min() ?? .infinity))
        let reading = bursts.map { _ in seconds { Self.concurrently(threads) { counts.read($0) } } }
        bytes.append(Double(memory.count * MemoryLayout<Float>.size) / (reading.min() ?? .infinity))
    }

    public var rows: [Measurement] {
        let count = threads == 1 ? "1 thread" : "\(threads) threads"
        return [
            Measurement(
                name: "machine: float32 multiply-adds, \(count)", unit: "GFLOP/s", note: Self.instructions,
                samples: operations.map { $0 / 1e9 }),
            Measurement(
                name: "machine: reading memory, \(count)", unit: "GB/s", samples: bytes.map { $0 / 1e9 }),
        ]
    }

    /// Seconds that the work takes at least, at the medians of what was measured.
    public func leastSeconds(_ limit: Limit) -> Double {
        switch limit {
        case .operations(let count): count / Statistics.median(of: operations)
        case .bytes(let count): count / Statistics.median(of: bytes)
        }
    }

    /// What a piece of work cannot do without.
    public enum Limit: Sendable {
        /// Float32 operations, two to a multiply-add.
        case operations(Double)
        /// Bytes that have to come from memory.
        case bytes(Double)
    }

    private static func concurrently(_ threads: Int, _ body: @Sendable (Int) -> Void) {
        if threads == 1 { body(0) } else { DispatchQueue.concurrentPerform(iterations: threads, execute: body) }
    }

    /// Each thread has a part of the memory to itself, and only reads.
    private struct Counts: @unchecked Sendable {
        let loops: UInt64
        let memory: UnsafeBufferPointer<Float>
        let threads: Int

        @discardableResult
        func multiplyAdd(dry: Bool = false) -> UInt64 {
            // What a loop does is proportional to its rounds.
            dry ? machine_peak_multiply_add(1) * loops : machine_peak_multiply_add(loops)
        }

        func read(_ part: Int) {
            let size = memory.count / threads
            guard let base = memory.baseAddress else { return }
            _ = machine_peak_read(base + part * size, UInt64(size))
        }
    }
}
