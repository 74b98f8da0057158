import Audio
import Foundation
import Mel
import Messages
import Synchronization
import TestHost
import Whisper

// What the daemon itself makes of captures is what is measured.
@testable import Daemon
@testable import PluginHost

/// What the wall around plugins costs: one engine, one library, the same captures; the analysis once called in this process
/// through the C interface with nothing copied, and once in a process of its own, as the daemon does it.
///
/// All ways are taken in every round, in changing order, so that whatever else the machine does falls on all alike. The sound
/// is heard twice in each: every window through the encoder with the plugin's hooks, and process() on what was captured. The
/// first time the memory between the processes has to be made; finish(), and the start and end of the process, come once a
/// run and are told by themselves.
struct PluginWall {
    static let plugin = "attention-stats"
    static let audioSeconds = 30

    private let model: WhisperModel
    private let hooks: Set<HookPoint>
    private let windows: [[Float]]
    private let bundle: PluginBundle
    private let library: TestPlugin

    /// - Parameters:
    ///   - models: the folder with the default model and the demonstration clips.
    ///   - bundles: the folder with the plugins' bundles.
    init(models: String, bundles: String) throws {
        model = try WhisperModel(Checkpoint.open(models + "/default"))
        hooks = Set(try HookPoint.matching("encoder.blocks.*.attn.pattern", in: model.dimensions))
        let folder = "\(bundles)/org.auscult.\(Self.plugin)"
        bundle = try PluginBundle(folder: folder)
        library = try TestPlugin(bundle: folder)
        var sound: [Float] = []
        for name in ["en-long-01", "en-slt-01", "en-slt-02"] {
            sound += try SampleBuffer.read(.file("\(models)/demo/\(name).flac")).readAll()
        }
        let (size, wanted) = (model.dimensions.windowSamples, Self.audioSeconds * SampleBuffer.sampleRate)
        guard sound.count >= wanted else {
            throw PluginError(.notFound, "the clips in \(models)/demo are shorter than \(Self.audioSeconds) s")
        }
        windows = stride(from: 0, to: wanted, by: size).map { Array(sound[$0..<min($0 + size, wanted)]) }
    }

    /// Seconds of hearing the sound once.
    private struct Hearing {
        var whole = 0.0, engine = 0.0, process = 0.0
        /// Of the cores, for the whole: of this process and of the plugin's. What else the machine does hardly changes it.
        var cores = 0.0
    }

    /// Seconds of a run that hears the sound twice: at first the plugin's memory has to be made.
    private struct Times {
        var first = Hearing(), again = Hearing()
        var finish = 0.0
        /// Of a process: until it is described, and until it has ended.
        var start = 0.0, end = 0.0
    }

