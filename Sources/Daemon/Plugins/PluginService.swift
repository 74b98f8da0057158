import DataSets
import Files
import Foundation
import Logging
import PluginHost
import Synchronization

/// The analyses: which there are, what they are, and their runs over recordings.
struct PluginService: Sendable {
    let engine: Engine
    let catalogue: PluginCatalogue
    /// Where each plugin has a folder of its own.
    let folder: String
    let logger: Logger
    var intervals = RunCheckpoint.Intervals()
    /// What its runs have captured, for the next ones.
    var captures = KeptCaptures(limit: 0)
    /// Of the checkpoints of its runs.
    var locks = CheckpointLocks()
    private let descriptions = DescriptionCache()

    init(engine: Engine, catalogue: PluginCatalogue, folder: String, logger: Logger) {
        self.engine = engine
        self.catalogue = catalogue
        self.folder = folder
        self.logger = logger
    }

    /// The plugins that were found; nothing is loaded.
    func list(first: [String] = []) -> [PluginListing] { catalogue.list(first) }

    /// What a plugin needs, takes and gives. Starts it where its library is not the one that was described before.
    func describe(_ name: String, first: [String] = []) throws -> PluginDescription {
        let plugin = try catalogue.find(name, first)
        return try descriptions.description(of: plugin.library) {
            let runner = try plugin.start(NoServices(reason: "a plugin that is described has no model"), PluginOutlet())
            defer { runner.close() }
            return try runner.describe()
        }
    }

    // MARK: - Runs

    /// Checks what can be checked before anything waits for the engine.
    func check(_ request: RunRequest) throws {
        _ = try catalogue.find(request.plugin, request.pluginFolders)
        for (what, path) in [("checkpoint", request.checkpoint), ("state_file", request.stateFile)] {
            try Self.checkPath(path, what)
        }
        guard request.workers <= 64 else {
            throw ServiceError(.invalidArgument, "there are \(request.workers) workers; expected at most 64")
        }
    }

    private static func checkPath(_ path: String?, _ what: String) throws {
        guard let path, !path.hasPrefix("/") else { return }
        throw ServiceError(.invalidArgument, "the path '\(path)' of \(what) is not absolute")
    }

    /// Arguments in which the values of paths are absolute. May block, while a plugin that has not been described yet is asked
    /// which those are.
    func arguments(
        _ given: [PluginArgument], of plugin: String, _ folders: [String], absolute: (String) throws -> String
    ) throws -> [PluginArgument] {
        guard given.contains(where: { !$0.value.isEmpty && !$0.value.hasPrefix("/") }) else { return given }
        let paths = try describe(plugin, first: folders).pathParameters
        return try given.map { argument in
            guard paths.contains(argument.id) else { return argument }
            return PluginArgument(id: argument.id, value: try absolute(argument.value))
        }
    }

    /// Runs a plugin over recordings.
    /// - Parameters:
    ///   - connection: whose uploads may be used; nil for a job.
    ///   - emit: gets every event but the first and the last, from threads that may block, one at a time. What it
    ///     throws ends the run.
    func run(
        _ request: RunRequest, client: ClientID, deadline: ContinuousClock.Instant?, connection: UInt64?,
        emit: @escaping @Sendable (RunEvent) throws -> Void
    ) async throws -> RunEnd {
        try check(request)
        let plugin = try catalogue.find(request.plugin, request.pluginFolders)
        let single = try request.audio.map { try engine.input($0, connection: connection) }
        let recordings = try await blocking {
            try PluginRecordings(
                single: single, dataSets: request.dataSets, shard: request.shard, stopAtBroken: request.stopsAtBroken,
                strict: request.isStrict)
        }
        let running = RunningPlugins()
        let run = PluginRun(
            plugin: plugin, request: request, recordings: recordings, folder: try stateFolder(of: plugin.id),
            intervals: intervals, running: running,
            access: PluginAccess(request.arguments, request.permissions),
            output: RunOutput(emit), kept: captures.scan())
        return try await cancelling(running, deadline: deadline) {
            var hold: CheckpointLocks.Hold?
            if let path = request.checkpoint {
                hold = try await locks.hold(path, running, patience: intervals.patience)
            }
            defer { withExtendedLifetime(hold) {} }
            let workers = min(request.workers, recordings.recordings.count)
            guard workers > 1 else {
                return try await engine.run(request.model, client: client, deadline: deadline) { model, turn in
                    try run.run(model, turn)
                }
            }
            return try await runTogether(run, workers, client: client, deadline: deadline)
        }
    }

