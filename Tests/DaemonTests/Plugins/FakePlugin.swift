import Foundation
import Messages
@testable import PluginHost
import Synchronization

@testable import Daemon

/// A plugin without a process: counts the frames and adds up what it sees, in integers, so that any order gives the
/// same.
final class FakePlugin: PluginRunner {
    static let id = "org.example.counting"

    struct Behaviour: Sendable {
        var needs: PluginNeedsValue = {
            var needs = PluginNeedsValue()
            needs.hooks = ["encoder.conv1"]
            needs.audio = true
            needs.hasState = true
            return needs
        }()
        /// Called with the number of each recording, before it counts.
        var hearing: @Sendable (UInt64) throws -> Void = { _ in }
        var blocksAt: UInt64?
        /// Beside its own two.
        var parameters: [PluginParameter] = []
        var asks: (@Sendable (any PluginServices) throws -> String)?
        /// Called in each window's call, with what the plugin may ask.
        var asksWhileHearing: (@Sendable (any PluginServices) throws -> Void)?
        /// Called where a window is put for the plugin, and when it is through with it.
        var staging: @Sendable (PluginClipValue) throws -> Void = { _ in }
        var processed: @Sendable (PluginClipValue) -> Void = { _ in }
        /// What it gives of a window beside its sum.
        var gives: @Sendable (PluginClipValue) -> [PluginResult] = { _ in [] }
    }

    private struct State {
        var recordings: Int64 = 0
        var frames: Int64 = 0
        var sum: Int64 = 0
        var heard: [UInt64] = []
        var isActive = false
        var isClosed = false
    }

    private let behaviour: Behaviour
    private let services: any PluginServices
    private let outlet: PluginOutlet
    private let journal: Journal
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let isCancelled = Atomic(false)

    /// What happened to all fakes of one test.
    final class Journal: Sendable {
        let lines = Mutex<[String]>([])
        func note(_ line: String) { lines.withLock { $0.append(line) } }
        func count(_ line: String) -> Int { lines.withLock { $0.count { $0 == line } } }
    }

    init(_ behaviour: Behaviour, _ services: any PluginServices, _ outlet: PluginOutlet, _ journal: Journal) {
        self.behaviour = behaviour
        self.services = services
        self.outlet = outlet
        self.journal = journal
        journal.note("start")
    }

    static func catalogue(
        _ behaviour: Behaviour = Behaviour(), _ journal: Journal = Journal(), library: String = "/nowhere",
        version: String = "1.0"
    ) -> PluginCatalogue {
        let listing = PluginListing(id: id, name: "Counting", version: version)
        return PluginCatalogue(
            list: { _ in [listing] },
            find: { name, _ in
                guard name == id || name == "counting" else { throw PluginError(.notFound, "no plugin \(name)") }
                return FoundPlugin(id: id, version: version, library: library) {
                    FakePlugin(behaviour, $0, $1, journal)
                }
            })
    }

    func describe() throws -> PluginDescription {
        PluginDescription(
            listing: PluginListing(id: Self.id, version: "1.0"),
            parameters: [
                PluginParameter(id: "step", kind: .integer, default: "1", minimum: 1, maximum: 9),
                PluginParameter(id: "mode", kind: .choice, default: "fast", choices: ["fast", "slow"]),
            ] + behaviour.parameters)
    }

    func create(arguments: [PluginArgument]) throws -> PluginNeedsValue {
        journal.note("create " + arguments.map { "\($0.id)=\($0.value)" }.joined(separator: " "))
        return behaviour.needs
    }

    func activate(_ run: PluginRunValue) throws {
        state.withLock { $0.isActive = true }
        journal.note("activate \(run.recordings)")
        if let asks = behaviour.asks { journal.note(try asks(services)) }
    }

    func stage(_ clip: PluginClipValue) throws -> @Sendable () throws -> Void {
        try behaviour.staging(clip)
        return { try self.process(clip) }
    }

    /// All numbers of a window, in integers.
    static func sum(_ clip: PluginClipValue) throws -> Int64 {
        var sum: Int64 = 0
        for tensor in clip.tensors {
            try tensor.withBytes { bytes in
                for value in bytes.bindMemory(to: Float.self) { sum += Int64((value * 4096).rounded()) }
            }
        }
        for sample in clip.samples ?? [] { sum += Int64((sample * 4096).rounded()) }
        return sum
    }

