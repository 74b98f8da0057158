import DataSets
import Files
import Foundation
import Messages
import PluginHost
import Synchronization

/// A plugin's run over recordings: what every worker of it has in common.
struct PluginRun: Sendable {
    /// When the state is written down.
    struct Intervals: Sendable {
        var recordings = 100
        var time = Duration.seconds(10)
        /// A state that takes long to write is written less often: between two there are so many times its own time.
        var rest = 19
    }

    let plugin: FoundPlugin
    let request: V1.RunPluginRequest
    let interventions: [InterventionSpec]
    let recordings: PluginRecordings
    let folder: String
    let intervals: Intervals
    let running = RunningPlugins()
    /// Recordings that all workers are through with, where there are several.
    let together = WorkersProgress()
    let emit: @Sendable (V1.PluginEvent.Event) throws -> Void

    /// What a part of the recordings gave.
    struct Part: Sendable {
        var state: [UInt8] = []
        var results: [PluginState.Result] = []
        var skipped: [V1.SkippedRecording] = []
        var engineTime = Duration.zero
        var pluginTime = Duration.zero
    }

    /// A plugin that was started and told its arguments.
    private struct Started {
        let worker: PluginWorker
        let capture: PluginCapture
        let description: V1.PluginDescription
        let arguments: [V1.PluginArgument]
    }

    // MARK: - One worker

    /// Goes through all recordings in one process.
    func run(_ model: LoadedModel, _ turn: EngineTurn, results: ResultCount) throws -> V1.PluginEnd {
        let began = ContinuousClock.now
        let started = try start(model, turn) { value in try results.send(value, emit) }
        defer { started.worker.close() }
        try told(.description(started.description), turn)
        let all = started.capture.needs.nothingToHear ? [] : recordings.recordings
        var state = PluginState(header: try header(model, started.arguments, count: all.count))
        let keeper = try StateKeeper(path: request.checkpoint, intervals)
        if let saved = try keeper?.saved() {
            try check(saved, against: state.header)
            state = saved
            try started.worker.call { try $0.merge(saved.state) }
            started.worker.restore(saved.results)
            for entry in saved.results { try told(turn) { try results.send(entry.result, emit) } }
            for skipped in saved.header.skipped {
                try told(.skipped(V1.SkippedRecording(file: skipped.file, reason: skipped.reason)), turn)
            }
        } else {
            for skipped in recordings.broken {
                state.header.skipped.append(.init(file: skipped.file, reason: skipped.reason))
                try told(.skipped(skipped), turn)
            }
        }
        try activate(started.worker, model, count: all.count)
        try hear(all[min(state.header.done, all.count)...], started, turn) { done, skipped in
            state.header.done = done
            if let skipped { state.header.skipped.append(.init(file: skipped.file, reason: skipped.reason)) }
            if let keeper, keeper.isDue(done) {
                try keep(&state, started.worker) { try keeper.write($0) }
            }
        }
        if keeper != nil || !request.stateFile.isEmpty {
            try keep(&state, started.worker) { state in
                try keeper?.write(state)
                if let path = request.stateFile.nonEmpty { try state.write(to: path) }
            }
        }
        try started.worker.call { try $0.finish() }
        return end(
            model, try model.digest(), recordings: all.count, skipped: state.header.skipped.count, results.value,
            (started.worker.engineTime, started.worker.pluginTime), since: began)
    }

    private func check(_ saved: PluginState, against header: PluginState.Header) throws {
        guard let difference = saved.header.difference(from: header, parts: true) else { return }
        throw ServiceError(
            .mismatch, "\(request.checkpoint) belongs to another run: \(difference); name another file, or remove it")
    }

    private func keep(
        _ state: inout PluginState, _ worker: PluginWorker, _ write: (PluginState) throws -> Void
    ) throws {
        state.state = try worker.call { try $0.save() }
        state.results = worker.results
        let complete = state
        try worker.turn.suspended { try write(complete) }
    }

    // MARK: - Parts of the work