    /// A cancelled task, or a deadline that passes, ends the plugins as well.
    func cancelling<R: Sendable>(
        _ running: RunningPlugins, deadline: ContinuousClock.Instant?, _ body: () async throws -> R
    ) async throws -> R {
        let timer = deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline, clock: .continuous)
                running.cancel()
            }
        }
        defer { timer?.cancel() }
        return try await withTaskCancellationHandler(operation: body) { running.cancel() }
    }

    func stateFolder(of id: String) throws -> String {
        guard !id.isEmpty, !id.contains("/"), !id.hasPrefix(".") else {
            throw ServiceError(.invalidArgument, "'\(id)' cannot be a plugin's id")
        }
        return "\(folder)/\(id)"
    }

    // MARK: - Merging

    /// Puts the states of several runs together, and gives the results as if one run had heard all their recordings.
    func merge(
        _ request: MergeRequest, client: ClientID, deadline: ContinuousClock.Instant?,
        connection: UInt64? = nil,
        emit: @escaping @Sendable (RunEvent) throws -> Void
    ) async throws -> RunEnd {
        for path in request.files { try Self.checkPath(path, "state_files") }
        try Self.checkPath(request.stateFile, "state_file")
        let uploads = try request.uploads.map { id in
            guard let connection else {
                throw ServiceError(.invalidArgument, "the upload \(id) ends with its connection; name a file")
            }
            return try engine.uploads.upload(id, connection: connection)
        }
        let files = request.files + request.uploads
        let states = try await blocking {
            try zip(request.files + uploads.map(\.path), files).map { try PluginState(path: $0, name: $1) }
        }
        let merge = try PluginMerge(states, files: files)
        let plugin = try catalogue.find(merge.header.plugin, request.pluginFolders)
        guard plugin.version == merge.header.pluginVersion else {
            throw ServiceError(
                .mismatch,
                "the states are those of \(plugin.id) \(merge.header.pluginVersion); its version is \(plugin.version) now"
            )
        }
        let folder = try stateFolder(of: plugin.id)
        let running = RunningPlugins()
        let output = RunOutput(emit)
        return try await cancelling(running, deadline: deadline) {
            try await engine.queue.run(client: client, deadline: deadline) { [store = engine.store] turn in
                let (lease, absence) = try turn.suspended { merge.model(in: store) }
                defer { withExtendedLifetime(lease) {} }
                let services = lease.map {
                    EngineServices(plugin: plugin.id, model: $0.model, turn: turn, folder: folder)
                }
                let worker = try PluginWorker(
                    plugin, turn: turn, services: services, absence: absence, running: running,
                    access: PluginAccess(
                        merge.header.arguments.map { PluginArgument(id: $0.id, value: $0.value) }, request.permissions),
                    log: { try? output.tell(.log($0)) }, tell: { try output.tell($0) })
                defer { worker.close() }
                return try merge.run(worker, into: request.stateFile, isReturned: request.returnsState, output)
            }
        }
    }
}

/// Descriptions of plugins whose libraries are unchanged.
private final class DescriptionCache: Sendable {
    private let known = Mutex<[FileStamp: PluginDescription]>([:])

    func description(
        of library: String, _ read: () throws -> PluginDescription
    ) throws -> PluginDescription {
        let stamp = FileStamp(library)
        if let stamp, let description = known.withLock({ $0[stamp] }) { return description }
        let description = try read()
        if let stamp {
            known.withLock { known in
                // Of a library that was replaced, the old description goes.
                known = known.filter { $0.key.path != library }
                known[stamp] = description
            }
        }
        return description
    }
}
