import Foundation
import Testing

@testable import Daemon

@Suite("The watch over calls") struct EngineWatchTests {
    private let queue = InferenceQueue()

    @Test("tells of a call that has the engine and comes to no checkpoint, once, and again at twice the time")
    func standsStill() {
        let watch = EngineWatch(patience: .seconds(60))
        watch.saw(queue.turn(client: ClientID(7), deadline: nil))
        let now = ContinuousClock.now
        #expect(watch.reports(now: now + .seconds(50)).isEmpty)
        let report = watch.reports(now: now + .seconds(61))
        #expect(report.count == 1)
        #expect(report.first?.contains("client 7 makes no progress") == true, "\(report)")
        #expect(watch.reports(now: now + .seconds(70)).isEmpty)
        #expect(watch.reports(now: now + .seconds(125)).count == 1)
        #expect(watch.reports(now: now + .seconds(130)).isEmpty)
    }

    @Test("says nothing of calls that get on, wait for others, or have ended")
    func getsOn() {
        let watch = EngineWatch(patience: .seconds(60))
        let turn = queue.turn(client: ClientID(1), deadline: nil)
        watch.saw(turn)
        watch.left(turn)
        #expect(watch.reports(now: .now + .seconds(600)).isEmpty)
    }

    @Test("sees a call that computes, and none of those that are through")
    func queued() async throws {
        let queue = queue
        let seen = try await queue.run(client: ClientID(3)) { turn in
            let computing = queue.watch.reports(now: .now + .seconds(61))
            let waiting = try turn.suspended { queue.watch.reports(now: .now + .seconds(600)) }
            try turn.checkpoint()
            return (
                computing.count, waiting.count, queue.watch.reports(now: .now + .seconds(61)).count, queue.unfinished
            )
        }
        #expect(seen == (1, 0, 1, 1))
        #expect(queue.watch.reports(now: .now + .seconds(600)).isEmpty)
        #expect(queue.unfinished == 0)
    }
}

@Suite("What the system bounds") struct SystemBoundsTests {
    @Test("Address space in use is what the system says, and left is what the bound leaves")
    func addressSpace() throws {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmSize:") })
        let kilobytes = try #require(Int(line.split(whereSeparator: { !$0.isNumber }).first ?? ""))
        // Other tests map and unmap meanwhile.
        #expect(abs(MemoryHeadroom.used - kilobytes << 10) < 4 << 30)
        #expect(MemoryHeadroom.left(of: MemoryHeadroom.used / 2) == 0)
    }

    @Test("Files that may be open are as many as connections may come to need, or it is said how many there are")
    func descriptors() {
        #expect(DescriptorLimit.raise(connections: 1) == nil)
        let warning = DescriptorLimit.raise(connections: 1 << 40)
        #expect(warning?.contains("files may be open (ulimit -n)") == true)
    }
}
