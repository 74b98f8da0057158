import CDescriptors
import Files
import Foundation
import Messages
import Synchronization

/// A plugin in a process of its own.
///
/// All calls block, and come one at a time from any thread; only ``cancel()`` and ``stage(_:)`` may come at any time. After
/// an error whose ``PluginError/isCrash`` is true, and after ``close()``, every call throws.
// Sendable: `session`, `instances`, whether memory was sent, and `hasCrashed` are only touched with `calls` held, the rest never changes.
public final class PluginProcess: @unchecked Sendable {
    public let bundle: PluginBundle
    private let limits: PluginLimits
    private let quarantine: PluginQuarantine?
    private let calls = NSLock()
    private let session: PluginSession
    /// The instances that were made, by number.
    private var instances: [UInt32: PluginNeedsValue] = [:]
    private var hasCrashed = false
    /// What windows are put into, where memory is kept.
    private let places = WindowPlaces()
    private let keepsMemory: Bool
    private let description: V1.PluginDescription
    private let cancelPipe: FileDescriptor
    private let wake: FileDescriptor
    private let grants: PluginGrants

    /// Starts the process, which confines itself, and loads the library.
    /// - Parameters:
    ///   - access: what the process may do, of what `services` has no say in.
    ///   - quarantine: refuses a plugin that crashed too often, and learns of crashes and of runs that finished. It may
    ///     ask for a pause before another start, for which this waits.
    ///   - keepsMemory: whether two places of one memory are filled for window after window, which is faster. Without, a plugin that reads a
    ///     tensor after its call crashes, instead of reading what came later.
    ///   - log: gets the lines of the plugin's log, its stdout and its stderr. On the thread of the call under way.
    ///   - progress: on the thread of the call under way.
    ///   - result: each result, checked against its declaration. What it throws ends the process, and the call.
    /// - Throws: ``PluginError``.
    public static func start(
        _ bundle: PluginBundle, access: PluginAccess = PluginAccess(), limits: PluginLimits = PluginLimits(),
        services: any PluginServices, quarantine: PluginQuarantine? = nil, keepsMemory: Bool = true,
        log: @escaping @Sendable (V1.PluginLog) -> Void = { _ in },
        progress: @escaping @Sendable (V1.Progress) -> Void = { _ in },
        result: @escaping @Sendable (V1.PluginResult) throws -> Void
    ) throws -> PluginProcess {
        if let pause = try quarantine?.pause(before: bundle), pause > 0 { Thread.sleep(forTimeInterval: pause) }
        do {
            return try PluginProcess(bundle, access, limits, services, quarantine, keepsMemory, log, progress, result)
        } catch let error as PluginError where error.isCrash {
            quarantine?.crashed(bundle, error)
            throw error
        }
    }

    private init(
        _ bundle: PluginBundle, _ access: PluginAccess, _ limits: PluginLimits, _ services: any PluginServices,
        _ quarantine: PluginQuarantine?, _ keepsMemory: Bool, _ log: @escaping @Sendable (V1.PluginLog) -> Void,
        _ progress: @escaping @Sendable (V1.Progress) -> Void,
        _ result: @escaping @Sendable (V1.PluginResult) throws -> Void
    ) throws {
        self.bundle = bundle
        self.limits = limits
        self.quarantine = quarantine
        self.keepsMemory = keepsMemory
        var pipe: [Int32] = [-1, -1]
        guard auscult_pipe(&pipe) == 0 else { throw Self.failure() }
        let cancelled = FileDescriptor(owning: pipe[0], path: "a plugin's cancellation")
        cancelPipe = FileDescriptor(owning: pipe[1], path: "a plugin's cancellation")
        let event = auscult_event_descriptor()
        guard event >= 0 else { throw Self.failure() }
        wake = FileDescriptor(owning: event, path: "a plugin's cancellation")
        // Whoever has no folder for it has refused to have one.
        grants = try PluginGrants(bundle, access, folder: try? services.stateFolder())
        let child = try ChildProcess(executable: HostExecutable.path(), limits: limits, cancelled: cancelled)
        session = PluginSession(
            id: bundle.id, child: child, wake: wake, limits: limits,
            serve: { ServedAnswer.serve($0, services) }, log: log, progress: progress, result: result)
        let load = HostV1.Load(
            folder: bundle.folder, library: bundle.library, pluginId: bundle.id, version: bundle.version,
            results: UInt64(clamping: limits.results), resultBytes: UInt64(clamping: limits.resultBytes),
            allResultBytes: UInt64(clamping: limits.allResultBytes), confinement: grants.message)
        let done = try session.call("describe", .load(load), timeout: limits.startTimeout)
        var description = done.description ?? V1.PluginDescription()
        if let problem = DescriptionCheck.problem(in: description, id: bundle.id, version: bundle.version) {
            let error = PluginError(.brokenBundle, "plugin \(bundle.id): \(problem)")
            session.end(with: error, in: "describe")
            throw error
        }
        description.listing?.path = bundle.folder
        description.listing?.problem = ""
        description.permissions = bundle.permissions.message
        self.description = description
        session.declare(description.outputs)
    }

