import Audio
import DataSets
import Files
import Foundation
import Logging
import Messages
import PluginHost
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Daemon

/// A service over the default model, with its own queue.
struct PluginBench: Sendable {
    let folder: TemporaryFolder
    let engine: Engine

    init(recordings: Int = 6) throws {
        folder = try TemporaryFolder()
        let registry = ModelRegistry(folder: folder("models"))
        let models = ModelService(registry: registry, logger: Logger(label: "test"))
        engine = Engine(
            store: ModelStore(service: models, memoryLimit: 1 << 30), queue: InferenceQueue(), uploads: UploadStore())
        try writeRecordings(recordings, in: folder("set"))
    }

    var set: String { folder("set") }

    func service(_ catalogue: PluginCatalogue, every recordings: Int = 100) -> PluginService {
        var service = PluginService(
            engine: engine, catalogue: catalogue, folder: folder("state"), logger: Logger(label: "test"))
        service.intervals = RunCheckpoint.Intervals(recordings: recordings, time: .seconds(1000), rest: 0)
        return service
    }

    func request(_ change: (inout V1.RunPluginRequest) -> Void = { _ in }) -> V1.RunPluginRequest {
        var request = V1.RunPluginRequest(pluginId: "counting", dataSets: [set])
        change(&request)
        return request
    }

    func run(_ catalogue: PluginCatalogue, _ request: V1.RunPluginRequest, every: Int = 100) async throws -> ToldRun {
        try await told { emit in
            try await service(catalogue, every: every).run(
                request, client: ClientID(1), deadline: nil, connection: nil, emit: emit)
        }
    }

    func merge(_ catalogue: PluginCatalogue, _ request: V1.MergePluginRequest) async throws -> ToldRun {
        try await told { emit in
            try await service(catalogue).merge(request, client: ClientID(1), deadline: nil, emit: emit)
        }
    }

    private func told(
        _ work: (@escaping @Sendable (V1.PluginEvent.Event) throws -> Void) async throws -> V1.PluginEnd
    ) async throws -> ToldRun {
        let told = Told()
        let end = try await work { event in told.take(event) }
        return told.run(end)
    }

    private final class Told: Sendable {
        private let state = Mutex(ToldRun())
        func take(_ event: V1.PluginEvent.Event) {
            state.withLock { state in
                switch event {
                case .result, .chunk:
                    do { if let result = try state.assembly.take(event) { state.results.append(result) } } catch {
                        Issue.record(error)
                    }
                case .recording(let recording): state.recordings.append(recording)
                case .provenance(let provenance): state.provenance.append(provenance)
                case .state(let piece): state.state += piece.data
                case .skipped(let skipped): state.skipped.append(skipped)
                case .notice(let notice): state.notices.append(notice)
                case .progress(let progress): state.progress.append(progress)
                default: break
                }
            }
        }
        func run(_ end: V1.PluginEnd) -> ToldRun {
            var run = state.withLock { $0 }
            run.end = end
            return run
        }
    }
}

