import Digests
import Files
import Foundation
import Messages
import PluginHost
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// A matrix of 3 MiB whose numbers say of which recording it is.
private func matrix(_ clip: PluginClipValue) -> PluginResult {
    let rows = 768, columns = 1024
    let data = (0..<rows * columns).flatMap { index in
        withUnsafeBytes(of: (Float(clip.recording) + Float(index) / 1e6).bitPattern.littleEndian, Array.init)
    }
    let array = PluginResult.Array(element: .float32, shape: [UInt64(rows), UInt64(columns)], data: data)
    return PluginResult(output: "matrix", recording: clip.name, value: .array(array))
}

@Suite("What runs tell", .timeLimit(.minutes(10))) struct RunEventsTests {
    @Test("a run tells how its results are made, and its recordings with number, place, digest and columns")
    func told() async throws {
        let bench = try PluginBench(recordings: 3)
        let lines = (0..<3).map { #"{"path": "set/0000\#($0).wav", "speaker": "s\#($0)", "start": 0.01}"# }
        try bench.folder.write(Array(lines.joined(separator: "\n").utf8), to: "list.jsonl")
        let request = bench.request { request in
            request.dataSets = [bench.folder("list.jsonl")]
            request.seed = 7
            request.arguments = [V1.PluginArgument(id: "step", value: "2")]
            request.context = .auto
            request.interventions = [V1.Intervention(text: "encoder.conv1 = zero")]
        }
        let run = try await bench.run(FakePlugin.catalogue(), request)
        #expect(run.recordings.map(\.number) == [0, 1, 2])
        #expect(run.recordings.map(\.name) == (0..<3).map { "set/0000\($0).wav" })
        let second = try #require(run.recordings.dropFirst().first)
        #expect(second.source == .path(bench.set + "/00001.wav"))
        #expect(second.sha256 == (try SHA256.hex(ofFiles: [bench.set + "/00001.wav"])))
        #expect(second.span == V1.Span(start: 0.01) && abs(second.duration - 0.0500625) < 1e-6)
        #expect(second.labels == [V1.RecordingLabel(column: "speaker", value: "s1")])
        let made = try #require(run.provenance.first)
        #expect(run.provenance.count == 1 && made.version == auscultVersion && made.modelSha256.count == 64)
        #expect(made.interventions.count == 1 && made.interventions[0].contains("encoder.conv1"))
        #expect(made.context == .auto && made.padding == .sound && made.precision == .exact)
        #expect(made.recordings?.count == 3 && made.recordings?.sha256.count == 64)
        #expect(made.plugin?.id == FakePlugin.id && made.plugin?.seed == 7)
        #expect(
            made.plugin?.arguments == [
                V1.PluginArgument(id: "step", value: "2"), V1.PluginArgument(id: "mode", value: "fast"),
            ])
    }

    @Test(
        "what there is to know of a recording, or of its folder, is told with a code; of sound ones nothing",
        arguments: [1, 3] as [UInt32])
    func notices(workers: UInt32) async throws {
        let bench = try PluginBench(recordings: 3)
        let catalogue = FakePlugin.catalogue()
        let sound = try await bench.run(catalogue, bench.request { $0.workers = workers })
        #expect(sound.notices.isEmpty && sound.skipped.isEmpty)
        // The number of bytes of the samples, which was never filled in.
        let path = bench.set + "/00001.wav"
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        bytes.replaceSubrange(40..<44, with: [0, 0, 0, 0])
        try bench.folder.write(bytes, to: "set/00001.wav")
        try bench.folder.write(Array("# Notes".utf8), to: "set/notes.md")
        let run = try await bench.run(catalogue, bench.request { $0.workers = workers })
        #expect(run.bytes == sound.bytes && run.skipped.isEmpty)
        let told = Dictionary(uniqueKeysWithValues: run.notices.map { ($0.file, $0.notice ?? V1.Notice()) })
        #expect(told.mapValues(\.code) == ["00001.wav": "wrong_length", bench.set + "/notes.md": "left_out"])
        #expect(told["00001.wav"]?.text.contains("says that there are no samples") == true)
        let strict = try await bench.run(
            catalogue,
            bench.request {
                $0.workers = workers
                $0.strict = true
            })
        #expect(strict.skipped.map(\.file) == ["00001.wav"] && strict.notices.map(\.notice?.code) == ["left_out"])
        #expect(strict.skipped.first?.reason.contains("says that there are no samples") == true)
    }

    @Test("workers, a run that goes on, and a merge tell the recordings that one run tells, in its order")
    func recordings() async throws {
        let bench = try PluginBench(recordings: 7)
        let catalogue = FakePlugin.catalogue()
        let whole = try await bench.run(catalogue, bench.request())
        #expect(whole.recordings.map(\.number) == [0, 1, 2, 3, 4, 5, 6])
        let workers = try await bench.run(catalogue, bench.request { $0.workers = 3 })
        #expect(workers.recordings == whole.recordings)
        var dying = FakePlugin.Behaviour()
        dying.hearing = { if $0 == 5 { throw PluginError(.crashed, "killed") } }
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        await #expect(throws: PluginError.self) {
            try await bench.run(FakePlugin.catalogue(dying), request, every: 2)
        }
        let resumed = try await bench.run(catalogue, request, every: 2)
        #expect(resumed.recordings == whole.recordings)
        for index in 0..<2 {
            _ = try await bench.run(
                catalogue,
                bench.request {
                    $0.shard = V1.Shard(index: UInt32(index), count: 2)
                    $0.stateFile = bench.folder("part\(index)")
                })
        }
        let merged = try await bench.merge(
            catalogue, V1.MergePluginRequest(stateFiles: [bench.folder("part1"), bench.folder("part0")]))
        #expect(merged.recordings == whole.recordings && merged.bytes == whole.bytes)
        #expect(merged.provenance.first?.recordings?.count == 7)
        #expect(merged.provenance.first?.recordings?.sha256 == whole.provenance.first?.recordings?.sha256)
    }

    @Test(
        "a value that is larger than a message is told in pieces of 1 MiB, kept so in states, and comes together again")
    func pieces() async throws {
        let bench = try PluginBench(recordings: 3)
        var large = FakePlugin.Behaviour()
        large.gives = { [matrix($0)] }
        let catalogue = FakePlugin.catalogue(large)
        let largest = Atomic(0)
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        let count = Mutex(0)
        _ = try await bench.service(catalogue).run(
            request, client: ClientID(1), deadline: nil, connection: nil
        ) { event in
            largest.max(V1.PluginEvent(event: event).serialized().count, ordering: .relaxed)
            if case .chunk = event { count.withLock { $0 += 1 } }
        }
        #expect(largest.load(ordering: .relaxed) < (1 << 20) + 1000 && count.withLock { $0 } == 9)
        // From the checkpoint, which is at the end, all of it is told again.
        let again = try await bench.run(catalogue, request)
        let matrices = again.results.filter { $0.outputId == "matrix" }
        #expect(matrices.count == 3 && again.progress.isEmpty)
        var clip = PluginClipValue(
            recording: 2, window: 0, windowCount: 1, name: "00002.wav", start: 0, duration: 0, validFrames: 0,
            samples: nil, labels: [], phonemes: [], words: [])
        clip.tensors = []
        #expect(matrices.last == V1.PluginResult(matrix(clip)))
    }

    @Test("a state that is sent back is the state's file, to the byte")
    func returned() async throws {
        let bench = try PluginBench(recordings: 4)
        let catalogue = FakePlugin.catalogue()
        for workers in [1, 2] as [UInt32] {
            let run = try await bench.run(
                catalogue,
                bench.request {
                    $0.stateFile = bench.folder("s")
                    $0.returnState = true
                    $0.workers = workers
                })
            #expect(run.state == [UInt8](try Data(contentsOf: URL(fileURLWithPath: bench.folder("s")))))
            #expect(!run.state.isEmpty && run.results.count == 6)
        }
    }

    @Test("a run that was cancelled can be started again at once; one that goes on cannot be joined")
    func startsAgain() async throws {
        let bench = try PluginBench(recordings: 5)
        var blocking = FakePlugin.Behaviour()
        blocking.blocksAt = 2
        let journal = FakePlugin.Journal()
        let catalogue = FakePlugin.catalogue(blocking, journal)
        var service = bench.service(catalogue, every: 1)
        service.intervals.patience = .milliseconds(50)
        let request = bench.request { $0.checkpoint = bench.folder("c") }
        let first = Task { [service] in
            try await service.run(request, client: ClientID(1), deadline: nil, connection: nil) { _ in }
        }
        while journal.count("blocked") == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let refusal = await #expect(throws: FileError.self) {
            try await service.run(request, client: ClientID(2), deadline: nil, connection: nil) { _ in }
        }
        #expect(refusal?.code == .unavailable && refusal?.message.contains("another run keeps its state") == true)
        first.cancel()
        let told = Mutex<[UInt64]>([])
        // Not after the first has ended: it may still be on its way out.
        var free = bench.service(FakePlugin.catalogue(), every: 1)
        free.locks = service.locks
        let end = try await free.run(request, client: ClientID(2), deadline: nil, connection: nil) { event in
            if case .recording(let recording) = event { told.withLock { $0.append(recording.number) } }
        }
        #expect(end.recordings == 5 && told.withLock { $0 } == [0, 1, 2, 3, 4])
        await #expect(throws: (any Error).self) { try await first.value }
    }

    @Test(
        "a column that is not there, or has too few values, is refused before the first recording, with what there is")
    func columns() async throws {
        let bench = try PluginBench(recordings: 3)
        let lines = (0..<3).map { #"{"path": "set/0000\#($0).wav", "speaker": "s\#($0 / 2)", "kind": "speech"}"# }
        try bench.folder.write(Array(lines.joined(separator: "\n").utf8), to: "list.jsonl")
        var choosing = FakePlugin.Behaviour()
        choosing.parameters = [
            PluginParameter(id: "target", kind: .column, default: "speaker", minimum: 2, choices: ["phoneme"])
        ]
        let heard = Atomic(0)
        choosing.hearing = { _ in heard.add(1, ordering: .relaxed) }
        let catalogue = FakePlugin.catalogue(choosing)
        func run(_ target: String) async throws -> ToldRun {
            try await bench.run(
                catalogue,
                bench.request {
                    $0.dataSets = [bench.folder("list.jsonl")]
                    $0.arguments = [V1.PluginArgument(id: "target", value: target)]
                })
        }
        let unknown = await #expect(throws: ServiceError.self) { try await run("speeker") }
        #expect(unknown?.code == .mismatch)
        for part in ["'speeker'", "nearest: speaker", "kind, speaker", "phoneme"] {
            #expect(unknown?.message.contains(part) == true, "\(unknown?.message ?? "")")
        }
        let few = await #expect(throws: ServiceError.self) { try await run("kind") }
        #expect(few?.message.contains("'kind' has 1, in 3 of the 3 recordings: 1 more needed") == true)
        #expect(heard.load(ordering: .relaxed) == 0)
        #expect(try await run("speaker").end.recordings == 3)
        #expect(try await run("phoneme").end.recordings == 3)
    }
}