    /// Goes through a contiguous part of the recordings, and gives back the state.
    func runPart(_ part: Range<Int>, _ model: LoadedModel, _ turn: EngineTurn) throws -> Part {
        let started = try start(model, turn) { _ in }
        defer { started.worker.close() }
        guard started.capture.needs.hasState else { throw stateless("be run by several workers") }
        var result = Part()
        try activate(started.worker, model, count: part.count)
        try hear(recordings.recordings[part], started, turn, isPart: true) { _, skipped in
            if let skipped { result.skipped.append(skipped) }
        }
        result.state = try started.worker.call { try $0.save() }
        result.results = started.worker.results
        result.engineTime = started.worker.engineTime
        result.pluginTime = started.worker.pluginTime
        return result
    }

    /// Where several workers go on from: what the checkpoint has, or the beginning.
    func begun(_ model: LoadedModel, _ turn: EngineTurn) throws -> (PluginState, Part) {
        let started = try start(model, turn) { _ in }
        defer { started.worker.close() }
        guard started.capture.needs.hasState else { throw stateless("be run by several workers") }
        let header = try header(model, started.arguments, count: recordings.recordings.count)
        _ = try PendingFile(request.checkpoint)
        guard let saved = try StateKeeper.saved(request.checkpoint) else {
            return (PluginState(header: header), Part())
        }
        try check(saved, against: header)
        together.advance(by: saved.header.done)
        var part = Part(state: saved.state, results: saved.results)
        part.skipped = saved.header.skipped.dropFirst(recordings.broken.count).map {
            V1.SkippedRecording(file: $0.file, reason: $0.reason)
        }
        return (saved, part)
    }

    /// What there was before a round, and what its workers have, as one.
    func joined(
        _ state: PluginState, _ before: Part, _ parts: [Part], done: Int, _ model: LoadedModel, _ turn: EngineTurn
    ) throws -> (PluginState, Part) {
        let all = state.header.done == 0 ? parts : [before] + parts
        let started = try start(model, turn) { _ in }
        defer { started.worker.close() }
        for part in all { try started.worker.call { try $0.merge(part.state) } }
        try activate(started.worker, model, count: recordings.recordings.count)
        var whole = Part(state: try started.worker.call { try $0.save() }, results: all.flatMap(\.results))
        whole.skipped = all.flatMap(\.skipped)
        whole.engineTime = ([before] + parts).reduce(started.worker.engineTime) { $0 + $1.engineTime }
        whole.pluginTime = ([before] + parts).reduce(started.worker.pluginTime) { $0 + $1.pluginTime }
        var state = PluginState(header: state.header, results: whole.results, state: whole.state)
        state.header.done = done
        state.header.skipped = (recordings.broken + whole.skipped).map { .init(file: $0.file, reason: $0.reason) }
        return (state, whole)
    }

    /// Puts the parts of several workers together, in their order, and lets the plugin finish.
    func runWhole(
        _ parts: [Part], _ model: LoadedModel, _ turn: EngineTurn, results: ResultCount,
        since began: ContinuousClock.Instant
    ) throws -> V1.PluginEnd {
        let started = try start(model, turn) { value in try results.send(value, emit) }
        defer { started.worker.close() }
        try told(.description(started.description), turn)
        let skipped = recordings.broken + parts.flatMap(\.skipped)
        for recording in skipped { try told(.skipped(recording), turn) }
        for part in parts {
            for entry in part.results { try told(turn) { try results.send(entry.result, emit) } }
        }
        for part in parts { try started.worker.call { try $0.merge(part.state) } }
        let count = recordings.recordings.count
        try activate(started.worker, model, count: count)
        if let path = request.stateFile.nonEmpty {
            var state = PluginState(header: try header(model, started.arguments, count: count))
            state.header.done = count
            state.header.skipped = skipped.map { .init(file: $0.file, reason: $0.reason) }
            state.results = parts.flatMap(\.results)
            state.state = try started.worker.call { try $0.save() }
            let complete = state
            try turn.suspended { try complete.write(to: path) }
        }
        try started.worker.call { try $0.finish() }
        let engine = parts.reduce(started.worker.engineTime) { $0 + $1.engineTime }
        let plugin = parts.reduce(started.worker.pluginTime) { $0 + $1.pluginTime }
        return end(
            model, try model.digest(), recordings: count, skipped: skipped.count, results.value, (engine, plugin),
            since: began)
    }