    func measure(rounds: Int, _ add: (Measurement) -> Void) throws {
        var times: [Way: [Times]] = [:]
        var copies: [Double] = [], limits: [Double] = [], loads: [Double] = []
        // Memory, caches and clocks get warm; and all ways have to say the same.
        let known = try run(.inProcess).results
        var memory = try WindowMemory(capacity: WindowMemory.largest)
        for round in 0..<rounds {
            for place in Way.allCases.indices {
                let way = Way.allCases[(place + round) % Way.allCases.count]
                let (time, results) = try run(way)
                guard results == known else {
                    throw PluginError(.failed, "\(Self.plugin) says something else when it is run \(way)")
                }
                times[way, default: []].append(time)
            }
            copies.append(try copying(&memory))
            limits.append(MachineLimits.copy())
            loads.append(MachineLimits.load())
        }
        let bytes = try windows.indices.reduce(0) { try $0 + byteCount(listen($1)) }
        func tell(_ name: String, _ unit: String, _ samples: [Double], note: String = "") {
            add(Measurement(name: name, unit: unit, note: note, samples: samples))
        }
        func milliseconds(_ name: String, _ samples: [Double], note: String = "") {
            tell("plugins: " + name, "ms", samples.map { $0 * 1e3 }, note: note)
        }
        let here = times[.inProcess] ?? [], there = times[.walled] ?? [], anew = times[.walledAnew] ?? []
        milliseconds(
            "engine and analysis in one process", here.map(\.again.whole),
            note: "\(Self.plugin), \(Self.audioSeconds) s of audio, \(bytes / 1_000_000) MB of patterns")
        milliseconds("… over the wall", there.map(\.again.whole))
        milliseconds("the engine's part, in one process", here.map(\.again.engine))
        milliseconds("process(), in one process", here.map(\.again.process))
        milliseconds("process(), over the wall", there.map(\.again.process))
        milliseconds("time of the cores, in one process", here.map(\.again.cores))
        milliseconds("time of the cores, over the wall", there.map(\.again.cores))
        func cost(_ name: String, of others: [Times], _ value: (Times) -> Double) {
            let samples = zip(here, others).map { (value($1) / value($0) - 1) * 100 }
            tell("plugins: cost of the wall, " + name, "%", samples)
        }
        cost("by the clock", of: there, \.again.whole)
        cost("in time of the cores", of: there, \.again.cores)
        cost("cores, a process's first \(Self.audioSeconds) s", of: there, \.first.cores)
        cost("cores, without kept memory", of: anew, \.again.cores)
        milliseconds("copies for the plugin, by themselves", copies)
        tell("plugins: the same", "GB/s", copies.map { Double(bytes) / $0 / 1e9 })
        tell("machine: copy in memory, in the same rounds", "GB/s", limits)
        milliseconds("finish(), in one process", here.map(\.finish))
        milliseconds("finish(), over the wall", there.map(\.finish))
        milliseconds("start of a process, once a run", there.map(\.start))
        milliseconds("end of a process, once a run", there.map(\.end))
        let cores = ProcessInfo.processInfo.activeProcessorCount
        tell("machine: load, mean of a minute", "processes", loads, note: "\(cores) cores")
    }

    // MARK: - The ways

    private enum Way: CaseIterable {
        case inProcess, walled
        /// With memory that is made anew for each window, as it is for those that are too large to keep.
        case walledAnew
    }

    private func run(_ way: Way) throws -> (times: Times, results: String) {
        try way == .inProcess ? inProcess() : walled(keepsMemory: way == .walled)
    }

    private func inProcess() throws -> (times: Times, results: String) {
        let instance = try library.instance()
        var run = TestRun()
        run.nAudioLayer = model.dimensions.nAudioLayer
        try instance.activate(run)
        var times = Times()
        let heard = { try self.hear(clock: nil) { try self.lend($0, instance.process) } }
        (times.first, times.again) = (try heard(), try heard())
        times.finish = try seconds { try instance.finish() }
        return (times, try table(instance))
    }

    private func walled(keepsMemory: Bool) throws -> (times: Times, results: String) {
        let collected = Collected()
        var times = Times()
        var started: PluginProcess?
        times.start = try seconds {
            started = try PluginProcess.start(
                bundle, services: NoServices(reason: "a measurement has nothing to ask"), keepsMemory: keepsMemory,
                result: { collected.take($0) }
            )
        }
        guard let process = started else { throw PluginError(.failed, "there is no process") }
        _ = try process.create(arguments: [])
        try process.activate(
            PluginRunValue(
                model: "default", sha256: String(repeating: "0", count: 64), precision: .exact, model.dimensions,
                recordings: 1, seed: 0))
        let clock = CoreTime.clock(of: process.processID)
        let heard = { try self.hear(clock: clock) { try process.process(self.value($0)) } }
        (times.first, times.again) = (try heard(), try heard())
        times.finish = try seconds { try process.finish() }
        times.end = seconds { process.close() }
        return (times, collected.table)
    }

    /// Seconds that the copies alone take, into memory that is kept, with nobody there to get it.
    private func copying(_ memory: inout WindowMemory) throws -> Double {
        try windows.indices.reduce(0) { sum, index in
            let value = value(try listen(index))
            memory.clear()
            return sum + (try seconds { _ = try value.message(into: &memory) })
        }
    }

    /// - Parameter clock: of the plugin's process, where it has one.
    private func hear(clock: clockid_t?, _ process: (Window) throws -> Void) throws -> Hearing {
        func cores() -> Double { CoreTime.used() + (clock.map { CoreTime.used($0) } ?? 0) }
        var times = Hearing()
        let began = cores()
        times.whole = try seconds {
            for index in windows.indices {
                var window: Window?
                times.engine += try seconds { window = try listen(index) }
                guard let window else { continue }
                times.process += try seconds { try process(window) }
            }
        }
        times.cores = cores() - began
        return times
    }

