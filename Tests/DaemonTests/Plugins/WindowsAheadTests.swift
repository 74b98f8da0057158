import Audio
import DataSets
import Foundation
import Messages
import PluginHost
import Synchronization
import Testing
import Wire

@testable import Daemon

/// Windows as they come out of a run, and how far it is ahead of the plugin.
private final class Watch: Sendable {
    private struct State {
        var staged: [String] = []
        var processed: [String] = []
        var most = 0
    }
    private let state = Mutex(State())

    func stage(_ clip: PluginClipValue) {
        state.withLock { state in
            state.staged.append("\(clip.recording)/\(clip.window)")
            state.most = max(state.most, state.staged.count - state.processed.count)
        }
    }

    func process(_ clip: PluginClipValue) {
        state.withLock { $0.processed.append("\(clip.recording)/\(clip.window)") }
    }

    var staged: [String] { state.withLock { $0.staged } }
    var processed: [String] { state.withLock { $0.processed } }
    /// Windows that were staged and not yet through, at most.
    var most: Int { state.withLock { $0.most } }
}

@Suite("Windows that are made ahead of a plugin", .timeLimit(.minutes(10))) struct WindowsAheadTests {
    private let watch = Watch()
    private let journal = FakePlugin.Journal()

    private func behaviour(_ change: (inout FakePlugin.Behaviour) -> Void = { _ in }) -> FakePlugin.Behaviour {
        var behaviour = FakePlugin.Behaviour()
        behaviour.staging = { [watch] in watch.stage($0) }
        behaviour.processed = { [watch] in watch.process($0) }
        change(&behaviour)
        return behaviour
    }

    /// Waits until `holds`, and then as long again as makes it likely that nothing more comes.
    private func settled(_ holds: () -> Bool) async throws {
        while !holds() { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(150))
    }

    /// What a run's windows are, computed one after the other.
    private func oneByOne(_ bench: PluginBench, _ request: V1.RunPluginRequest) async throws -> [String] {
        let recordings = try PluginRecordings(
            single: [], dataSets: request.dataSets, shard: nil, stopAtBroken: false
        ).recordings
        let needs = FakePlugin.Behaviour().needs
        return try await bench.engine.run(request.model, client: ClientID(9), deadline: nil) { model, turn in
            let capture = try PluginCapture(
                needs, interventions: [], context: EncoderContext(request.context), plugin: "test", model: model)
            var sums: [String] = []
            for recording in recordings {
                let samples = try SampleBuffer.read(recording.input().input.source)
                try capture.forEachWindow(of: recording.item, samples, turn: turn) { clip in
                    sums.append("\(clip.recording)/\(clip.window) \(try FakePlugin.sum(clip))")
                }
            }
            return sums
        }
    }

    @Test("come in the order of recordings and windows, as those that are made one by one", arguments: [false, true])
    func order(auto: Bool) async throws {
        let bench = try PluginBench(recordings: 3)
        // The second has seven windows of ten seconds, which the default model hears at a time.
        try writeRecordings(1, in: bench.folder("long"), milliseconds: 65_000)
        try FileManager.default.moveItem(atPath: bench.folder("long/00000.wav"), toPath: bench.set + "/00000b.wav")
        let request = bench.request { $0.context = auto ? .auto : .full }
        let sums = Mutex<[String]>([])
        let behaviour = behaviour { behaviour in
            behaviour.processed = { clip in
                let sum = (try? FakePlugin.sum(clip)).map { "\($0)" } ?? "none"
                sums.withLock { $0.append("\(clip.recording)/\(clip.window) \(sum)") }
            }
        }
        let run = try await bench.run(FakePlugin.catalogue(behaviour, journal), request)
        let expected = try await oneByOne(bench, request)
        #expect(expected.count == 3 + 7)
        #expect(sums.withLock { $0 } == expected)
        #expect(run.progress.map(\.done) == [1, 2, 3, 4])
        #expect(run.results.map(\.file).prefix(4) == ["00000.wav", "00000b.wav", "00000b.wav", "00000b.wav"])
    }

    @Test("are no more than a few, however slow the plugin is")
    func bounded() async throws {
        let bench = try PluginBench(recordings: 12)
        let behaviour = behaviour { $0.blocksAt = 4 }
        let catalogue = FakePlugin.catalogue(behaviour, journal)
        let task = Task { try await bench.run(catalogue, bench.request()) }
        try await settled { watch.staged.count == 4 + WindowsAhead.ready }
        // The fifth is in the plugin's hands, and one is ready; nothing more is put anywhere.
        #expect(watch.staged.count == 4 + WindowsAhead.ready)
        #expect(watch.most <= WindowsAhead.ready)
        // The engine is for others meanwhile.
        #expect(try await bench.engine.queue.run(client: ClientID(2)) { _ in 7 } == 7)
        #expect(bench.engine.queue.running == 0 && bench.engine.queue.waiting == 0)
        task.cancel()
        await #expect(throws: ServiceError.self) { try await task.value }
        #expect(watch.processed.count == 4)
    }

    @Test("of a recording that cannot be read: it is told between those before and after it, which are heard")
    func unreadable() async throws {
        let bench = try PluginBench(recordings: 6)
        for name in ["00002", "00003", "00005"] {
            try Data("no sound".utf8).write(to: URL(fileURLWithPath: bench.set + "/\(name).wav"))
        }
        let told = Mutex<[String]>([])
        let service = bench.service(FakePlugin.catalogue(behaviour(), journal))
        let emit: @Sendable (V1.PluginEvent.Event) throws -> Void = { event in
            told.withLock { told in
                switch event {
                case .result(let result): told.append("result \(result.file)")
                case .skipped(let skipped): told.append("skipped \(skipped.file)")
                case .progress(let progress): told.append("done \(Int(progress.done))")
                default: break
                }
            }
        }
        let end = try await service.run(
            bench.request(), client: ClientID(1), deadline: nil, connection: nil, emit: emit)
        #expect(
            told.withLock { $0 } == [
                "result 00000.wav", "done 1", "result 00001.wav", "done 2", "skipped 00002.wav", "done 3",
                "skipped 00003.wav", "done 4", "result 00004.wav", "done 5", "skipped 00005.wav", "done 6", "result ",
                "result ",
            ])
        #expect(end.skipped == 3 && end.recordings == 6)
        // Where a broken one ends the run, those before it were heard.
        told.withLock { $0 = [] }
        await #expect(throws: AudioError.self) {
            try await service.run(
                bench.request { $0.stopAtBroken = true }, client: ClientID(1), deadline: nil, connection: nil,
                emit: emit)
        }
        #expect(told.withLock { $0 } == ["result 00000.wav", "done 1", "result 00001.wav", "done 2"])
        #expect(bench.engine.queue.running == 0 && bench.engine.queue.waiting == 0)
    }

    @Test("end with the run that is cancelled: both threads, and nothing is left in the queue")
    func cancelled() async throws {
        let bench = try PluginBench(recordings: 30)
        let behaviour = behaviour { $0.blocksAt = 2 }
        let catalogue = FakePlugin.catalogue(behaviour, journal)
        for _ in 0..<5 {
            let blocked = journal.count("blocked")
            let task = Task { try await bench.run(catalogue, bench.request()) }
            while journal.count("blocked") == blocked { try await Task.sleep(for: .milliseconds(2)) }
            task.cancel()
            let error = await #expect(throws: ServiceError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            let staged = watch.staged.count
            #expect(bench.engine.queue.running == 0 && bench.engine.queue.waiting == 0)
            // Nobody stages any more.
            try await Task.sleep(for: .milliseconds(50))
            #expect(watch.staged.count == staged)
        }
        #expect(journal.count("start") == 5 && journal.count("close") == 5)
    }

    @Test("end by themselves while nobody takes them, and forget what was read")
    func ending() async throws {
        let bench = try PluginBench(recordings: 20)
        let recordings = try PluginRecordings(
            single: [], dataSets: [bench.set], shard: nil, stopAtBroken: false
        ).recordings
        let behaviour = behaviour()
        let heard = try await bench.engine.run(nil, client: ClientID(1), deadline: nil) {
            [watch, journal] model, turn in
            let capture = try PluginCapture(
                behaviour.needs, interventions: [], plugin: "test", model: model)
            let plugin = FakePlugin(behaviour, NoServices(reason: "none"), PluginOutlet(), journal)
            return try turn.suspended {
                let ahead = try WindowsAhead(recordings[...], capture, plugin, turn: turn)
                for _ in 0..<3 { if case .window(let window)? = try ahead.next() { try window.process() } }
                ahead.end()
                let staged = watch.staged.count
                #expect(try ahead.next() == nil)
                #expect(watch.staged.count == staged && staged <= 3 + WindowsAhead.ready)
                ahead.end()
                return watch.processed
            }
        }
        #expect(heard == ["0/0", "1/0", "2/0"])
        #expect(bench.engine.queue.running == 0 && bench.engine.queue.waiting == 0)
    }

    @Test("do not keep a plugin from the engine that asks it in the middle of a window", arguments: [1, 3])
    func asking(workers: UInt32) async throws {
        let bench = try PluginBench(recordings: 8)
        let plain = try await bench.run(FakePlugin.catalogue(), bench.request())
        let answers = Mutex<[Int]>([])
        let behaviour = behaviour { behaviour in
            behaviour.asksWhileHearing = { services in
                let tensors = try services.run(
                    samples: [Float](repeating: 0.1, count: 640), tokens: nil, interventions: [],
                    hooks: ["encoder.conv2"])
                let logits = try services.decode(audio: nil, tokens: [1, 2], sequences: 2, tokensEach: 1)
                answers.withLock { $0.append((tensors.first?.shape.count ?? 0) + logits.shape[0]) }
            }
        }
        let run = try await bench.run(
            FakePlugin.catalogue(behaviour, journal), bench.request { $0.workers = workers })
        #expect(run.bytes == plain.bytes)
        #expect(answers.withLock { $0 } == [Int](repeating: 4, count: 8))
    }

    @Test("an error of the engine ends the run after the windows before it")
    func failing() async throws {
        let bench = try PluginBench(recordings: 6)
        let behaviour = behaviour { behaviour in
            behaviour.staging = { clip in
                if clip.recording == 3 { throw PluginError(.system, "no memory for window \(clip.recording)") }
            }
        }
        let error = await #expect(throws: PluginError.self) {
            try await bench.run(FakePlugin.catalogue(behaviour, journal), bench.request())
        }
        #expect(error?.message == "no memory for window 3")
        #expect(watch.processed == ["0/0", "1/0", "2/0"])
        #expect(journal.count("close") == 1)
    }
}
