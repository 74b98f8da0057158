import PluginHost
import Synchronization

/// A plugin that is running, as a run sees it: ``PluginProcessRunner``, or a stand-in in tests.
///
/// All calls block and come one at a time; only ``cancel()`` may come at any time, from any thread, and ``stage(_:)`` from
/// one other.
protocol PluginRunner: AnyObject, Sendable {
    func describe() throws -> PluginDescription
    func create(arguments: [PluginArgument]) throws -> PluginNeedsValue
    func activate(_ run: PluginRunValue) throws
    func process(_ clip: PluginClipValue) throws
    /// Puts a window where the plugin will read it, while the plugin may be working on the one before.
    /// - Returns: the call for it, made once, in the order in which windows were staged.
    func stage(_ clip: PluginClipValue) throws -> @Sendable () throws -> Void
    func finish() throws
    func save() throws -> [UInt8]
    func merge(_ state: [UInt8]) throws
    func cancel()
    func close()
}

extension PluginRunner {
    func stage(_ clip: PluginClipValue) throws -> @Sendable () throws -> Void { { try self.process(clip) } }
}

/// What a plugin says while it runs; called on the thread of the call under way.
struct PluginOutlet: Sendable {
    /// What its process may do.
    var access = PluginAccess()
    var log: @Sendable (PluginLog) -> Void = { _ in }
    /// What it throws ends the call.
    var result: @Sendable (PluginResult) throws -> Void = { _ in }
}

/// A plugin that was found and can be started.
struct FoundPlugin: Sendable {
    let id: String
    let version: String
    /// Its library, by whose file a description that is kept stays true.
    let library: String
    let start: @Sendable (any PluginServices, PluginOutlet) throws -> any PluginRunner
}

/// Where plugins are found.
struct PluginCatalogue: Sendable {
    /// - Parameter: folders to look in first.
    let list: @Sendable (_ first: [String]) -> [PluginListing]
    /// By full id, by its last part where that is one only, or by a bundle's absolute path.
    let find: @Sendable (String, _ first: [String]) throws -> FoundPlugin
}

/// Every plugin of one run, so that all can be cancelled from another thread.
final class RunningPlugins: Sendable {
    private struct State {
        var runners: [any PluginRunner] = []
        var isCancelled = false
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// From now on it is cancelled with the others; at once where they are already.
    func add(_ runner: any PluginRunner) {
        let isCancelled = state.withLock { state in
            state.runners.append(runner)
            return state.isCancelled
        }
        if isCancelled { runner.cancel() }
    }

    func remove(_ runner: any PluginRunner) {
        state.withLock { $0.runners.removeAll { $0 === runner } }
    }

    func cancel() {
        let runners = state.withLock { state in
            state.isCancelled = true
            return state.runners
        }
        for runner in runners { runner.cancel() }
    }
}
