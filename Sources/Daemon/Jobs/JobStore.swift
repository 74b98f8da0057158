import Foundation
import Synchronization

/// Long work that outlives whoever started it: its state, its newest events and its result.
///
/// What a job computes waits in the engine's queue like every other call; this only keeps account of it. Events and
/// results are kept until a job is forgotten, or until many newer ones have ended.
public final class JobStore: Sendable {
    /// Jobs that have not ended, at most.
    public let unfinishedLimit: Int
    /// Jobs that have ended and are kept.
    public let endedLimit: Int
    /// Events of one job that are kept, the newest.
    public let eventLimit: Int

    private let state = Mutex(State())

    private struct State {
        /// Oldest first.
        var jobs: [Job] = []
        /// In the order of their ends.
        var ended: [String] = []
        var isDraining = false

        var unfinished: Int { jobs.count - ended.count }
    }

    public init(unfinishedLimit: Int = 64, endedLimit: Int = 256, eventLimit: Int = 10_000) {
        self.unfinishedLimit = unfinishedLimit
        self.endedLimit = endedLimit
        self.eventLimit = eventLimit
    }

    /// Jobs that have not ended.
    public var unfinished: Int { state.withLock { $0.unfinished } }

    /// Starts a job, and returns at once.
    /// - Parameters:
    ///   - label: for people.
    ///   - kind: `transcribe`, `trace` or `plugin`.
    ///   - work: what it does, in a task of its own that ``cancel(_:)`` cancels. It should wait in the engine's queue.
    /// - Throws: ``ServiceError``: `resourceExhausted` past ``unfinishedLimit``, `unavailable` while draining.
    public func start(
        label: String, kind: String, work: @escaping @Sendable (JobReporter) async throws -> JobResult
    ) throws -> JobSnapshot {
        let job = try state.withLock { state in
            guard !state.isDraining else {
                throw ServiceError(.unavailable, "the daemon is about to end and takes no new jobs")
            }
            guard state.unfinished < unfinishedLimit else {
                throw ServiceError(
                    .resourceExhausted,
                    "\(state.unfinished) jobs have not ended yet, and \(unfinishedLimit) may; "
                        + "wait for one, or cancel one")
            }
            var id: String
            repeat {
                id = String(UInt64.random(in: .min ... .max), radix: 36)
            } while state.jobs.contains { $0.id == id }
            let job = Job(id: id, label: label, kind: kind, eventLimit: eventLimit)
            state.jobs.append(job)
            return job
        }
        let started = job.snapshot
        job.attach(
            Task.detached { [self] in
                let outcome: Result<JobResult, any Error>
                do { outcome = .success(try await work(JobReporter(job: job))) } catch { outcome = .failure(error) }
                close(job, outcome)
            })
        return started
    }

    private func close(_ job: Job, _ outcome: Result<JobResult, any Error>) {
        let gone = state.withLock { state -> [Job] in
            // Under the lock, so that nobody sees a job that has ended and still counts as unfinished.
            job.end(outcome)
            state.ended.append(job.id)
            let old = Set(state.ended.prefix(max(0, state.ended.count - endedLimit)))
            state.ended.removeFirst(old.count)
            let gone = state.jobs.filter { old.contains($0.id) }
            state.jobs.removeAll { old.contains($0.id) }
            return gone
        }
        withExtendedLifetime(gone) {}
    }

    // MARK: - Looking

    /// - Throws: ``ServiceError`` (`notFound`).
    public func get(_ id: String) throws -> JobSnapshot { try job(id).snapshot }

    /// All jobs that are kept, oldest first.
    public func list() -> [JobSnapshot] { state.withLock { $0.jobs }.map(\.snapshot) }

    /// What a job made.
    /// - Throws: ``ServiceError``: `notFound`, `failedPrecondition` before its end; the job's own error.
    public func result(_ id: String) throws -> JobResult { try job(id).result() }

    /// What its plugin's run has told.
    func record(of id: String) throws -> JobRecord { try job(id).record }

    /// The events of a job from after number `seq`: those of the past that are kept, then those to come, up to the one
    /// that ends it. Everyone who iterates does so at a pace of their own. A cancelled task's iteration ends.
    /// - Throws: ``ServiceError`` (`notFound`).
    func events(of id: String, after seq: UInt64 = 0) throws -> JobEvents {
        JobEvents(job: try job(id), after: seq)
    }

    /// What a plugin's run tells, from its beginning up to its end, at the pace of whoever iterates.
    /// - Throws: ``ServiceError``: `notFound`, `failedPrecondition` for a job that is no plugin's run.
    func pluginEvents(of id: String) throws -> JobPluginEvents {
        let job = try job(id)
        guard job.snapshot.kind == JobSnapshot.pluginKind else {
            throw ServiceError(
                .failedPrecondition,
                "the job \(id) is a \(job.snapshot.kind), and no plugin's run; Job/Result has its result")
        }
        return JobPluginEvents(job: job)
    }

    private func job(_ id: String) throws -> Job {
        guard let job = state.withLock({ $0.jobs.first { $0.id == id } }) else {
            throw ServiceError(.notFound, "no job has the id \(id); it may have been forgotten")
        }
        return job
    }

    // MARK: - Ending

    /// Asks a job to stop; nothing where it has ended.
    /// - Throws: ``ServiceError`` (`notFound`).
    public func cancel(_ id: String) throws -> JobSnapshot {
        let job = try job(id)
        job.cancel()
        return job.snapshot
    }

    /// Drops a job that has ended, with its result. Those who watch it see it to its end.
    /// - Throws: ``ServiceError``: `notFound`, `failedPrecondition` while it runs.
    public func forget(_ id: String) throws {
        let job = try job(id)
        try state.withLock { state in
            guard state.ended.contains(id) else {
                throw ServiceError(
                    .failedPrecondition,
                    "the job \(id) is \(job.snapshot.state.rawValue); it can be forgotten when it has ended")
            }
            state.ended.removeAll { $0 == id }
            state.jobs.removeAll { $0.id == id }
        }
    }

    /// Takes no new jobs and waits for those there are; past `deadline` they are cancelled, and waited for still.
    ///
    /// Returns early where the task is cancelled.
    public func drain(until deadline: ContinuousClock.Instant) async {
        let jobs = state.withLock { state in
            state.isDraining = true
            return state.jobs
        }
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            for job in jobs { job.cancel() }
        }
        for job in jobs { await job.waitForEnd() }
        timer.cancel()
    }
}

/// The events of one job, past and future.
struct JobEvents: AsyncSequence, Sendable {
    let job: Job
    let after: UInt64

    init(job: Job, after: UInt64) {
        self.job = job
        self.after = after
    }

    func makeAsyncIterator() -> Iterator { Iterator(job: job, seq: after) }

    struct Iterator: AsyncIteratorProtocol {
        let job: Job
        /// The number of the last event that was given out.
        var seq: UInt64

        mutating func next() async -> JobEventRecord? {
            while !Task.isCancelled {
                switch job.event(after: seq) {
                case .record(let record):
                    seq = record.seq
                    return record
                case .end: return nil
                case .nothingYet: await job.wait(after: seq)
                }
            }
            return nil
        }
    }
}