    private func start(
        _ model: LoadedModel, _ turn: EngineTurn, result: @escaping @Sendable (V1.PluginResult) throws -> Void
    ) throws -> Started {
        let services = EngineServices(plugin: plugin.id, model: model, turn: turn, folder: folder)
        let outlet = PluginOutlet(log: { [emit] log in try? emit(.log(log)) }, result: result)
        let worker = try PluginWorker(plugin, turn: turn, services: services, running: running, outlet: outlet)
        do {
            let description = try worker.call { try $0.describe() }
            let arguments = try description.arguments(request.arguments)
            let needs = try worker.create(arguments)
            try check(needs)
            let capture = try PluginCapture(
                needs, interventions: interventions, context: EncoderContext(request.context), plugin: plugin.id,
                model: model)
            return Started(worker: worker, capture: capture, description: description, arguments: arguments)
        } catch {
            worker.close()
            throw error
        }
    }

    private func check(_ needs: PluginNeedsValue) throws {
        if !needs.nothingToHear, recordings.recordings.isEmpty, recordings.broken.isEmpty, request.shard == nil {
            throw ServiceError(.invalidArgument, "\(plugin.id) needs recordings; the request names none")
        }
        if needs.labels, !recordings.recordings.isEmpty, !recordings.recordings.contains(where: { $0.item.isLabelled })
        {
            throw ServiceError(
                .mismatch,
                "\(plugin.id) needs labels or alignments; none of the \(recordings.recordings.count) recordings has any"
            )
        }
        if needs.oneRun {
            if let shard = request.shard, shard.count > 1 {
                throw ServiceError.oneRun(plugin.id, "heard in shards (\(shard.index + 1) of \(shard.count))")
            }
            if request.workers > 1 {
                throw ServiceError.oneRun(plugin.id, "run by \(request.workers) workers")
            }
        }
        guard needs.hasState || (request.checkpoint.isEmpty && request.stateFile.isEmpty) else {
            throw stateless("keep a state in a file")
        }
    }

    private func stateless(_ wish: String) -> ServiceError {
        ServiceError(.mismatch, "\(plugin.id) saves no state, so it cannot \(wish)")
    }

    private func activate(_ worker: PluginWorker, _ model: LoadedModel, count: Int) throws {
        let run = try PluginRunValue(model, recordings: count, seed: request.seed)
        try worker.call { try $0.activate(run) }
    }

    /// - Parameters:
    ///   - isPart: whether other workers have the rest: then what was left out is told by ``runWhole``, in its order.
    ///   - after: told after each recording how many are done, those before this part among them.
    private func hear(
        _ part: ArraySlice<PluginRecording>, _ started: Started, _ turn: EngineTurn, isPart: Bool = false,
        after: (Int, V1.SkippedRecording?) throws -> Void
    ) throws {
        let total = Double(recordings.recordings.count)
        try started.worker.hearing(part, started.capture) { ahead in
            for (place, recording) in zip(part.indices, part) {
                try turn.checkpoint()
                var skipped: V1.SkippedRecording?
                if let error = try started.worker.hearNext(of: ahead) {
                    guard !request.stopAtBroken else { throw error }
                    let reason = V1.SkippedRecording(file: recording.item.name, reason: "\(error)")
                    if !isPart { try told(.skipped(reason), turn) }
                    skipped = reason
                }
                try after(place + 1, skipped)
                func tell(_ done: Int) throws {
                    try emit(
                        .progress(
                            V1.Progress(
                                done: Double(done), total: total, unit: "recordings", label: recording.item.name)))
                }
                try told(turn) { if isPart { try together.next(tell) } else { try tell(place + 1) } }
            }
        }
    }

    // MARK: - What is told

    private func told(_ event: V1.PluginEvent.Event, _ turn: EngineTurn) throws { try told(turn) { try emit(event) } }

    /// A slow reader holds nobody else up.
    private func told(_ turn: EngineTurn, _ body: () throws -> Void) throws { try turn.suspended(body) }

