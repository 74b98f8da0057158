import Files
import Synchronization

/// What a plugin's run has told a job, all of it, on disk: whoever asks later is told the same.
public final class JobRecord: Sendable {
    private struct State {
        var events: SpooledRecords?
        /// Of the records of results.
        var resultBytes = 0
    }

    private let state = Mutex(State())

    /// - Returns: where the event lies.
    /// - Throws: ``Files/FileError`` where the disk is full.
    func append(_ event: RunEvent) throws -> RecordRegion {
        try state.withLock { state in
            let events = try state.events ?? SpooledRecords()
            state.events = events
            let bytes = event.record
            switch event {
            case .result, .more: state.resultBytes += bytes.count
            default: break
            }
            return try events.append(0, bytes)
        }
    }

    /// The event that lies there.
    static func event(at place: RecordRegion) throws -> RunEvent {
        var reader = RecordRegion.Reader(place)
        guard let record = try reader.next() else {
            throw ServiceError(.dataLoss, "an event of the job is no longer there")
        }
        return try RunEvent(record: record.bytes)
    }

    /// All events so far.
    var events: RecordRegion { state.withLock { $0.events?.region ?? RecordRegion() } }

    /// Bytes that its results take, as they lie here.
    var resultBytes: Int { state.withLock { $0.resultBytes } }
}