    // MARK: - What is heard

    private struct Window {
        let index: Int
        let valid: Int
        let samples: Int
        let captured: [CapturedTensor]
    }

    private func byteCount(_ window: Window) -> Int {
        window.captured.reduce(0) { $0 + $1.tensor.count * MemoryLayout<Float>.size }
    }

    private func listen(_ index: Int) throws -> Window {
        let valid = min(EncoderFrames.valid(sampleCount: windows[index].count), model.dimensions.nAudioCtx)
        let mel = LogMel(bands: model.dimensions.nMels)
            .window(windows[index], windowSamples: model.dimensions.windowSamples)
        var captured: [CapturedTensor] = []
        let run = try HookRun(HookPlan(captures: hooks, validFrames: valid), dimensions: model.dimensions) {
            captured.append($0)
        }
        _ = try model.encode(mel, hooks: run)
        return Window(index: index, valid: valid, samples: windows[index].count, captured: captured)
    }

    /// For a plugin in this process: the tensors stay where the engine left them.
    private func lend(_ window: Window, _ body: (TestClip) throws -> Void) throws {
        var clip = TestClip()
        clip.window = window.index
        clip.windowCount = windows.count
        clip.start = start(window)
        clip.duration = duration(window)
        clip.validFrames = window.valid
        func lend(_ rest: ArraySlice<CapturedTensor>) throws {
            guard let captured = rest.first else { return try body(clip) }
            try captured.tensor.withUnsafeBufferPointer { elements in
                var tensor = TestTensor(
                    captured.hook.name, axes: captured.axes, shape: captured.tensor.shape, values: [],
                    validPositions: window.valid)
                tensor.place = UnsafeRawBufferPointer(elements).baseAddress
                clip.tensors.append(tensor)
                try lend(rest.dropFirst())
            }
        }
        try lend(window.captured[...])
    }

    /// For a plugin in its own process: the tensors are copied when they are sent.
    private func value(_ window: Window) -> PluginClipValue {
        PluginClipValue(
            window: window.index, windowCount: windows.count, name: "sound", start: start(window),
            duration: duration(window), validFrames: window.valid,
            tensors: window.captured.map {
                PluginTensor($0, window: window.index, validFrames: window.valid, model.dimensions)
            })
    }

    private func start(_ window: Window) -> Double {
        Double(window.index * model.dimensions.windowSamples) / Double(SampleBuffer.sampleRate)
    }

    private func duration(_ window: Window) -> Double { Double(window.samples) / Double(SampleBuffer.sampleRate) }

    // MARK: - What is said

    /// The table of heads, every digit of it.
    private func table(_ instance: TestInstance) throws -> String {
        guard case .table(_, let rows) = try instance.result("heads") else { return "" }
        return rows.map { row in
            row.map { cell in
                switch cell {
                case .number(let number): "\(number)"
                case .text(let text): text
                }
            }.joined(separator: " ")
        }.joined(separator: "\n")
    }

    /// Results of a plugin's process, which come on whatever thread reads them.
    private final class Collected: Sendable {
        private let heads = Mutex("")

        var table: String { heads.withLock { $0 } }

        func take(_ result: V1.PluginResult) {
            guard result.outputId == "heads", case .table(let table)? = result.value else { return }
            let text = table.rows.map { row in
                row.cells.map { cell in
                    switch cell.value {
                    case .number(let number)?: "\(number)"
                    case .text(let text)?: text
                    case nil: ""
                    }
                }.joined(separator: " ")
            }.joined(separator: "\n")
            heads.withLock { $0 = text }
        }
    }
}

/// Seconds that processes have had the cores, all threads together.
private enum CoreTime {
    /// The clock of a process.
    static func clock(of process: Int32) -> clockid_t {
        var clock = CLOCK_PROCESS_CPUTIME_ID
        return clock_getcpuclockid(process, &clock) == 0 ? clock : -1
    }

    /// Of this process where no other is named.
    static func used(_ clock: clockid_t = CLOCK_PROCESS_CPUTIME_ID) -> Double {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return .nan }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