    private func header(_ model: LoadedModel, _ arguments: [V1.PluginArgument], count: Int) throws -> PluginState.Header
    {
        PluginState.Header(
            plugin: plugin.id, version: plugin.version,
            arguments: arguments.map { .init(id: $0.id, value: $0.value) }, model: model.name,
            vocabulary: request.model?.vocabulary ?? "", modelSHA256: try model.digest(), precision: model.precision,
            dimensions: model.dimensions,
            interventions: interventions.map(\.description), context: try EncoderContext(request.context),
            dataSet: recordings.digest,
            shard: request.shard.map { .init(index: $0.index, count: $0.count) }, seed: request.seed, recordings: count,
            done: 0, skipped: [])
    }

    private func end(
        _ model: LoadedModel, _ digest: String, recordings: Int, skipped: Int, _ results: UInt64,
        _ times: (engine: Duration, plugin: Duration), since began: ContinuousClock.Instant
    ) -> V1.PluginEnd {
        V1.PluginEnd(
            recordings: UInt64(clamping: recordings), results: results, skipped: UInt64(clamping: skipped),
            model: model.name, modelSha256: digest, seed: request.seed,
            seconds: began.duration(to: .now) / .seconds(1), engineSeconds: times.engine / .seconds(1),
            pluginSeconds: times.plugin / .seconds(1), precision: model.precision.message)
    }
}

extension ServiceError {
    /// For an analysis that cannot be put together from parts; better said before the work than after it.
    static func oneRun(_ plugin: String, _ wish: String) -> ServiceError {
        ServiceError(
            .mismatch,
            "\(plugin) needs all recordings in one run, since two of its states cannot be put together: it cannot be "
                + "\(wish). One run with one worker can be interrupted and resumed (checkpoint)")
    }
}

/// How far several workers are together. They tell it one at a time, so that it only rises.
final class WorkersProgress: Sendable {
    private let done = Mutex(0)

    /// Counts what a run before this one was through with.
    func advance(by count: Int) { done.withLock { $0 += count } }

    func next(_ tell: (Int) throws -> Void) rethrows {
        try done.withLock { done in
            done += 1
            try tell(done)
        }
    }
}

/// Results that were sent.
final class ResultCount: Sendable {
    private let count = Atomic<UInt64>(0)

    var value: UInt64 { count.load(ordering: .relaxed) }

    func send(_ result: V1.PluginResult, _ emit: (V1.PluginEvent.Event) throws -> Void) throws {
        try emit(.result(result))
        count.wrappingAdd(1, ordering: .relaxed)
    }
}

/// The file that a run's state is kept in. One thread uses it.
final class StateKeeper {
    private let path: String
    private let intervals: PluginRun.Intervals
    private var lastDone = 0
    private var lastWritten = ContinuousClock.now
    /// The least time to the next.
    private var pause: Duration
    private let lock: FileLock

    /// Nil without a path.
    /// - Throws: ``Files/FileError`` where nothing can be written there, which is better known before the work, or
    ///   another run keeps its state there (`unavailable`).
    init?(path: String, _ intervals: PluginRun.Intervals) throws {
        guard !path.isEmpty else { return nil }
        self.path = path
        self.intervals = intervals
        pause = .zero
        _ = try PendingFile(path)
        lock = try PluginState.lock(path)
    }

    /// What another run has left behind.
    func saved() throws -> PluginState? {
        let state = try Self.saved(path)
        lastDone = state?.header.done ?? 0
        return state
    }

    static func saved(_ path: String) throws -> PluginState? {
        guard access(path, F_OK) == 0 else { return nil }
        return try PluginState(path: path)
    }

    func isDue(_ done: Int) -> Bool {
        let since = lastWritten.duration(to: .now)
        return since >= pause && (done - lastDone >= intervals.recordings || since >= intervals.time)
    }

    func write(_ state: PluginState) throws {
        let began = ContinuousClock.now
        try state.write(to: path)
        lastWritten = .now
        lastDone = state.header.done
        pause = began.duration(to: lastWritten) * intervals.rest
    }
}
