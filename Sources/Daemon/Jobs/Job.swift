import Files
import Foundation
import Synchronization

/// One job: its state, its newest events, and those who wait for the next.
final class Job: Sendable {
    let id: String
    /// Of a plugin's run; empty where the job is none.
    let record = JobRecord()
    private let eventLimit: Int
    private let contents: Mutex<Contents>

    private struct Contents {
        var snapshot: JobSnapshot
        /// Event number n lies at (n − 1) modulo the limit.
        var events: [JobEvent] = []
        var result: JobResult?
        var task: Task<Void, Never>?
        var isCancelled = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    init(id: String, label: String, kind: String, eventLimit: Int) {
        self.id = id
        self.eventLimit = max(1, eventLimit)
        contents = Mutex(Contents(snapshot: JobSnapshot(id: id, label: label, kind: kind, created: Date())))
        change { _ in .state }
    }

    var snapshot: JobSnapshot { contents.withLock { $0.snapshot } }

    /// - Throws: ``ServiceError`` (`failedPrecondition`) before its end; what the job threw.
    func result() throws -> JobResult {
        let (snapshot, result) = contents.withLock { ($0.snapshot, $0.result) }
        if let result { return result }
        if let error = snapshot.error { throw error }
        throw ServiceError(.failedPrecondition, "the job \(id) has no result yet: it is \(snapshot.state.rawValue)")
    }

    // MARK: - Its course

    /// The task that does the work, to be cancelled.
    func attach(_ task: Task<Void, Never>) {
        let isCancelled = contents.withLock { contents in
            if !contents.snapshot.state.isFinal { contents.task = task }
            return contents.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let task = contents.withLock { contents in
            contents.isCancelled = true
            return contents.task
        }
        task?.cancel()
    }

    func begin() {
        change { snapshot in
            guard snapshot.state == .queued else { return nil }
            snapshot.state = .running
            snapshot.started = Date()
            return .state
        }
    }

    func report(_ event: JobEvent) {
        begin()
        change { snapshot in
            guard snapshot.state == .running else { return nil }
            if case .progress(let progress) = event { snapshot.progress = progress }
            return .event(event)
        }
    }

    func end(_ outcome: Result<JobResult, any Error>) {
        change(outcome) { snapshot in
            guard !snapshot.state.isFinal else { return nil }
            snapshot.ended = Date()
            switch outcome {
            case .success: snapshot.state = .succeeded
            case .failure(let error):
                snapshot.state = isCancellation(error) ? .cancelled : .failed
                snapshot.error = error
            }
            return .state
        }
    }

    private enum Change {
        case state
        case event(JobEvent)
    }

    /// Changes the snapshot, keeps the event that `body` makes of it, and wakes those who wait.
    private func change(
        _ outcome: Result<JobResult, any Error>? = nil, _ body: (inout JobSnapshot) -> Change?
    ) {
        let waiters = contents.withLock { contents -> [CheckedContinuation<Void, Never>] in
            guard let change = body(&contents.snapshot) else { return [] }
            contents.snapshot.lastSeq += 1
            let event: JobEvent
            switch change {
            case .state: event = .state(contents.snapshot)
            case .event(let other): event = other
            }
            if contents.events.count < eventLimit {
                contents.events.append(event)
            } else {
                contents.events[Int((contents.snapshot.lastSeq - 1) % UInt64(eventLimit))] = event
            }
            if case .success(let result) = outcome { contents.result = result }
            if contents.snapshot.state.isFinal { contents.task = nil }
            defer { contents.waiters = [:] }
            return Array(contents.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: - Watching

    enum Reading {
        case record(JobEventRecord)
        case nothingYet
        case end
    }

    /// The first event after number `seq` that is kept.
    func event(after seq: UInt64) -> Reading {
        contents.withLock { contents in
            let last = contents.snapshot.lastSeq
            guard seq < last else { return contents.snapshot.state.isFinal ? .end : .nothingYet }
            let oldest = last - UInt64(contents.events.count) + 1
            let next = max(seq + 1, oldest)
            let event = contents.events[Int((next - 1) % UInt64(eventLimit))]
            return .record(JobEventRecord(seq: next, dropped: next - (seq + 1), event: event))
        }
    }

    /// Returns when there is an event after number `seq`, the job has ended, or the task is cancelled.
    func wait(after seq: UInt64) async {
        let id = contents.withLock { contents in
            contents.nextWaiter += 1
            return contents.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = contents.withLock { contents in
                    // Under the lock: a cancellation either is seen here or finds the waiter.
                    if contents.snapshot.lastSeq > seq || contents.snapshot.state.isFinal || Task.isCancelled {
                        return true
                    }
                    contents.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            contents.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// Returns when the job has ended, or the task is cancelled.
    func waitForEnd() async {
        while !Task.isCancelled {
            let snapshot = snapshot
            if snapshot.state.isFinal { return }
            await wait(after: snapshot.lastSeq)
        }
    }
}

/// Whether an error says that work was stopped on request, in whatever layer.
func isCancellation(_ error: any Error) -> Bool {
    error is CancellationError || (error as? any CodedError)?.code == .cancelled
}
