import Files
import Messages
import Synchronization

/// What a plugin's run has told a job, all of it, on disk: whoever asks later is told the same.
public final class JobRecord: Sendable {
    private struct State {
        var events: SpooledRecords?
        /// Bytes of results, and the events but results, which are few.
        var resultBytes = 0
        var results = V1.PluginResults()
    }

    private let state = Mutex(State())

    /// - Returns: where the event lies.
    /// - Throws: ``Files/FileError`` where the disk is full.
    func append(_ event: V1.PluginEvent.Event) throws -> RecordRegion {
        try state.withLock { state in
            let events = try state.events ?? SpooledRecords()
            state.events = events
            let bytes = V1.PluginEvent(event: event).serialized()
            switch event {
            case .description(let description): state.results.description = description
            case .provenance(let provenance): state.results.provenance = provenance
            case .skipped(let skipped): state.results.skipped.append(skipped)
            case .notice(let notice): state.results.notices.append(notice)
            case .result, .chunk: state.resultBytes += bytes.count
            default: break
            }
            return try events.append(0, bytes)
        }
    }

    /// The event that lies there.
    static func event(at place: RecordRegion) throws -> V1.PluginEvent {
        var reader = RecordRegion.Reader(place)
        guard let record = try reader.next() else { return V1.PluginEvent() }
        return try V1.PluginEvent(serialized: record.bytes)
    }

    /// All events so far.
    var events: RecordRegion { state.withLock { $0.events?.region ?? RecordRegion() } }

    /// Everything in one message.
    /// - Throws: ``ServiceError`` (`resourceExhausted`) where it is too much for one.
    func results(_ end: V1.PluginEnd) throws -> V1.PluginResults {
        var (results, bytes) = state.withLock { ($0.results, $0.resultBytes) }
        guard bytes <= Self.mostBytes else {
            throw ServiceError(
                .resourceExhausted,
                "the results have \(bytes) bytes, and at most \(Self.mostBytes) go into one answer; Job/Results streams them"
            )
        }
        var assembly = ResultAssembly()
        try events.forEach { _, bytes in
            guard let event = try V1.PluginEvent(serialized: bytes).event else { return }
            if let result = try assembly.take(event) { results.results.append(result) }
        }
        results.end = end
        return results
    }

    /// Of a message, which has 4 MiB at most.
    private static let mostBytes = 2 << 20
}
