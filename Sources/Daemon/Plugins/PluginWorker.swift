import Foundation
import Messages
import PluginHost
import Synchronization

/// One plugin's process in one run, and the thread that drives it, which holds the engine's turn where it neither calls nor
/// waits for windows.
///
/// One thread uses it. What the plugin says may reach ``outlet``'s closures only while a call is under way.
final class PluginWorker {
    let plugin: FoundPlugin
    let turn: EngineTurn
    let runner: any PluginRunner
    private let running: RunningPlugins
    private let services: EngineServices?
    private let kept: Kept

    /// Time in the engine: for what the plugin needs, and for what it asks.
    var engineTime: Duration { captured + (services?.engineTime ?? .zero) }
    /// Time in the plugin's own code, and in getting there and back.
    var pluginTime: Duration { called - (services?.engineTime ?? .zero) }
    private var captured = Duration.zero
    private var called = Duration.zero

    /// Results that belong to recordings, in their order, and where the next belongs.
    private final class Kept: Sendable {
        struct State {
            var recording: UInt64?
            var results: [PluginState.Result] = []
        }
        let state = Mutex(State())
    }

    /// - Parameters:
    ///   - services: nil where there is no model to ask.
    ///   - outlet: where logs and results go.
    init(
        _ plugin: FoundPlugin, turn: EngineTurn, services: EngineServices?, absence: String = "",
        running: RunningPlugins, outlet: PluginOutlet
    ) throws {
        self.plugin = plugin
        self.turn = turn
        self.services = services
        self.running = running
        let kept = Kept()
        self.kept = kept
        var outlet = outlet
        let result = outlet.result
        outlet.result = { value in
            kept.state.withLock { state in
                guard let recording = state.recording else { return }
                state.results.append(PluginState.Result(recording: recording, result: value))
            }
            try result(value)
        }
        let (wired, ask): (PluginOutlet, any PluginServices) = (outlet, services ?? NoServices(reason: absence))
        runner = try turn.suspended { try Self.translating(turn) { try plugin.start(ask, wired) } }
        running.add(runner)
    }

    deinit { close() }

    func close() {
        running.remove(runner)
        runner.close()
    }

    /// Results that came while recordings were gone through.
    var results: [PluginState.Result] { kept.state.withLock { $0.results } }
    func restore(_ results: [PluginState.Result]) { kept.state.withLock { $0.results = results } }

    /// Calls the plugin, while others compute.
    func call<R>(_ body: (any PluginRunner) throws -> R) throws -> R {
        try turn.suspended {
            let began = ContinuousClock.now
            defer { called += began.duration(to: .now) }
            return try Self.translating(turn) { try body(runner) }
        }
    }

    /// A plugin that ends because it was asked to did not fail.
    private static func translating<R>(_ turn: EngineTurn, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as PluginError where error.code == .cancelled {
            throw turn.stop ?? ServiceError(.cancelled, error.message)
        }
    }

    func create(_ arguments: [V1.PluginArgument]) throws -> PluginNeedsValue {
        let needs = try call { try $0.create(arguments: arguments) }
        services?.take(needs)
        return needs
    }

    /// Lets the plugin hear one recording, the next of those that are read and computed ahead.
    /// - Returns: why the recording was left out; nil where it was heard.
    /// - Throws: what is not the recording's fault.
    func hearNext(of ahead: WindowsAhead) throws -> (any Error)? {
        while true {
            try turn.checkpoint()
            switch try ahead.next() {
            case .unreadable(let error)?:
                if let stop = turn.stop { throw stop }
                return error
            case .window(let recording, let isLast, let process)?:
                kept.state.withLock { $0.recording = recording }
                defer { kept.state.withLock { $0.recording = nil } }
                try call { _ in try process() }
                if isLast { return nil }
            case nil:
                throw turn.stop ?? ServiceError(.cancelled, "the windows of \(plugin.id)'s run ended before the run")
            }
        }
    }

    /// Runs `body` with the windows of recordings that are made ahead of it, meanwhile and by other threads, which have ended
    /// when it comes back.
    func hearing(
        _ recordings: ArraySlice<PluginRecording>, _ capture: PluginCapture, _ body: (WindowsAhead) throws -> Void
    ) throws {
        guard !recordings.isEmpty else { return }
        try turn.suspended {
            let ahead = try WindowsAhead(recordings, capture, runner, turn: turn)
            defer {
                ahead.end()
                captured += ahead.engineTime
            }
            try body(ahead)
        }
    }
}
