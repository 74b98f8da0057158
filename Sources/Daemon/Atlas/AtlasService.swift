import Atlas
import Files
import Foundation
import Synchronization

/// Atlases: scans into them, and what is asked of them.
struct AtlasService: Sendable {
    let plugins: PluginService
    /// How long a build waits for one that has the file, and of which nobody has said that it is to end.
    var patience = Duration.seconds(5)
    private let ending = EndingBuilds()

    init(plugins: PluginService) { self.plugins = plugins }

    // MARK: - Building

    /// Checks what can be checked before anything waits for the engine. May block.
    func check(_ request: AtlasBuildRequest) throws {
        let run = try self.run(request)
        for source in run.audio { _ = try plugins.engine.input(source, connection: nil) }
        _ = try plugins.engine.store.model(run.model)
        try plugins.check(run)
    }

    /// Scans recordings into an atlas. However it ends early, the same request goes on from its checkpoint; an atlas that
    /// was made for it is taken back, unless this process is killed.
    /// - Parameters:
    ///   - connection: whose uploads may be used; nil for a job.
    ///   - tell: gets what the run tells but its results, from threads that may block, one at a time.
    func build(
        _ request: AtlasBuildRequest, client: ClientID, deadline: ContinuousClock.Instant?, connection: UInt64?,
        tell: @escaping @Sendable (RunEvent) throws -> Void
    ) async throws -> AtlasScanDetail {
        let run = try await blocking { try self.run(request) }
        let dimensions = try await blocking {
            let model = try plugins.engine.store.model(run.model)
            // By openai/whisper's names, as they are written.
            return try JSONDecoder().decode([String: Int].self, from: JSONEncoder().encode(model.dimensions))
        }
        let store = try await open(request.path)
        defer { ending.remove(request.path) }
        return try await withTaskCancellationHandler {
            try await scan(
                run, into: AtlasBuild(store, run, dimensions: dimensions), client, deadline, connection, tell)
        } onCancel: {
            ending.insert(request.path)
        }
    }

    private func scan(
        _ run: RunRequest, into build: AtlasBuild, _ client: ClientID, _ deadline: ContinuousClock.Instant?,
        _ connection: UInt64?, _ tell: @escaping @Sendable (RunEvent) throws -> Void
    ) async throws -> AtlasScanDetail {
        do {
            _ = try await plugins.run(run, client: client, deadline: deadline, connection: connection) { event in
                try build.take(event)
                switch event {
                case .progress, .log, .skipped, .description, .provenance: try tell(event)
                default: break
                }
            }
            let scan = try await blocking { try build.finish() }
            // The atlas has it all.
            if let checkpoint = run.checkpoint { unlink(checkpoint) }
            return scan
        } catch {
            // What is half there is of no use to anyone; where it cannot be removed now, the next scan does.
            // In a task of its own, since this one may be cancelled.
            try? await Task { try await blocking { try build.abandon() } }.value
            // A run that gave what is no atlas gives the same again.
            if (error as? AtlasError)?.code == .dataLoss, let checkpoint = run.checkpoint { unlink(checkpoint) }
            throw error
        }
    }

    /// Opens it for writing. A build that was cancelled is waited for: it takes as long as its plugin and the engine need to stop.
    private func open(_ path: String) async throws -> AtlasStore {
        try Engine.checkAbsolute(path)
        let limit = ContinuousClock.now + patience
        while true {
            do {
                return try await blocking { try AtlasStore(path: path, mode: .write) }
            } catch let error as AtlasError
                where error.code == .unavailable && (ending.contains(path) || .now < limit)
            {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// The run of a build: with its checkpoint beside the atlas, its hook points, and all tables where there is a choice.
    private func run(_ request: AtlasBuildRequest) throws -> RunRequest {
        guard !request.path.isEmpty else { throw ServiceError(.invalidArgument, "the request names no atlas") }
        var run = request.run
        guard run.shard == nil, run.stateFile == nil, !run.returnsState else {
            throw ServiceError(.invalidArgument, "a scan into an atlas has no shards and gives no state away")
        }
        run.checkpoint = run.checkpoint ?? request.path + ".checkpoint"
        let known = Set(try plugins.describe(run.plugin, first: run.pluginFolders).parameters.map(\.id))
        func isGiven(_ id: String) -> Bool { run.arguments.contains { $0.id == id } }
        if !request.hooks.isEmpty {
            guard known.contains("hooks") else {
                throw ServiceError(
                    .invalidArgument,
                    "the plugin '\(run.plugin)' has no parameter 'hooks', which the hook points would set")
            }
            guard !isGiven("hooks") else {
                throw ServiceError(.invalidArgument, "the hook points are given twice, as the argument 'hooks' too")
            }
            run.arguments.append(PluginArgument(id: "hooks", value: request.hooks.joined(separator: ",")))
        }
        if known.contains("emit"), !isGiven("emit") {
            run.arguments.append(PluginArgument(id: "emit", value: "all"))
        }
        return run
    }

    // MARK: - Asking

    /// Opens it for reading.
    func atlas(_ path: String) throws -> AtlasStore {
        guard !path.isEmpty else { throw ServiceError(.invalidArgument, "the request names no atlas") }
        try Engine.checkAbsolute(path)
        return try AtlasStore(path: path, mode: .read)
    }

    /// The scans that are complete, the newest first.
    func scans(_ path: String) throws -> [AtlasScanDetail] {
        try atlas(path).scans().filter { $0.scan.status == .complete }
    }

    /// A feature of an atlas, by its number or its name.
    struct FeatureReference: Sendable {
        var atlas: String
        var hook: String
        var feature: String
        /// Nil for the newest that has it.
        var scan: Int64?
    }

    /// Everything about a feature.
    func card(_ feature: FeatureReference) throws -> AtlasCard {
        try atlas(feature.atlas).card(hook: feature.hook, named: feature.feature, scan: feature.scan)
    }
}

/// The atlases that builds of this daemon write to which were cancelled and have not let go yet, by path.
private final class EndingBuilds: Sendable {
    private let paths = Mutex<Set<String>>([])

    func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
    func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }
    func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }
}