    func process(_ clip: PluginClipValue) throws {
        try behaviour.hearing(clip.recording)
        if clip.recording == behaviour.blocksAt {
            journal.note("blocked")
            wake.wait()
        }
        guard !isCancelled.load(ordering: .acquiring) else {
            throw PluginError(.cancelled, "\(Self.id) was cancelled")
        }
        try behaviour.asksWhileHearing?(services)
        let sum = try Self.sum(clip)
        let frames = state.withLock { state in
            if clip.window == 0 { state.recordings += 1 }
            state.heard.append(clip.recording)
            state.frames += Int64(clip.validFrames)
            state.sum += sum
            return state.frames
        }
        _ = frames
        try outlet.result(
            PluginResult(output: "sum", recording: clip.name, value: .scalar(Double(sum))))
        for result in behaviour.gives(clip) { try outlet.result(result) }
        behaviour.processed(clip)
    }

    func finish() throws {
        let (frames, sum, recordings) = state.withLock { ($0.frames, $0.sum, $0.recordings) }
        try outlet.result(PluginResult(output: "frames", value: .scalar(Double(frames))))
        try outlet.result(PluginResult(output: "total", value: .text("\(recordings) \(sum)")))
    }

    func save() throws -> [UInt8] {
        state.withLock { state in
            Array("\(state.recordings) \(state.frames) \(state.sum) \(state.heard.sorted())".utf8)
        }
    }

    func merge(_ bytes: [UInt8]) throws {
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 3)
        guard fields.count == 4, let recordings = Int64(fields[0]), let frames = Int64(fields[1]),
            let sum = Int64(fields[2])
        else { throw PluginError(.failed, "damaged state") }
        let heard = fields[3].split(whereSeparator: { !$0.isNumber }).compactMap { UInt64($0) }
        state.withLock { state in
            state.recordings += recordings
            state.frames += frames
            state.sum += sum
            state.heard += heard
        }
        journal.note("merge")
    }

    func cancel() {
        isCancelled.store(true, ordering: .releasing)
        wake.signal()
    }

    func close() {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if !wasClosed { journal.note("close") }
    }
}

/// Short recordings, each a different hum: 16-bit WAV at 16 kHz, written here byte by byte.
func writeRecordings(_ count: Int, in folder: String, milliseconds: Int = 60) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for number in 0..<count {
        let samples = (0..<16 * milliseconds + number).map {
            Int16(8000 * sin(Double($0) * 0.02 * Double(1 + number % 17)))
        }
        let name = String(repeating: "0", count: 5 - "\(number)".count) + "\(number).wav"
        try writeRecording(samples, to: folder + "/" + name)
    }
}

/// A WAV file of 16 kHz.
func writeRecording(_ samples: [Int16], to path: String) throws {
    func little(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
    var file = Array("RIFF".utf8) + little(36 + 2 * samples.count, 4) + Array("WAVEfmt ".utf8)
    file += little(16, 4) + little(1, 2) + little(1, 2) + little(16_000, 4) + little(32_000, 4)
    file += little(2, 2) + little(16, 2) + Array("data".utf8) + little(2 * samples.count, 4)
    for sample in samples { file += little(Int(sample) & 0xFFFF, 2) }
    try Data(file).write(to: URL(fileURLWithPath: path))
}

/// Everything that one run told.
struct ToldRun: Sendable {
    var results: [V1.PluginResult] = []
    var skipped: [V1.SkippedRecording] = []
    var notices: [V1.RecordingNotice] = []
    var progress: [V1.Progress] = []
    var recordings: [V1.RecordingInfo] = []
    var provenance: [V1.Provenance] = []
    /// The state that was sent.
    var state: [UInt8] = []
    var assembly = ResultAssembly()
    var end = V1.PluginEnd()

    /// The results as they go over the wire.
    var bytes: [[UInt8]] { results.map { $0.serialized() } }
}

extension PluginState {
    /// What was told of recordings, with their numbers.
    var events: [V1.PluginEvent] {
        get throws {
            var events: [V1.PluginEvent] = []
            try forEachEvent { recording, event in
                events.append(V1.PluginEvent(seq: recording, event: .init(event)))
            }
            return events
        }
    }
}

// Runs as they are asked for over the wire.
extension PluginService {
    func run(
        _ request: V1.RunPluginRequest, client: ClientID, deadline: ContinuousClock.Instant?, connection: UInt64?,
        emit: @escaping @Sendable (V1.PluginEvent.Event) throws -> Void
    ) async throws -> V1.PluginEnd {
        let run = try RunRequest(request, in: CallerFolder(nil) { _ in false }, self)
        return V1.PluginEnd(
            try await self.run(run, client: client, deadline: deadline, connection: connection) { event in
                try emit(.init(event))
            })
    }

    func merge(
        _ request: V1.MergePluginRequest, client: ClientID, deadline: ContinuousClock.Instant?,
        emit: @escaping @Sendable (V1.PluginEvent.Event) throws -> Void
    ) async throws -> V1.PluginEnd {
        V1.PluginEnd(
            try await merge(try MergeRequest(request), client: client, deadline: deadline) { event in
                try emit(.init(event))
            })
    }
}
