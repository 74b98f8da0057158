import Foundation
import Synchronization

/// The most memory that a process and those that it started have had, looked at every few milliseconds.
final class ProcessTree: Sendable {
    /// Bytes of the processes together.
    struct Memory: Sendable {
        /// Of their own: what no file backs.
        var own: UInt64 = 0
        /// With the mapped files that lie in memory, which the system takes back where it needs the room.
        var resident: UInt64 = 0
    }

    private let root: Int32
    private let most = Mutex(Memory())
    private let isOver = Mutex(false)

    /// Begins to look.
    init(of root: Int32) {
        self.root = root
        Thread.detachNewThread { [self] in
            while !isOver.withLock({ $0 }) {
                look()
                usleep(10_000)
            }
        }
    }

    /// The most since it began, or since it was asked last.
    func take() -> Memory {
        look()
        return most.withLock { most in
            defer { most = Memory() }
            return most
        }
    }

    func stop() { isOver.withLock { $0 = true } }

    private func look() {
        let now = Self.members(of: root).reduce(into: Memory()) { sum, process in
            let memory = Self.memory(of: process)
            sum.own += memory.own
            sum.resident += memory.resident
        }
        most.withLock { $0 = Memory(own: max($0.own, now.own), resident: max($0.resident, now.resident)) }
    }

    /// The process and all below it.
    private static func members(of root: Int32) -> [Int32] {
        var all = [root]
        var at = 0
        while at < all.count {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(all[at])/task")) ?? []
            for task in tasks {
                let text =
                    (try? String(contentsOfFile: "/proc/\(all[at])/task/\(task)/children", encoding: .utf8)) ?? ""
                all += text.split(separator: " ").compactMap { Int32($0) }
            }
            at += 1
        }
        return all
    }

    /// As the system counts it; nothing of a process that is gone.
    static func memory(of process: Int32) -> Memory {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
            return Memory()
        }
        var memory = Memory()
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count >= 2, let kilobytes = UInt64(fields[1]) else { continue }
            if fields[0] == "RssAnon:" { memory.own = kilobytes << 10 }
            if fields[0] == "VmRSS:" { memory.resident = kilobytes << 10 }
        }
        return memory
    }
}
