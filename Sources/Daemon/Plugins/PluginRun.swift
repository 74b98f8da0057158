import DataSets
import Files
import Foundation
import PluginHost
import Synchronization

/// A plugin's run over recordings: what every worker of it has in common, and the run of a single one.
struct PluginRun: Sendable {
    let plugin: FoundPlugin
    let request: RunRequest
    let recordings: PluginRecordings
    let folder: String
    let intervals: RunCheckpoint.Intervals
    let running: RunningPlugins
    let access: PluginAccess
    let output: RunOutput
    /// Captures of scans before this one.
    var kept: KeptCaptures.Scan?
    /// Recordings that all workers are through with, where there are several.
    let together = WorkersProgress()

    /// A plugin that was started and told its arguments.
    struct Started {
        let worker: PluginWorker
        let capture: PluginCapture
        let description: PluginDescription
        /// Of a state in which nothing was heard yet.
        let header: PluginState.Header

        var times: (engine: Duration, plugin: Duration) { (worker.engineTime, worker.pluginTime) }
    }

    /// Goes through all recordings in one process.
    func run(_ model: LoadedModel, _ turn: EngineTurn) throws -> RunEnd {
        let began = ContinuousClock.now
        let checkpoint = try request.checkpoint.map { try RunCheckpoint(path: $0, intervals) }
        let isKept = request.keepsState
        let started = try start(model, turn, journal: isKept ? SpooledRecords() : nil) { try output.tell($0) }
        defer { started.worker.close() }
        try begin(started, turn)
        let all = started.capture.needs.nothingToHear ? [] : recordings.recordings
        var state = PluginState(header: started.header)
        state.header.recordings = all.count
        if let saved = try checkpoint?.saved() {
            state.header = try check(saved, against: state.header)
            try started.worker.call { try $0.merge(saved.state) }
            try started.worker.restore(saved.records)
            try output.tell(saved, turn)
            for skipped in state.header.skipped { try output.tell(.skipped(skipped), turn) }
        } else {
            state.header.skipped = recordings.broken
            for skipped in recordings.broken { try output.tell(.skipped(skipped), turn) }
        }
        try activate(started.worker, model, count: all.count)
        try hear(all[min(state.header.done, all.count)...], started, turn) { done, skipped in
            state.header.done = done
            if let skipped { state.header.skipped.append(skipped) }
            if let checkpoint, checkpoint.isDue(done) {
                state = try started.worker.saved(state.header)
                try turn.suspended { try checkpoint.write(state) }
            }
        }
        if isKept {
            state = try started.worker.saved(state.header)
            try turn.suspended {
                try checkpoint?.write(state)
                if let path = request.stateFile { try state.write(to: path) }
            }
        }
        try started.worker.call { try $0.finish() }
        if request.returnsState { try output.send(state, turn) }
        return RunEnd(state.header, output.results, started.times, since: began)
    }

    /// - Returns: the header of the state, with what this run makes anew in it.
    func check(_ saved: PluginState, against header: PluginState.Header) throws -> PluginState.Header {
        guard let difference = saved.header.difference(from: header, parts: true) else {
            var same = saved.header
            same.version = header.version
            return same
        }
        throw ServiceError(
            .mismatch,
            "\(request.checkpoint ?? "") belongs to another run: \(difference); name another file, or remove it")
    }

    // MARK: - What every worker does

    /// - Parameters:
    ///   - journal: where what is told of recordings is kept; nil where nobody wants it again.
    ///   - tell: gets what the plugin gives.
    func start(
        _ model: LoadedModel, _ turn: EngineTurn, journal: SpooledRecords? = nil,
        tell: @escaping @Sendable (RunEvent) throws -> Void
    ) throws -> Started {
        let services = EngineServices(
            plugin: plugin.id, model: model, turn: turn, folder: folder, context: request.context)
        let worker = try PluginWorker(
            plugin, turn: turn, services: services, running: running, access: access, journal: journal,
            log: { [output] log in try? output.tell(.log(log)) }, tell: tell)
        do {
            let description = try worker.call { try $0.describe() }
            let arguments = try description.arguments(request.arguments)
            try checkColumns(description.parameters, arguments)
            let needs = try worker.create(arguments)
            try check(needs)
            let capture = try PluginCapture(
                needs, interventions: request.interventions, context: request.context, padding: request.padding,
                plugin: plugin.id, model: model, turn: turn, kept: kept)
            return Started(
                worker: worker, capture: capture, description: description, header: try header(model, arguments))
        } catch {
            worker.close()
            throw error
        }
    }

    /// Tells what is run, and how its results are made.
    func begin(_ started: Started, _ turn: EngineTurn) throws {
        try output.tell(.description(started.description), turn)
        var header = started.header
        if started.capture.needs.nothingToHear { header.recordings = 0 }
        try output.tell(.provenance(header.provenance), turn)
        for notice in recordings.notices { try output.tell(.notice(notice), turn) }
    }

    func activate(_ worker: PluginWorker, _ model: LoadedModel, count: Int) throws {
        let run = try PluginRunValue(model, recordings: count, seed: request.seed)
        try worker.call { try $0.activate(run) }
    }

    /// - Parameters:
    ///   - isPart: whether other workers have the rest: then what was left out is told at their end, in its order.
    ///   - after: told after each recording how many are done, those before this part among them.
    func hear(
        _ part: ArraySlice<PluginRecording>, _ started: Started, _ turn: EngineTurn, isPart: Bool = false,
        after: (Int, SkippedRecording?) throws -> Void
    ) throws {
        let total = Double(recordings.recordings.count)
        try started.worker.hearing(part, started.capture) { ahead in
            for (place, recording) in zip(part.indices, part) {
                try turn.checkpoint()
                var skipped: SkippedRecording?
                let error = try started.worker.hearNext(of: ahead)
                for notice in ahead.notices(of: recording.item) {
                    let notice = RecordingNotice(file: recording.item.name, notice: notice)
                    try output.tell(.notice(notice), turn)
                }
                if let error {
                    guard !request.stopsAtBroken else { throw error }
                    let reason = SkippedRecording(file: recording.item.name, reason: "\(error)")
                    if !isPart { try output.tell(.skipped(reason), turn) }
                    skipped = reason
                }
                try after(place + 1, skipped)
                func tell(_ done: Int) throws {
                    let progress = WorkProgress(
                        done: Double(done), total: total, unit: "recordings", label: recording.item.name)
                    try output.tell(.progress(progress))
                }
                try turn.suspended { if isPart { try together.next(tell) } else { try tell(place + 1) } }
            }
        }
    }
}