    deinit {
        session.end(with: PluginError(.failed, "closed"), in: "deinit")
        grants.release()
    }

    /// What the plugin says of itself, checked; read when it was started.
    public func describe() throws -> V1.PluginDescription {
        try guarded { session in
            if let reason = session.endReason { throw reason }
            return description
        }
    }

    /// Makes the instance. Kinds and ranges of the arguments are checked here first.
    /// - Returns: the needs after the arguments.
    public func create(arguments: [V1.PluginArgument]) throws -> PluginNeedsValue {
        try create(arguments: arguments, instance: 0)
    }

    public func activate(_ run: PluginRunValue) throws { try activate(run, instance: 0) }

    public func process(_ clip: PluginClipValue) throws { try process(clip, instance: 0) }

    /// Puts a window where the process will read it. From any thread, also while a call is under way; the two places for
    /// windows are used in turn, and a third one at the same time has memory of its own.
    /// - Returns: the call for it, which is made once.
    public func stage(_ clip: PluginClipValue) throws -> @Sendable () throws -> Void { try stage(clip, instance: 0) }

    public func finish() throws {
        try finish(instance: 0)
        quarantine?.succeeded(bundle)
    }

    /// What the instance has seen since ``create(arguments:)``, as bytes that only the plugin understands.
    /// - Throws: ``PluginError`` (`unsupported`) where the plugin has no state.
    public func save() throws -> [UInt8] { try save(instance: 0) }

    /// Takes in what another instance with the same arguments has saved.
    public func merge(_ state: [UInt8]) throws { try merge(state, instance: 0) }

    /// Asks the plugin to end the call under way, and kills it where it has not within the limits' grace.
    /// From any thread, and for good: later calls have no more time than that either.
    public func cancel() {
        // Both take a byte without blocking, and a byte that is there already is as good as another.
        var byte: UInt64 = 1
        _ = write(cancelPipe.number, &byte, 1)
        _ = write(wake.number, &byte, 8)
    }

    /// Destroys the instance and ends the process; kills it where it does not end itself. Never throws, never leaves a
    /// process behind.
    public func close() { _ = closeReporting() }

    // MARK: - Several instances, for whoever validates

    func create(arguments: [V1.PluginArgument], instance: UInt32, checked: Bool = true) throws -> PluginNeedsValue {
        try guarded { session in
            if checked { try ArgumentCheck.check(arguments, of: description) }
            guard instances[instance] == nil else {
                throw PluginError(.failed, "plugin \(bundle.id): its instance is there already")
            }
            let call = HostV1.Create(arguments: arguments)
            let done = try session.call("create", .create(call), instance: instance)
            guard let needs = done.needs.flatMap(PluginNeedsValue.init) else {
                let error = PluginError(.brokeRules, "plugin \(bundle.id) has impossible needs; its process was killed")
                session.end(with: error, in: "create")
                throw error
            }
            instances[instance] = needs
            return needs
        }
    }

    func activate(_ run: PluginRunValue, instance: UInt32) throws {
        let call = HostV1.Activate(
            model: run.model, modelSha256: run.modelSHA256, dimensions: run.dimensions, recordings: run.recordings,
            seed: run.seed, precision: run.precision)
        _ = try guarded { try $0.call("activate", .activate(call), instance: made(instance)) }
    }

