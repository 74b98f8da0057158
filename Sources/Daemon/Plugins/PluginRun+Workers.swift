import Files
import PluginHost

/// What several workers of one run do: each a part of the recordings, and one of them the whole at the end.
extension PluginRun {
    /// What a part of the recordings gave.
    struct Part: Sendable {
        var state: [UInt8] = []
        var records = RecordRegion()
        var skipped: [SkippedRecording] = []
        var times: (engine: Duration, plugin: Duration) = (.zero, .zero)
    }

    /// Goes through a contiguous part of the recordings, and gives back the state.
    func runPart(_ part: Range<Int>, _ model: LoadedModel, _ turn: EngineTurn) throws -> Part {
        let started = try startPart(model, turn, journal: SpooledRecords())
        defer { started.worker.close() }
        var result = Part()
        try activate(started.worker, model, count: part.count)
        try hear(recordings.recordings[part], started, turn, isPart: true) { _, skipped in
            if let skipped { result.skipped.append(skipped) }
        }
        let state = try started.worker.saved(started.header)
        (result.state, result.records, result.times) = (state.state, state.records, started.times)
        return result
    }

    /// Where several workers go on from: what the checkpoint has, or the beginning.
    func begun(_ model: LoadedModel, _ turn: EngineTurn) throws -> PluginState {
        let started = try startPart(model, turn)
        defer { started.worker.close() }
        guard var saved = try request.checkpoint.flatMap({ try RunCheckpoint(path: $0, intervals).saved() }) else {
            var state = PluginState(header: started.header)
            state.header.skipped = recordings.broken
            return state
        }
        saved.header = try check(saved, against: started.header)
        together.advance(by: saved.header.done)
        return saved
    }

    /// The state before a round and what its workers have, as one.
    func joined(
        _ state: PluginState, _ parts: [Part], done: Int, _ model: LoadedModel, _ turn: EngineTurn
    ) throws -> (PluginState, times: (engine: Duration, plugin: Duration)) {
        let journal = try SpooledRecords()
        let started = try startPart(model, turn, journal: journal)
        defer { started.worker.close() }
        if state.header.done > 0 { try started.worker.call { try $0.merge(state.state) } }
        for part in parts { try started.worker.call { try $0.merge(part.state) } }
        try turn.suspended { for records in [state.records] + parts.map(\.records) { try journal.append(records) } }
        try activate(started.worker, model, count: recordings.recordings.count)
        var header = state.header
        header.done = done
        header.skipped += parts.flatMap(\.skipped)
        return (try started.worker.saved(header), started.times)
    }

    /// Tells what all workers have found, in the order of one, and lets the plugin finish.
    /// - Parameter times: of the workers.
    func finish(
        _ parts: [Part], skipped: [SkippedRecording], _ times: (engine: Duration, plugin: Duration),
        _ model: LoadedModel, _ turn: EngineTurn, since began: ContinuousClock.Instant
    ) throws -> RunEnd {
        let isKept = request.stateFile != nil || request.returnsState
        let journal = isKept ? try SpooledRecords() : nil
        let started = try start(model, turn, journal: journal) { try output.tell($0) }
        defer { started.worker.close() }
        try begin(started, turn)
        var state = PluginState(header: started.header)
        state.header.done = state.header.recordings
        state.header.skipped = skipped
        for skipped in skipped { try output.tell(.skipped(skipped), turn) }
        for part in parts { try output.tell(PluginState(header: state.header, records: part.records), turn) }
        for part in parts { try started.worker.call { try $0.merge(part.state) } }
        try activate(started.worker, model, count: recordings.recordings.count)
        if isKept {
            for part in parts { try started.worker.restore(part.records) }
            state = try started.worker.saved(state.header)
            if let path = request.stateFile {
                let complete = state
                try turn.suspended { try complete.write(to: path) }
            }
        }
        try started.worker.call { try $0.finish() }
        if request.returnsState { try output.send(state, turn) }
        let all = (times.engine + started.times.engine, times.plugin + started.times.plugin)
        return RunEnd(state.header, output.results, all, since: began)
    }

    /// Of a worker whose plugin tells nothing but what it logs.
    private func startPart(
        _ model: LoadedModel, _ turn: EngineTurn, journal: SpooledRecords? = nil
    ) throws -> Started {
        let started = try start(model, turn, journal: journal) { _ in }
        guard started.capture.needs.hasState else {
            started.worker.close()
            throw stateless("be run by several workers")
        }
        return started
    }
}
