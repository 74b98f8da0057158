@testable import Daemon
import Testing

@Suite("Events of live sound") struct LiveEventsTests {
    private func level(_ number: Int) -> LiveEvent {
        .level(start: Double(number), end: Double(number + 1), rms: 0, peak: 0)
    }

    @Test("a reader that is slow loses the oldest, is told how many, and keeps nobody waiting")
    func slow() async throws {
        let events = LiveEvents(limit: 10)
        events.push((0..<3).map(level))
        #expect(try await events.next()?.seq == 1)
        for number in 3..<30 { events.push([level(number)]) }
        let next = try await events.next()
        #expect(next?.seq == 21 && next?.dropped == 19)
        var rest: [UInt64] = []
        events.finish()
        while let event = try await events.next() {
            #expect(event.dropped == 0)
            rest.append(event.seq)
        }
        #expect(rest == Array(22...30))
    }

    @Test("what waited is read before an error, and a task that is cancelled waits no longer")
    func ends() async throws {
        struct Gone: Error {}
        let events = LiveEvents()
        let reader = Task { try await events.next() }
        reader.cancel()
        await #expect(throws: CancellationError.self) { _ = try await reader.value }
        events.push([level(0)])
        events.finish(Gone())
        // The first end counts.
        events.finish()
        #expect(try await events.next()?.seq == 1)
        await #expect(throws: Gone.self) { _ = try await events.next() }
    }
}
