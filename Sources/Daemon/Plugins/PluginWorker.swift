import Files
import Foundation
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
    private let journal: SpooledRecords?
    private let recording: CurrentRecording
    private let tell: @Sendable (RunEvent) throws -> Void

    /// Time in the engine: for what the plugin needs, and for what it asks.
    var engineTime: Duration { captured + (services?.engineTime ?? .zero) }
    /// Time in the plugin's own code, and in getting there and back.
    var pluginTime: Duration { called - (services?.engineTime ?? .zero) }
    private var captured = Duration.zero
    private var called = Duration.zero

    /// The recording that the plugin hears; nil outside of those calls.
    private final class CurrentRecording: Sendable {
        let number = Mutex<UInt64?>(nil)
    }

    /// - Parameters:
    ///   - services: nil where there is no model to ask.
    ///   - access: what the plugin's process may do.
    ///   - journal: keeps what is told of recordings; nil where nobody wants it again.
    ///   - tell: gets recordings, and results in pieces.
    init(
        _ plugin: FoundPlugin, turn: EngineTurn, services: EngineServices?, absence: String = "",
        running: RunningPlugins, access: PluginAccess, journal: SpooledRecords? = nil,
        log: @escaping @Sendable (PluginLog) -> Void,
        tell: @escaping @Sendable (RunEvent) throws -> Void
    ) throws {
        self.plugin = plugin
        self.turn = turn
        self.services = services
        self.running = running
        self.journal = journal
        self.tell = tell
        let recording = CurrentRecording()
        self.recording = recording
        let outlet = PluginOutlet(access: access, log: log) { result in
            let number = recording.number.withLock { $0 }
            try result.forEachPiece { try Self.take($0, of: number, journal, tell) }
        }
        let ask: any PluginServices = services ?? NoServices(reason: absence)
        runner = try turn.suspended { try Self.translating(turn) { try plugin.start(ask, outlet) } }
        running.add(runner)
    }

    /// Keeps what belongs to a recording, and tells it.
    private static func take(
        _ event: RunEvent, of recording: UInt64?, _ journal: SpooledRecords?,
        _ tell: (RunEvent) throws -> Void
    ) throws {
        if let recording, let journal {
            try journal.append(recording, event.record)
        }
        try tell(event)
    }

    deinit { close() }

    func close() {
        running.remove(runner)
        runner.close()
    }

    /// The plugin's state now, with what was told of recordings.
    func saved(_ header: PluginState.Header) throws -> PluginState {
        let state = try call { try $0.save() }
        return PluginState(header: header, records: journal?.region ?? RecordRegion(), state: state)
    }

    /// Keeps what a run before this one has told of recordings.
    func restore(_ records: RecordRegion) throws { try turn.suspended { try journal?.append(records) } }

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

    func create(_ arguments: [PluginArgument]) throws -> PluginNeedsValue {
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
            case .window(let window)?:
                if let info = window.begins {
                    try turn.suspended { try Self.take(.recording(info), of: window.recording, journal, tell) }
                }
                recording.number.withLock { $0 = window.recording }
                defer { recording.number.withLock { $0 = nil } }
                try call { _ in try window.process() }
                if window.isLast { return nil }
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
