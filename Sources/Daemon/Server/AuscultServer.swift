import Foundation
import Files
import Kernels
import Logging
import Messages
import PluginHost
import Synchronization
import Wire

/// The whole daemon in one value: its services, its queue, its models, and the socket that they answer on.
///
/// The program serves one; tests serve as many as they like, each on a socket of its own.
package final class AuscultServer: Sendable {
    let configuration: Configuration
    let logger: Logger
    let began = ContinuousClock.now
    let models: ModelService
    let store: ModelStore
    /// What analyses have captured, for the next ones.
    let captures: KeptCaptures
    let queue: InferenceQueue
    let jobs: JobStore
    let uploads = UploadStore()
    let health = HealthState()
    let use: DaemonUse
    let metrics: DaemonMetrics
    private let catalogue: PluginCatalogue
    private let pluginIntervals: RunCheckpoint.Intervals

    private struct Parts {
        var wire: WireServer?
        var socket: ListeningSocket?
        var descriptors: DescriptorHandoff?
        var descriptorSocket: ListeningSocket?
        var metricsEndpoint: MetricsServer?
    }

    private let parts = Mutex(Parts())
    private let isStopping = Atomic(false)
    private let stopRequests: AsyncStream<Duration?>
    private let stopFeed: AsyncStream<Duration?>.Continuation

    package convenience init(_ configuration: Configuration, logger: Logger) {
        self.init(configuration, logger: logger, catalogue: .bundles(PluginRegistry()))
    }

    /// - Parameters:
    ///   - catalogue: where plugins are found.
    ///   - pluginIntervals: when the states of their runs are written down.
    init(
        _ configuration: Configuration, logger: Logger, catalogue: PluginCatalogue,
        pluginIntervals: RunCheckpoint.Intervals = RunCheckpoint.Intervals()
    ) {
        self.catalogue = catalogue
        self.pluginIntervals = pluginIntervals
        self.configuration = configuration
        self.logger = logger
        var models = ModelService(registry: ModelRegistry(in: configuration.dataFolder), logger: logger)
        models.reusesOutputs = configuration.keptActivations > 0
        self.models = models
        captures = KeptCaptures(limit: configuration.keptActivations)
        store = ModelStore(service: models, memoryLimit: UInt64(clamping: configuration.modelMemoryLimit))
        queue = InferenceQueue(limit: configuration.queueLimit) { [store] in store.forgetOutputs() }
        jobs = JobStore(unfinishedLimit: configuration.maxUnfinishedJobs)
        use = DaemonUse(idleExit: configuration.idleExit)
        metrics = DaemonMetrics()
        (stopRequests, stopFeed) = AsyncStream.makeStream(of: Duration?.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: - Life

    /// Loads the configured models, then serves. Returns as soon as clients can connect and are answered.
    /// - Throws: what stands in the way: a folder that is not ours, another daemon, a model that is not there.
    package func start() async throws {
        // Refused now, rather than with every call.
        try MemoryHeadroom.check(needed: 32 << 20)
        let socket = try ListeningSocket.open(at: configuration.socket, isShared: isShared)
        parts.withLock { $0.socket = socket }
        do {
            // Loaded before anyone is answered. What is not embedded may take long, and still comes first.
            for name in configuration.models {
                try await blocking { [store] in _ = try store.lease(name, vocabulary: nil).model.model() }
            }
            startDescriptors(beside: socket)
            observeGauges()
            try await startMetrics()
            let wire = makeWire()
            parts.withLock { $0.wire = wire }
            try wire.listen(on: socket.descriptor)
            health.set(.serving)
        } catch {
            await abandonStart()
            throw error
        }
        logger.notice("serving at \(socket.path)")
        logKernels()
        watchResources()
    }

    /// Tells of what is short from the start, and of calls that stand still later on.
    private func watchResources() {
        if let warning = DescriptorLimit.raise(connections: configuration.maxConnections) {
            logger.warning("\(warning)")
        }
        for gap in ConfinementSupport.gaps { logger.warning("\(gap)") }
        do {
            try queue.watch.begin(logger) { [weak self] in self?.lostCalls() ?? [] }
        } catch { logger.warning("calls that make no progress will not be logged: \(error)") }
    }

    /// Calls that ask for the engine and have never come to it, though it is free.
    private func lostCalls() -> [String] {
        guard queue.unfinished == 0 else { return [] }
        return wire.calls.filter {
            $0.seconds >= EngineWatch.patience / .seconds(1)
                && ($0.method.hasPrefix("auscult.v1.Trace/") || $0.method.hasPrefix("auscult.v1.Transcribe/"))
        }.map {
            "the call \($0.method) of process \($0.peer.pid) makes no progress: it has been here for \(Int($0.seconds)) s, and the engine is free"
        }
    }

    private func logKernels() {
        let kernels = V1.KernelStatus.current
        logger.info(
            "kernels: \(kernels.implementation), products \(kernels.products); OpenBLAS \(kernels.blasVersion), \(kernels.blasCore)"
        )
        if let correction = BLASLibrary.description.correction { logger.notice("\(correction)") }
        for warning in kernels.warnings { logger.warning("\(warning)") }
    }

    /// Takes back what a start that failed had made.
    private func abandonStart() async {
        let parts = self.parts.withLock { parts in
            defer { parts = Parts() }
            return parts
        }
        parts.socket?.removeFile()
        // From then on the descriptor is the wire's.
        if parts.wire == nil, let socket = parts.socket { close(socket.descriptor) }
        parts.descriptorSocket?.removeFile()
        parts.descriptors?.close()
        await parts.metricsEndpoint?.stop()
    }

    /// Asks ``waitUntilStopped()`` to go on. From any thread, any number of times.
    package func requestStop(drainTimeout: Duration? = nil) { stopFeed.yield(drainTimeout) }

    /// Waits for a request to stop, or for idleness, and stops in good order.
    /// - Parameter stopping: called before it does.
    package func waitUntilStopped(stopping: @Sendable () -> Void = {}) async {
        let idleness = Task { [use, logger] in
            try await use.waitUntilIdle()
            logger.notice("no client and no job for the idle time: stopping")
            requestStop()
        }
        var timeout: Duration?
        for await request in stopRequests {
            timeout = request
            break
        }
        idleness.cancel()
        stopping()
        await stop(drainTimeout: timeout)
    }

    /// Takes nothing new, lets what runs finish, and ends. Once; later calls return at once.
    package func stop(drainTimeout: Duration? = nil) async {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        let timeout = drainTimeout ?? .seconds(configuration.drainTimeout)
        health.set(.notServing)
        let parts = self.parts.withLock { $0 }
        // A client that comes now finds no socket, and may start another daemon, rather than wait for this one.
        parts.socket?.leave()
        let limit = ContinuousClock.now + timeout
        async let jobsAreDone: Void = drainJobs(until: limit)
        await parts.wire?.drain(timeout: timeout)
        await jobsAreDone
        parts.descriptorSocket?.removeFile()
        parts.descriptors?.close()
        await parts.metricsEndpoint?.stop()
        self.parts.withLock { $0 = Parts() }
        logger.notice("stopped")
    }

    /// Work that does not notice its cancellation, in a system call that does not return, is left behind.
    private func drainJobs(until limit: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [jobs] in await jobs.drain(until: limit) }
            group.addTask { try? await Task.sleep(until: limit + .seconds(5), clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Whether other users may connect, who then are told apart by the system's word on who they are.
    private var isShared: Bool { !configuration.allowUIDs.isEmpty }

    // MARK: - Parts

    /// Where clients connect.
    package var socketPath: String { parts.withLock { $0.socket?.path } ?? configuration.socket.path }

    var wire: WireServer {
        parts.withLock { parts in
            if let wire = parts.wire { return wire }
            // Before the start and after the end there are no calls to speak of.
            return WireServer([], logger: logger)
        }
    }

    var descriptors: DescriptorHandoff? { parts.withLock { $0.descriptors } }

    func cancel(subscription id: String) -> Bool { wire.cancel(subscription: id) }

    /// Without a place for that socket the daemon serves all the same, only no shared memory.
    private func startDescriptors(beside socket: ListeningSocket) {
        do {
            let listening = try bindDescriptors(beside: socket)
            let policy = PeerPolicy(alsoAllowing: configuration.allowUIDs)
            let handoff = try DescriptorHandoff(
                listening: listening.descriptor, path: listening.path,
                authorize: { policy.allows(PeerCredentials($0)) }, logger: logger)
            parts.withLock { parts in
                parts.descriptors = handoff
                parts.descriptorSocket = listening
            }
        } catch {
            logger.warning("shared memory will not be handed over: \(error)")
        }
    }

    private func bindDescriptors(beside socket: ListeningSocket) throws -> ListeningSocket {
        func bind(_ path: String) throws -> ListeningSocket {
            try ListeningSocket.bind(to: SocketPath(path, environment: [:]), isShared: isShared, takesLock: false)
        }
        let path = socket.path + ".fd"
        do { return try bind(path) } catch let error as FileError where error.code == .unavailable {
            // A daemon that finishes what runs still hands over what it has.
            return try bind(path + "-\(getpid())")
        }
    }

    private func startMetrics() async throws {
        guard configuration.metrics != .off else { return }
        let endpoint = try await MetricsServer(configuration.metrics, logger: logger) { [weak self] in
            self?.metricsText() ?? "# EOF\n"
        }
        parts.withLock { $0.metricsEndpoint = endpoint }
    }

    private func makeWire() -> WireServer {
        var limits = WireServer.Limits()
        limits.connections = configuration.maxConnections
        limits.streamsPerConnection = configuration.maxStreamsPerConnection
        limits.outboundBytes = configuration.bytesInFlight
        limits.stall = .seconds(configuration.stallTimeout)
        let policy = PeerPolicy(alsoAllowing: configuration.allowUIDs)
        return WireServer(
            methods, limits: limits, logger: logger, observer: observer,
            authorize: { peer in
                policy.allows(PeerCredentials(peer))
                    ? nil
                    : WireError(
                        .permissionDenied,
                        "user \(peer.uid) may not use this daemon, which runs as user \(geteuid())",
                        reason: "permission_denied")
            },
            describe: { WireError(describing: $0) })
    }

    private var methods: [ServerMethod] {
        let names: @Sendable () -> [String] = { [weak self] in self?.wire.serviceNames ?? [] }
        let engine = Engine(store: store, queue: queue, uploads: uploads)
        let trace = TraceHandler(engine: engine, logger: logger) { [weak self] in self?.descriptors }
        let transcribe = TranscribeHandler(engine: engine, logger: logger)
        // Beside the folder of the bundles, and not in it: a state is no bundle.
        var plugins = PluginService(
            engine: engine, catalogue: catalogue, folder: configuration.dataFolder.path + "/plugin-state",
            logger: logger)
        plugins.intervals = pluginIntervals
        plugins.captures = captures
        let atlases = AtlasService(plugins: plugins)
        return HealthHandler(state: health, services: names).methods
            + ReflectionHandler(services: names).methods
            + DaemonHandler(server: self).methods
            + ModelHandler(catalogue: ModelCatalogue(service: models, store: store)).methods
            + AudioHandler(uploads: uploads, engine: engine).methods
            + transcribe.methods + trace.methods
            + JobHandler(
                jobs: jobs, transcribe: transcribe, trace: trace, plugins: plugins, atlases: atlases, use: use
            ).methods
            + LiveHandler(engine: engine, capture: CaptureHub(), plugins: plugins).methods
            + PluginHandler(service: plugins).methods
            + AtlasHandler(service: atlases).methods
            + RecordingsHandler(service: RecordingsService(engine: engine)).methods
    }

    private var observer: WireServer.Observer {
        var observer = WireServer.Observer()
        observer.connectionOpened = { [use, uploads] id in
            uploads.opened(id)
            use.begin(.connection(id))
        }
        observer.connectionClosed = { [use, uploads] id in
            uploads.discardAll(of: id)
            use.end(.connection(id))
        }
        observer.callEnded = { [metrics] method, code, duration in
            metrics.callEnded(method, code: code.description, duration)
        }
        return observer
    }

    func metricsText() -> String { metrics.openMetrics }

    private func observeGauges() {
        metrics.observe(
            DaemonMetrics.Gauges(
                connections: { [weak self] in self?.wire.connectionCount ?? 0 },
                waiting: { [queue] in queue.waiting }, running: { [queue] in queue.running },
                jobs: { [jobs] in jobs.unfinished }, modelBytes: { [store] in store.memoryBytes }))
    }
}

extension PeerCredentials {
    init(_ peer: Peer) { self.init(pid: peer.pid, uid: peer.uid, gid: peer.gid) }
}