    func process(_ clip: PluginClipValue, instance: UInt32) throws { try stage(clip, instance: instance)() }

    private func stage(_ clip: PluginClipValue, instance: UInt32) throws -> @Sendable () throws -> Void {
        guard let size = try clip.memorySize else {
            let call = try clip.message()
            return { try self.process(call, instance) { nil } }
        }
        guard keepsMemory, (1...WindowMemory.largest).contains(size), var place = try places.place(for: size) else {
            var memory = try SealedMemory()
            let call = try clip.message(into: &memory)
            try memory.seal()
            let descriptor = memory.descriptor
            return { try self.process(call, instance) { descriptor } }
        }
        let call = try clip.message(into: &place)
        return { [place] in
            defer { place.giveBack() }
            try self.process(call, instance) {
                defer { place.memory.isSent = true }
                return place.memory.isSent ? nil : place.memory.descriptor
            }
        }
    }

    /// - Parameter memory: what goes with the call; nil where there is none, or the other side has it.
    private func process(_ call: HostV1.Process, _ instance: UInt32, memory: () -> FileDescriptor?) throws {
        _ = try guarded { session in
            try session.call("process", .process(call), instance: made(instance), memory: memory())
        }
    }

    func finish(instance: UInt32) throws {
        _ = try guarded { try $0.call("finish", .finish(HostV1.Finish()), instance: made(instance)) }
    }

    func save(instance: UInt32) throws -> [UInt8] {
        try guarded { session in
            let number = try withState(instance)
            var state: [UInt8] = []
            _ = try session.call("save", .save(HostV1.Save()), instance: number) { piece in
                guard state.count + piece.count <= self.limits.stateBytes else {
                    throw PluginError(
                        .limit, "plugin \(self.bundle.id) saves a state of more than \(self.limits.stateBytes) bytes")
                }
                state += piece
            }
            return state
        }
    }

    func merge(_ state: [UInt8], instance: UInt32) throws {
        var memory = try SealedMemory()
        _ = try state.withUnsafeBytes { try memory.append($0) }
        try memory.seal()
        let call = HostV1.Merge(memory: UInt64(memory.size))
        let descriptor = memory.descriptor
        _ = try guarded {
            try $0.call("merge", .merge(call), instance: withState(instance), memory: descriptor)
        }
    }

    func destroy(instance: UInt32) throws {
        _ = try guarded { session in
            let number = try made(instance)
            instances[number] = nil
            return try session.call("destroy", .destroy(HostV1.Destroy()), instance: number)
        }
    }

    /// Like ``close()``; says whether the process ended by itself, and whether it wrote to its stdout.
    func closeReporting() -> (willingly: Bool, wroteOutput: Bool) {
        calls.withLock {
            let willingly = session.leave(
                instances: instances.keys.sorted(), timeout: min(limits.processTimeout, limits.closeTimeout))
            instances = [:]
            grants.release()
            return (willingly, session.hasWrittenOutput)
        }
    }

    /// Of the process, for tests.
    package var processID: Int32 { calls.withLock { session.child?.id ?? -1 } }

    private func made(_ instance: UInt32) throws -> UInt32 {
        if let reason = session.endReason { throw reason }
        guard instances[instance] != nil else {
            throw PluginError(.failed, "plugin \(bundle.id): there is no instance yet")
        }
        return instance
    }

    private func withState(_ instance: UInt32) throws -> UInt32 {
        let number = try made(instance)
        guard instances[number]?.hasState == true else {
            throw PluginError(.unsupported, "plugin \(bundle.id) can neither save its state nor merge others'")
        }
        return number
    }

    private func guarded<R>(_ body: (PluginSession) throws -> R) throws -> R {
        do {
            return try calls.withLock { try body(session) }
        } catch let error as PluginError where error.isCrash {
            // Reported once for each process: later calls repeat the reason, which is not another crash.
            let isFirst = calls.withLock {
                defer { hasCrashed = true }
                return !hasCrashed
            }
            if isFirst { quarantine?.crashed(bundle, error) }
            throw error
        }
    }

    private static func failure() -> PluginError {
        PluginError(.system, "a plugin's process cannot be started: \(systemReason())")
    }
}
