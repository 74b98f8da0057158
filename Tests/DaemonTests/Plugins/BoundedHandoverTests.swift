import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite("A bounded hand-over between two threads", .timeLimit(.minutes(5))) struct BoundedHandoverTests {
    private struct Mishap: Error, Equatable { var number = 0 }

    /// Runs `body` on a thread of its own, which is waited for when the group is.
    private func onThread(_ group: DispatchGroup, _ body: @escaping @Sendable () -> Void) throws {
        group.enter()
        try EngineThread.start {
            body()
            group.leave()
        }
    }

    @Test(
        "elements come in order, and never are there more than its capacity, the taker's own included",
        arguments: [1, 2, 3])
    func order(capacity: Int) throws {
        let handover = BoundedHandover<Int>(capacity: capacity)
        let group = DispatchGroup()
        let made = Atomic(0)
        try onThread(group) {
            handover.finish(
                Result {
                    for number in 0..<500 {
                        _ = try handover.put {
                            made.store(number + 1, ordering: .sequentiallyConsistent)
                            return number
                        }
                    }
                })
        }
        var taken: [Int] = []
        var most = 0
        while let number = try handover.take() {
            // What was taken before this is done with.
            most = max(most, made.load(ordering: .sequentiallyConsistent) - taken.count)
            taken.append(number)
            if number % 50 == 0 { usleep(2000) }
            most = max(most, made.load(ordering: .sequentiallyConsistent) - taken.count + 1)
        }
        group.wait()
        #expect(taken == Array(0..<500))
        #expect(most <= capacity)
    }

    @Test("the maker's error comes after all that it made before, and again to whoever asks again")
    func failure() throws {
        let handover = BoundedHandover<Int>(capacity: 4)
        for number in 0..<3 { #expect(try handover.put { number }) }
        handover.finish(.failure(Mishap(number: 7)))
        handover.finish()
        for number in 0..<3 { #expect(try handover.take() == number) }
        #expect(throws: Mishap(number: 7)) { try handover.take() }
        #expect(throws: Mishap(number: 7)) { try handover.take() }
    }

    @Test("what cannot be made is the maker's own matter, and leaves room")
    func making() throws {
        let handover = BoundedHandover<Int>(capacity: 1)
        #expect(throws: Mishap.self) { try handover.put { throw Mishap() } }
        #expect(try handover.put { 5 })
        handover.finish()
        #expect(try handover.take() == 5)
        #expect(try handover.take() == nil)
    }

    @Test("closing wakes a maker that waits for room, makes nothing more, and keeps nothing")
    func closing() throws {
        final class Kept: Sendable {}
        let handover = BoundedHandover<Kept>(capacity: 1)
        weak var kept: Kept?
        func putOne() throws {
            let element = Kept()
            kept = element
            #expect(try handover.put { element })
        }
        try putOne()
        #expect(kept != nil)
        let group = DispatchGroup()
        let answers = Mutex<[Bool]>([])
        try onThread(group) {
            let isThere = try? handover.put {
                Issue.record("it was made for nobody")
                return Kept()
            }
            answers.withLock { $0.append(isThere ?? true) }
        }
        handover.close()
        group.wait()
        #expect(answers.withLock { $0 } == [false])
        #expect(kept == nil)
        #expect(!handover.drain())
        #expect(try handover.take() == nil)
    }

    @Test("draining waits until the taker is through with the last")
    func draining() throws {
        let handover = BoundedHandover<Int>(capacity: 3)
        let group = DispatchGroup()
        let done = Atomic(0)
        let seen = Mutex<[Int]>([])
        try onThread(group) {
            for number in 0..<3 { _ = try? handover.put { number } }
            let isThere = handover.drain()
            seen.withLock { $0 = [isThere ? 1 : 0, done.load(ordering: .sequentiallyConsistent)] }
            handover.finish()
        }
        while try handover.take() != nil { done.wrappingAdd(1, ordering: .sequentiallyConsistent) }
        group.wait()
        #expect(seen.withLock { $0 } == [1, 3])
    }
}
