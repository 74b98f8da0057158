import Foundation
import Synchronization
import Testing
import Whisper

@testable import Daemon

@Suite("The job store", .timeLimit(.minutes(2))) struct JobStoreTests {
    private struct Odd: Error {}

    private let done = JobResult.transcript(
        Transcript(
            file: "a.wav", duration: 1, transcription: Transcription(text: "hello", language: "en", segments: [])))

    /// Lets a job end when the test wants it to.
    private final class Brake: Sendable {
        private let stream = AsyncStream<Void>.makeStream()
        func open() { stream.continuation.finish() }
        func wait() async throws {
            for await _ in stream.stream {}
            try Task.checkCancellation()
        }
    }

    private func end(of id: String, in store: JobStore) async throws -> JobSnapshot {
        for await _ in try store.events(of: id) {}
        return try store.get(id)
    }

    private func text(_ event: JobEvent) -> String {
        switch event {
        case .state(let snapshot): snapshot.state.rawValue
        case .progress(let progress): "\(Int(progress.done))/\(Int(progress.total))"
        case .segment(let segment): segment.text
        case .plugin: "plugin"
        }
    }

    private func segment(_ text: String) -> Segment {
        Segment(
            id: 0, seek: 0, start: 0, end: 1, text: text, tokens: [], temperature: 0, avgLogprob: 0,
            compressionRatio: 1, noSpeechProb: nil)
    }

    @Test("a job's events are numbered from 1, from its first state to its last, and its result is kept")
    func course() async throws {
        let store = JobStore()
        let (done, segment) = (done, segment("hi"))
        let brake = Brake()
        let started = try store.start(label: "mine", kind: "transcribe") { reporter in
            try await brake.wait()
            reporter.progress(WorkProgress(done: 1, total: 2, unit: "seconds"))
            reporter.segment(segment)
            return done
        }
        #expect(started.state == .queued && started.lastSeq == 1 && started.started == nil)
        let early = #expect(throws: ServiceError.self) { try store.result(started.id) }
        #expect(early?.code == .failedPrecondition)
        brake.open()
        var seen: [String] = []
        for await record in try store.events(of: started.id) {
            seen.append("\(record.seq) \(text(record.event))")
            #expect(record.dropped == 0)
        }
        #expect(seen == ["1 queued", "2 running", "3 1/2", "4 hi", "5 succeeded"])
        let snapshot = try store.get(started.id)
        #expect(snapshot.lastSeq == 5 && snapshot.label == "mine" && snapshot.progress?.done == 1)
        #expect(snapshot.ended != nil && snapshot.error == nil && store.unfinished == 0)
        guard case .transcript(let transcript) = try store.result(started.id) else {
            Issue.record("another kind of result")
            return
        }
        #expect(transcript.transcription.text == "hello")
    }

    @Test("a job that throws has failed, and its result is its error")
    func failure() async throws {
        let store = JobStore()
        let id = try store.start(label: "", kind: "trace") { _ in throw Odd() }.id
        #expect(try await end(of: id, in: store).state == .failed)
        #expect(throws: Odd.self) { try store.result(id) }
    }

    @Test("a job that is cancelled ends as cancelled, and cancelling it again is no error")
    func cancel() async throws {
        let store = JobStore()
        let brake = Brake()
        let done = done
        let id = try store.start(label: "", kind: "trace") { _ in
            try await brake.wait()
            return done
        }.id
        _ = try store.cancel(id)
        let snapshot = try await end(of: id, in: store)
        #expect(snapshot.state == .cancelled && snapshot.error != nil)
        #expect(try store.cancel(id).state == .cancelled)
        #expect(throws: CancellationError.self) { try store.result(id) }
    }

    @Test("watchers see the same events each at their own pace, from wherever they begin")
    func watchers() async throws {
        let store = JobStore()
        let done = done
        let brake = Brake()
        let id = try store.start(label: "", kind: "trace") { reporter in
            for index in 1...50 { reporter.progress(WorkProgress(done: Double(index), total: 100, unit: "windows")) }
            try await brake.wait()
            for index in 51...100 { reporter.progress(WorkProgress(done: Double(index), total: 100, unit: "windows")) }
            return done
        }.id
        var held = try store.events(of: id).makeAsyncIterator()
        #expect(await held.next()?.seq == 1)
        let sums = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for start: UInt64 in [0, 10, 52, 60, 1000, .max] {
                group.addTask {
                    var seen: [UInt64] = []
                    for await record in try store.events(of: id, after: start) { seen.append(record.seq) }
                    return seen
                }
            }
            brake.open()
            return try await group.reduce(into: [Int: [UInt64]]()) { $0[$1.count] = $1 }
        }
        // 1 queued, 2 running, 3 … 102 progress, 103 the end.
        #expect(Set(sums.keys) == [103, 93, 51, 43, 0])
        for (count, seen) in sums where count > 0 { #expect(seen == Array((104 - UInt64(count))...103)) }
        // One who did not look until after the end still gets it all.
        var rest: [UInt64] = []
        while let record = await held.next() { rest.append(record.seq) }
        #expect(rest == Array(2...103))
    }

    @Test("only the newest events are kept, and the first that is left says how many were not")
    func dropped() async throws {
        let store = JobStore(eventLimit: 10)
        let done = done
        let id = try store.start(label: "", kind: "trace") { reporter in
            for index in 1...95 { reporter.progress(WorkProgress(done: Double(index), total: 0, unit: "windows")) }
            return done
        }.id
        _ = try await end(of: id, in: store)
        func records(after seq: UInt64) async throws -> [JobEventRecord] {
            var records: [JobEventRecord] = []
            for await record in try store.events(of: id, after: seq) { records.append(record) }
            return records
        }
        let all = try await records(after: 0)
        #expect(all.map(\.seq) == Array(89...98))
        #expect(all.map(\.dropped) == [88] + Array(repeating: 0, count: 9))
        #expect(all.map { text($0.event) }.suffix(2) == ["95/0", "succeeded"])
        #expect(try await records(after: 80).first?.dropped == 8)
        #expect(try await records(after: 97).map(\.seq) == [98])
        #expect(try await records(after: 98).isEmpty)
    }

    @Test("too many unfinished jobs are refused, and there is room again when one ends")
    func limit() async throws {
        let store = JobStore(unfinishedLimit: 2)
        let done = done
        let brake = Brake()
        let first = try store.start(label: "", kind: "trace") { _ in
            try await brake.wait()
            return done
        }.id
        _ = try store.start(label: "", kind: "trace") { _ in
            try await Task.sleep(for: .seconds(3600))
            return done
        }
        let error = #expect(throws: ServiceError.self) { try store.start(label: "", kind: "trace") { _ in done } }
        #expect(error?.code == .resourceExhausted)
        brake.open()
        _ = try await end(of: first, in: store)
        let third = try store.start(label: "", kind: "trace") { _ in done }.id
        _ = try await end(of: third, in: store)
        await store.drain(until: .now)
        #expect(store.unfinished == 0)
    }

    @Test("jobs that ended go when enough newer ones have ended, and those that run stay")
    func keeping() async throws {
        let store = JobStore(endedLimit: 3)
        let done = done
        let brake = Brake()
        let running = try store.start(label: "", kind: "trace") { _ in
            try await brake.wait()
            return done
        }.id
        var ids: [String] = []
        for _ in 0..<5 {
            ids.append(try store.start(label: "", kind: "trace") { _ in done }.id)
            if let id = ids.last { _ = try await end(of: id, in: store) }
        }
        #expect(store.list().map(\.id) == [running] + ids.suffix(3))
        let error = #expect(throws: ServiceError.self) { try store.get(ids[0]) }
        #expect(error?.code == .notFound)
        brake.open()
        _ = try await end(of: running, in: store)
        #expect(store.list().map(\.id) == [running] + ids.suffix(2))
    }

    @Test("a job can be forgotten when it has ended, and not before")
    func forget() async throws {
        let store = JobStore()
        let done = done
        let brake = Brake()
        let id = try store.start(label: "", kind: "trace") { _ in
            try await brake.wait()
            return done
        }.id
        #expect(throws: ServiceError.self) { try store.forget(id) }
        var watcher = try store.events(of: id).makeAsyncIterator()
        brake.open()
        _ = try await end(of: id, in: store)
        try store.forget(id)
        #expect(store.list().isEmpty)
        for attempt in [{ try store.forget(id) }, { _ = try store.result(id) }, { _ = try store.cancel(id) }] {
            let error = #expect(throws: ServiceError.self) { try attempt() }
            #expect(error?.code == .notFound)
        }
        var last: JobEventRecord?
        while let record = await watcher.next() { last = record }
        #expect(last.map { text($0.event) } == "succeeded")
    }

    @Test("a watcher that is cancelled stops, and the job goes on")
    func cancelledWatcher() async throws {
        let store = JobStore()
        let done = done
        let brake = Brake()
        let id = try store.start(label: "", kind: "trace") { _ in
            try await brake.wait()
            return done
        }.id
        let watcher = Task {
            var count = 0
            for await _ in try store.events(of: id) { count += 1 }
            return count
        }
        watcher.cancel()
        #expect(try await watcher.value <= 1)
        #expect(try store.get(id).state == .queued)
        brake.open()
        #expect(try await end(of: id, in: store).state == .succeeded)
    }

    @Test("a job waits in the engine's queue like any call, and cancelling it takes it out")
    func queued() async throws {
        let store = JobStore()
        let queue = InferenceQueue()
        let done = done
        let work: @Sendable (JobReporter) async throws -> JobResult = { reporter in
            try await queue.run(client: ClientID(1)) { turn in
                reporter.began()
                while !turn.isCancelled { usleep(1000) }
                try turn.checkpoint()
                return done
            }
        }
        let first = try store.start(label: "", kind: "trace", work: work).id
        while queue.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let second = try store.start(label: "", kind: "trace", work: work).id
        while queue.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try store.get(second).state == .queued)
        _ = try store.cancel(second)
        let snapshot = try await end(of: second, in: store)
        #expect(snapshot.state == .cancelled && snapshot.started == nil)
        _ = try store.cancel(first)
        #expect(try await end(of: first, in: store).state == .cancelled)
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    @Test("draining takes no new jobs, waits for those there are, and cancels what is not done in time")
    func drain() async throws {
        let store = JobStore()
        let done = done
        let quick = try store.start(label: "", kind: "trace") { _ in done }.id
        let slow = try store.start(label: "", kind: "trace") { _ in
            try await Task.sleep(for: .seconds(3600))
            return done
        }.id
        _ = try await end(of: quick, in: store)
        await store.drain(until: .now + .milliseconds(20))
        #expect(try store.get(quick).state == .succeeded)
        #expect(try store.get(slow).state == .cancelled)
        let error = #expect(throws: ServiceError.self) { try store.start(label: "", kind: "trace") { _ in done } }
        #expect(error?.code == .unavailable)
    }
}
