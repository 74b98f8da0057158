import Files
import Messages

/// What a plugin's run tells a job, past and future, and how it ends.
struct JobPluginEvents: AsyncSequence, Sendable {
    let job: Job

    func makeAsyncIterator() -> Iterator { Iterator(job: job) }

    struct Iterator: AsyncIteratorProtocol {
        private let job: Job
        private var read = RecordRegion()
        private var reader = RecordRegion.Reader(RecordRegion())
        private var hasEnded = false

        init(job: Job) { self.job = job }

        /// - Throws: the job's own error, where it failed.
        mutating func next() async throws -> V1.PluginEvent? {
            while !Task.isCancelled, !hasEnded {
                if let record = try reader.next() { return try V1.PluginEvent(serialized: record.bytes) }
                // Asked first: what comes between the two questions is then read the next time.
                let snapshot = job.snapshot
                let events = job.record.events
                if events.byteCount > read.byteCount {
                    (reader, read) = (RecordRegion.Reader(events, after: read), events)
                } else if snapshot.state.isFinal {
                    hasEnded = true
                    guard case .plugin(let end) = try job.result() else { return nil }
                    return V1.PluginEvent(event: .end(end))
                } else {
                    await job.wait(after: snapshot.lastSeq)
                }
            }
            return nil
        }
    }
}