@Suite("Runs of plugins", .timeLimit(.minutes(10))) struct PluginRunTests {
    @Test("a run gives a result for each recording in order, those about all, progress, and its times")
    func plain() async throws {
        let bench = try PluginBench()
        let journal = FakePlugin.Journal()
        let run = try await bench.run(FakePlugin.catalogue(.init(), journal), bench.request())
        #expect(run.results.map(\.file) == (0..<6).map { "0000\($0).wav" } + ["", ""])
        // 60 ms are three frames of 20 ms; every recording but the first is a few samples longer.
        #expect(run.results.first { $0.outputId == "frames" }?.value == .scalar(Double(3 + 5 * 4)))
        #expect(run.progress.map(\.done) == [1, 2, 3, 4, 5, 6])
        #expect(run.progress.allSatisfy { $0.total == 6 && $0.unit == "recordings" })
        #expect(run.end.recordings == 6 && run.end.results == 8 && run.end.skipped == 0)
        #expect(run.end.engineSeconds > 0 && run.end.seconds >= run.end.engineSeconds)
        #expect(journal.lines.withLock { $0 } == ["start", "create step=1 mode=fast", "activate 6", "close"])
    }

    @Test("four shards merged, in any order, are one run, bytes and results alike")
    func shards() async throws {
        let bench = try PluginBench(recordings: 11)
        let catalogue = FakePlugin.catalogue()
        let whole = try await bench.run(catalogue, bench.request { $0.stateFile = bench.folder("whole") })
        for index in 0..<4 {
            let shard = try await bench.run(
                catalogue,
                bench.request {
                    $0.shard = V1.Shard(index: UInt32(index), count: 4)
                    $0.stateFile = bench.folder("part\(index)")
                })
            #expect(shard.end.recordings == (index < 3 ? 3 : 2))
        }
        let files = [2, 0, 3, 1].map { bench.folder("part\($0)") }
        let merged = try await bench.merge(
            catalogue, V1.MergePluginRequest(stateFiles: files, stateFile: bench.folder("merged")))
        #expect(merged.bytes == whole.bytes)
        #expect(merged.end.recordings == 11)
        let a = try PluginState(path: bench.folder("whole")), b = try PluginState(path: bench.folder("merged"))
        #expect(a.state == b.state)
        #expect(try a.events == b.events)
        #expect(a.header.dataSet == b.header.dataSet)
    }

    @Test("states that do not belong together, or that overlap, are not merged", arguments: ["seed", "twice", "other"])
    func mismatches(kind: String) async throws {
        let bench = try PluginBench(recordings: 4)
        let catalogue = FakePlugin.catalogue()
        _ = try await bench.run(
            catalogue,
            bench.request {
                $0.stateFile = bench.folder("a")
                $0.shard = V1.Shard(index: 0, count: 2)
            })
        _ = try await bench.run(
            catalogue,
            bench.request {
                $0.stateFile = bench.folder("b")
                $0.seed = kind == "seed" ? 9 : 0
                $0.shard = kind == "other" ? V1.Shard(index: 1, count: 3) : V1.Shard(index: 1, count: 2)
            })
        let second = kind == "twice" ? "a" : "b"
        let error = await #expect(throws: ServiceError.self) {
            try await bench.merge(
                catalogue, V1.MergePluginRequest(stateFiles: [bench.folder("a"), bench.folder(second)]))
        }
        #expect(error?.code == .mismatch)
    }

    @Test("two, three and more workers than recordings give what one gives", arguments: [2, 3, 40])
    func workers(count: UInt32) async throws {
        let bench = try PluginBench(recordings: 7)
        let one = try await bench.run(FakePlugin.catalogue(), bench.request { $0.stateFile = bench.folder("one") })
        let journal = FakePlugin.Journal()
        let many = try await bench.run(
            FakePlugin.catalogue(.init(), journal),
            bench.request {
                $0.workers = count
                $0.stateFile = bench.folder("many")
            })
        #expect(many.bytes == one.bytes)
        #expect(many.progress.map(\.done) == (1...7).map(Double.init) && many.progress.allSatisfy { $0.total == 7 })
        #expect(Set(many.progress.map(\.label)) == Set(one.progress.map(\.label)))
        #expect(try PluginState(path: bench.folder("one")).state == PluginState(path: bench.folder("many")).state)
        #expect(journal.count("start") == min(7, Int(count)) + 1 && journal.count("start") == journal.count("close"))
    }

    @Test("shards, several workers and merging are refused before any work where a plugin needs one run for all")
    func oneRun() async throws {
        let bench = try PluginBench(recordings: 6)
        let heard = Mutex<[UInt64]>([])
        var behaviour = FakePlugin.Behaviour()
        behaviour.needs.oneRun = true
        behaviour.hearing = { number in heard.withLock { $0.append(number) } }
        let catalogue = FakePlugin.catalogue(behaviour)
        let requests = [
            bench.request { $0.shard = V1.Shard(index: 1, count: 3) }, bench.request { $0.workers = 2 },
            bench.request {
                $0.workers = 4
                $0.checkpoint = bench.folder("c")
            },
        ]
        for (request, named) in zip(requests, ["2 of 3", "2 workers", "4 workers"]) {
            let error = await #expect(throws: ServiceError.self) { try await bench.run(catalogue, request) }
            #expect(error?.code == .mismatch)
            #expect(error?.message.contains("in one run") == true && error?.message.contains(named) == true)
        }
        #expect(heard.withLock { $0 } == [] && !FileManager.default.fileExists(atPath: bench.folder("c")))

        // One worker keeps a checkpoint, the only shard is all of it, and one state alone can be finished.
        let whole = try await bench.run(
            catalogue,
            bench.request {
                $0.shard = V1.Shard(index: 0, count: 1)
                $0.workers = 1
                $0.checkpoint = bench.folder("a")
            })
        #expect(whole.end.recordings == 6)
        let one = try await bench.merge(catalogue, V1.MergePluginRequest(stateFiles: [bench.folder("a")]))
        #expect(one.bytes == whole.bytes)
        // Of other recordings, so that nothing else stands in the way.
        try writeRecordings(2, in: bench.folder("other"))
        _ = try await bench.run(
            catalogue,
            bench.request {
                $0.dataSets = [bench.folder("other")]
                $0.stateFile = bench.folder("other.state")
            })
        let error = await #expect(throws: ServiceError.self) {
            try await bench.merge(
                catalogue, V1.MergePluginRequest(stateFiles: [bench.folder("a"), bench.folder("other.state")]))
        }
        #expect(error?.code == .mismatch && error?.message.contains("2 states") == true, "\(String(describing: error))")
    }

    @Test("a run that died goes on from its checkpoint to the bytes of an undisturbed one")
    func resumes() async throws {
        let bench = try PluginBench(recordings: 10)
        let whole = try await bench.run(FakePlugin.catalogue(), bench.request { $0.checkpoint = bench.folder("w") })
        var dying = FakePlugin.Behaviour()
        dying.hearing = { number in
            if number == 7 { throw PluginError(.crashed, "\(FakePlugin.id) crashed with signal 11 in process()") }
        }
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        let error = await #expect(throws: PluginError.self) {
            try await bench.run(FakePlugin.catalogue(dying), request, every: 3)
        }
        #expect(WireError(describing: error ?? PluginError(.failed, "")).code == .unavailable)
        #expect(try PluginState(path: bench.folder("c")).header.done == 6)
        let journal = FakePlugin.Journal()
        let heard = Mutex<[UInt64]>([])
        var watching = FakePlugin.Behaviour()
        watching.hearing = { number in heard.withLock { $0.append(number) } }
        let rest = try await bench.run(FakePlugin.catalogue(watching, journal), request, every: 3)
        #expect(heard.withLock { $0 } == [6, 7, 8, 9])
        #expect(journal.count("merge") == 1)
        #expect(rest.bytes == whole.bytes)
        let a = try Data(contentsOf: URL(fileURLWithPath: bench.folder("w")))
        let b = try Data(contentsOf: URL(fileURLWithPath: bench.folder("c")))
        #expect(a == b)
    }

    @Test(
        "several workers keep one checkpoint in rounds; killed in the middle, any number goes on", arguments: [1, 2, 3])
    func workersResume(count: UInt32) async throws {
        let bench = try PluginBench(recordings: 12)
        try Data("no sound".utf8).write(to: URL(fileURLWithPath: bench.set + "/00001.wav"))
        let whole = try await bench.run(FakePlugin.catalogue(), bench.request { $0.checkpoint = bench.folder("one") })
        var dying = FakePlugin.Behaviour()
        dying.hearing = { number in if number == 9 { throw PluginError(.crashed, "killed") } }
        var request = bench.request { $0.checkpoint = bench.folder("c") }
        request.workers = 2
        await #expect(throws: PluginError.self) {
            try await bench.run(FakePlugin.catalogue(dying), request, every: 2)
        }
        // The first round has two recordings a worker, and the ninth is in the second.
        let kept = try PluginState(path: bench.folder("c")).header.done
        #expect(kept == 4)
        request.workers = count
        let resumed = try await bench.run(FakePlugin.catalogue(), request, every: 2)
        #expect(resumed.bytes == whole.bytes && resumed.end.recordings == 12)
        #expect(resumed.skipped.map(\.file) == ["00001.wav"] && resumed.end.skipped == 1)
        #expect(resumed.progress.map(\.done) == (kept + 1...12).map(Double.init))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: bench.folder("c")))
                == Data(contentsOf: URL(fileURLWithPath: bench.folder("one"))))
        // What is complete hears nothing again.
        #expect(try await bench.run(FakePlugin.catalogue(), request).bytes == whole.bytes)
    }

    @Test("a second run on a checkpoint that a first one keeps is locked out, and goes on when that has ended")
    func locked() async throws {
        let bench = try PluginBench(recordings: 4)
        let journal = FakePlugin.Journal()
        var behaviour = FakePlugin.Behaviour()
        behaviour.blocksAt = 2
        let blocked = FakePlugin.catalogue(behaviour, journal)
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        let first = Task { try await bench.run(blocked, request, every: 1) }
        while journal.count("blocked") == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let error = await #expect(throws: FileError.self) { try await bench.run(FakePlugin.catalogue(), request) }
        #expect(error?.code == .unavailable && error?.message.contains(bench.folder("c")) == true)
        first.cancel()
        await #expect(throws: ServiceError.self) { try await first.value }
        let second = try await bench.run(FakePlugin.catalogue(), request)
        #expect(second.results.count == 6 && second.progress.first?.done == 3)
        // A lock that a crash left behind locks nobody out, and goes with the run.
        try Data().write(to: URL(fileURLWithPath: bench.folder("c.lock")))
        #expect(try await bench.run(FakePlugin.catalogue(), request).bytes == second.bytes)
        #expect(!FileManager.default.fileExists(atPath: bench.folder("c.lock")))
    }

    @Test("a checkpoint of another run is refused with what differs")
    func foreignCheckpoint() async throws {
        let bench = try PluginBench(recordings: 3)
        let catalogue = FakePlugin.catalogue()
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        _ = try await bench.run(catalogue, request)
        var other = request
        other.arguments = [V1.PluginArgument(id: "step", value: "2")]
        await refused(bench, catalogue, other, "the arguments step=1 mode=fast, and not step=2 mode=fast")
        other = request
        other.seed = 5
        await refused(bench, catalogue, other, "the seed 0, and not 5")
        other = request
        other.context = .auto
        await refused(bench, catalogue, other, "the encoder's context full, and not auto")
        other.context = V1.EncoderContext(rawValue: 7)
        await refused(bench, catalogue, other, "there is no encoder context 7")
        await refused(bench, FakePlugin.catalogue(version: "2.0"), request, "its version 1.0, and not 2.0")
        try writeRecordings(4, in: bench.set)
        await refused(bench, catalogue, request, "the recordings 3")
        try Data("something else".utf8).write(to: URL(fileURLWithPath: bench.folder("c")))
        await refused(bench, catalogue, request, "is not the state of a plugin's run")
        #expect(try String(contentsOfFile: bench.folder("c"), encoding: .utf8) == "something else")
    }

    private func refused(
        _ bench: PluginBench, _ catalogue: PluginCatalogue, _ request: V1.RunPluginRequest, _ words: String
    ) async {
        let error = await #expect(throws: ServiceError.self) { try await bench.run(catalogue, request) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("a broken recording in the middle is told and left out, or ends the run on request")
    func broken() async throws {
        let bench = try PluginBench(recordings: 5)
        try Data("no sound".utf8).write(to: URL(fileURLWithPath: bench.set + "/00002.wav"))
        let run = try await bench.run(FakePlugin.catalogue(), bench.request())
        #expect(run.skipped.map(\.file) == ["00002.wav"])
        #expect(run.skipped.first?.reason.isEmpty == false)
        #expect(run.results.count { !$0.file.isEmpty } == 4 && run.end.skipped == 1 && run.end.recordings == 5)
        await #expect(throws: (any Error).self) {
            try await bench.run(FakePlugin.catalogue(), bench.request { $0.stopAtBroken = true })
        }
    }

    @Test("a recording without the word that a change is placed by is told and left out, or ends the run on request")
    func wordless() async throws {
        let bench = try PluginBench(recordings: 3), clip = "en-slt-01"
        try writeRecording(try clipSamples(clip), to: bench.set + "/00001.wav")
        let model = try embeddedModel()
        var written = TranscriptionRequest()
        written.padding = .sound
        let heard = try TranscribeService(model: model, written)
            .words(of: AudioInput.clip(named: clip).read(seconds: nil), turn: nil)
        let text = try #require(heard.first { word in heard.count { $0.text == word.text } == 1 }).text
        let word = text.filter { $0.isLetter || $0.isNumber }
        let changed = bench.request {
            $0.interventions = [V1.Intervention(text: "encoder.conv1 @\"\(word)\" = zero")]
        }
        let run = try await bench.run(FakePlugin.catalogue(), changed)
        #expect(run.skipped.map(\.file) == ["00000.wav", "00002.wav"])
        for skipped in run.skipped {
            #expect(skipped.reason.contains("\"\(word)\" was not heard"), "\(skipped.reason)")
        }
        #expect(run.results.filter { !$0.file.isEmpty }.map(\.file) == ["00001.wav"])
        #expect(run.end.recordings == 3 && run.end.skipped == 2)
        let plain = try await bench.run(FakePlugin.catalogue(), bench.request())
        func sum(_ run: ToldRun) -> V1.PluginResult? { run.results.first { $0.file == "00001.wav" } }
        #expect(sum(run) != nil && sum(run) != sum(plain))
        func expectEnd(_ words: String, _ request: V1.RunPluginRequest) async {
            let error = await #expect(throws: (any Error).self) { try await bench.run(FakePlugin.catalogue(), request) }
            #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
        }
        var stopping = changed
        stopping.stopAtBroken = true
        await expectEnd("\"\(word)\" was not heard", stopping)
        // A word of another recording is wanted in every one of the run.
        await expectEnd(
            "there is no word 999",
            bench.request {
                $0.interventions = [V1.Intervention(text: "encoder.conv1 @word 1 = patch demo:\(clip) @word 999")]
            })
    }

    @Test("cancelling in the middle ends the plugin's call and the run, and closes the process")
    func cancel() async throws {
        let bench = try PluginBench()
        let journal = FakePlugin.Journal()
        var behaviour = FakePlugin.Behaviour()
        behaviour.blocksAt = 3
        let catalogue = FakePlugin.catalogue(behaviour, journal)
        let task = Task { try await bench.run(catalogue, bench.request()) }
        while journal.count("blocked") == 0 { try await Task.sleep(for: .milliseconds(5)) }
        // The engine is free while the plugin works.
        #expect(try await bench.engine.queue.run(client: ClientID(2)) { _ in 7 } == 7)
        task.cancel()
        let error = await #expect(throws: ServiceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(journal.count("close") == 1)
    }

    @Test("a deadline ends a plugin that does not come back")
    func deadline() async throws {
        let bench = try PluginBench()
        var behaviour = FakePlugin.Behaviour()
        behaviour.blocksAt = 0
        let service = bench.service(FakePlugin.catalogue(behaviour))
        let error = await #expect(throws: ServiceError.self) {
            try await service.run(
                bench.request(), client: ClientID(1), deadline: .now + .seconds(2), connection: nil, emit: { _ in })
        }
        #expect(error?.code == .deadlineExceeded)
    }

    @Test(
        "what makes no sense is refused before anything runs",
        arguments: [
            ("step", "0"), ("step", "10"), ("step", "x"), ("mode", "medium"), ("stepp", "1"),
        ])
    func arguments(id: String, value: String) async throws {
        let bench = try PluginBench(recordings: 1)
        let journal = FakePlugin.Journal()
        let error = await #expect(throws: ServiceError.self) {
            try await bench.run(
                FakePlugin.catalogue(.init(), journal),
                bench.request { $0.arguments = [V1.PluginArgument(id: id, value: value)] })
        }
        #expect(error?.code == .invalidArgument && error?.message.contains(id) == true)
        #expect(!journal.lines.withLock { $0 }.contains { $0.hasPrefix("create") })
    }

    @Test("gradients come beside the values, named after them, of a transcript as well")
    func gradients() async throws {
        let hook = "encoder.blocks.0.attn.pattern"
        for objective in ["encoder_sum", "transcript_log_probability", "encoder.blocks.1.mlp.1:3@frames 0:10"] {
            let bench = try PluginBench(recordings: 1)
            let seen = FakePlugin.Journal()
            var behaviour = FakePlugin.Behaviour()
            behaviour.needs.hooks = [hook]
            behaviour.needs.objective = objective
            behaviour.processed = { clip in
                seen.note(clip.tensors.map { "\($0.hook) \($0.shape)" }.joined(separator: ", "))
            }
            _ = try await bench.run(FakePlugin.catalogue(behaviour), bench.request())
            let told = try #require(seen.lines.withLock { $0 }.first)
            let parts = told.components(separatedBy: ", encoder")
            #expect(parts.count == 2 && told.contains("\(hook)@grad ["), "\(objective): \(told)")
            // Of one shape.
            #expect(Set(parts.map { $0.components(separatedBy: " [").last }).count == 1, "\(told)")
        }
    }

    @Test("gradients of nothing known, labels that are not there, and no recordings at all are refused clearly")
    func unmetNeeds() async throws {
        let bench = try PluginBench(recordings: 1)
        var gradients = FakePlugin.Behaviour()
        gradients.needs.objective = "happiness"
        let error = await #expect(throws: (any Error).self) {
            try await bench.run(FakePlugin.catalogue(gradients), bench.request())
        }
        #expect("\(String(describing: error))".contains("happiness"))
        var labels = FakePlugin.Behaviour()
        labels.needs.labels = true
        await #expect(throws: ServiceError.self) { try await bench.run(FakePlugin.catalogue(labels), bench.request()) }
        _ = try await bench.run(
            FakePlugin.catalogue(labels),
            bench.request {
                $0.dataSets = []
                $0.audio = [V1.AudioSource(source: .clip("en-slt-01"))]
            })
        await #expect(throws: ServiceError.self) {
            try await bench.run(FakePlugin.catalogue(), bench.request { $0.dataSets = [] })
        }
        var stateless = FakePlugin.Behaviour()
        stateless.needs.hasState = false
        await #expect(throws: ServiceError.self) {
            try await bench.run(
                FakePlugin.catalogue(stateless), bench.request { $0.checkpoint = bench.folder("c") })
        }
    }

    @Test("a plugin's questions are answered by the engine: words, weights, runs, logits, transcripts, a folder")
    func services() async throws {
        let bench = try PluginBench(recordings: 1)
        let journal = FakePlugin.Journal()
        var behaviour = FakePlugin.Behaviour()
        behaviour.asks = { services in
            let ids = try services.encode("<|endoftext|> hello", parseSpecial: true)
            let plain = try services.encode("<|endoftext|> hello", parseSpecial: false)
            let text = try services.decode(Array(ids.dropFirst()))
            let weight = try services.weights("encoder.conv1.weight")
            #expect(throws: PluginError.self) { try services.weights("encoder.conv9.weight") }
            let tensors = try services.run(
                samples: [Float](repeating: 0.1, count: 640), tokens: ids, interventions: ["encoder.conv2 = zero"],
                hooks: ["encoder.conv2", "decoder.ln"])
            let logits = try services.decode(audio: nil, tokens: ids + ids, sequences: 2, tokensEach: ids.count)
            #expect(throws: PluginError.self) {
                try services.decode(audio: nil, tokens: [1, 2, 3], sequences: 2, tokensEach: 2)
            }
            #expect(throws: PluginError.self) {
                try services.run(samples: [.nan], tokens: nil, interventions: [], hooks: ["encoder.conv2"])
            }
            let samples = try DemoClips.items().first.map {
                try PluginRecording(item: $0, recording: nil).input().input.samples(seconds: nil, turn: nil).readAll()
            }
            let said = try services.transcribe(samples: samples ?? [], language: "", interventions: [])
            let folder = try services.stateFolder()
            var isFolder: ObjCBool = false
            #expect(FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) && isFolder.boolValue)
            return "\(ids.count < plain.count) \(text == " hello") \(weight.shape.count) "
                + "\(tensors.map { "\($0.hook)\($0.shape.first ?? 0)" }) \(logits.shape.first ?? 0) \(!said.isEmpty)"
        }
        let run = try await bench.run(FakePlugin.catalogue(behaviour, journal), bench.request())
        let count = try bench.engine.store.model(nil as String?).tokenizer().encode(" hello").count + 1
        let expected = "true true 3 [\"encoder.conv22\", \"decoder.ln\(count)\"] 2 true"
        #expect(journal.count(expected) == 1, "\(journal.lines.withLock { $0 })")
        #expect(run.end.engineSeconds > 0)
    }

    @Test("a state file that was damaged anywhere is refused, and never traps")
    func damagedStates() async throws {
        let bench = try PluginBench(recordings: 2)
        _ = try await bench.run(FakePlugin.catalogue(), bench.request { $0.stateFile = bench.folder("s") })
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bench.folder("s"))))
        var generator = SeededGenerator(seed: 3)
        var refused = 0
        for round in 0..<400 {
            var bytes = whole
            if round % 2 == 0 {
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            } else {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
            }
            try bench.folder.write(bytes, to: "d")
            do { _ = try PluginState(path: bench.folder("d")) } catch is ServiceError { refused += 1 }
        }
        // A changed letter in a name of the header makes another header, and is found when runs are compared.
        #expect(refused > 200)
    }

    @Test("a description is read once for a library that stays, and again for one that changes")
    func describes() throws {
        let bench = try PluginBench(recordings: 0)
        let journal = FakePlugin.Journal()
        let library = try bench.folder.write([1], to: "lib.so")
        let service = bench.service(FakePlugin.catalogue(.init(), journal, library: library))
        #expect(try service.describe("counting").parameters.count == 2)
        _ = try service.describe(FakePlugin.id)
        #expect(journal.count("start") == 1 && journal.count("close") == 1)
        try bench.folder.write([1, 2], to: "lib.so")
        _ = try service.describe("counting")
        #expect(journal.count("start") == 2)
        #expect(throws: PluginError.self) { try service.describe("nothing") }
    }
}
