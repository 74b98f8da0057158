import Files

/// What a plugin's run tells a job, past and future, and how it ends.
struct JobPluginEvents: AsyncSequence, Sendable {
    enum Element: Sendable {
        case event(RunEvent)
        /// The last.
        case end(RunEnd)
    }

    let job: Job

    func makeAsyncIterator() -> Iterator { Iterator(job: job) }

    struct Iterator: AsyncIteratorProtocol {
        private let job: Job
        private var read = RecordRegion()
        private var reader = RecordRegion.Reader(RecordRegion())
        private var hasEnded = false

        init(job: Job) { self.job = job }

        /// - Throws: the job's own error, where it failed.
        mutating func next() async throws -> JobPluginEvents.Element? {
            while !Task.isCancelled, !hasEnded {
                if let record = try reader.next() { return .event(try RunEvent(record: record.bytes)) }
                // Asked first: what comes between the two questions is then read the next time.
                let snapshot = job.snapshot
                let events = job.record.events
                if events.byteCount > read.byteCount {
                    (reader, read) = (RecordRegion.Reader(events, after: read), events)
                } else if snapshot.state.isFinal {
                    hasEnded = true
                    guard case .plugin(let end) = try job.result() else { return nil }
                    return .end(end)
                } else {
                    await job.wait(after: snapshot.lastSeq)
                }
            }
            return nil
        }
    }
}
