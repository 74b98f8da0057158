import Foundation
import Logging
import Messages
import PluginHost
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Daemon

/// A daemon in this process, with fake plugins.
private struct FakeDaemon {
    let folder: TemporaryFolder
    let server: AuscultServer

    init(_ behaviour: FakePlugin.Behaviour = .init(), _ journal: FakePlugin.Journal = .init()) async throws {
        folder = try TemporaryFolder()
        let configuration = try Configuration.resolve(
            flags: ["socket": [folder("run/s")]],
            environment: ["HOME": folder.path, "XDG_DATA_HOME": folder("data")])
        server = AuscultServer(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            catalogue: FakePlugin.catalogue(behaviour, journal))
        try writeRecordings(4, in: folder("set"))
        try await server.start()
    }

    func connect() async throws -> WireClient { try await WireClient.connect(to: server.socketPath) }
    var request: V1.RunPluginRequest { V1.RunPluginRequest(pluginId: "counting", dataSets: [folder("set")]) }
}

@Suite("Plugins over the wire", .timeLimit(.minutes(5))) struct PluginServerTests {
    @Test("a run streams started, description, progress and results with rising numbers, and its end last")
    func stream() async throws {
        let daemon = try await FakeDaemon()
        let client = try await daemon.connect()
        let list = try await client.call(V1.PluginRPC.list, V1.ListPluginsRequest())
        #expect(list.plugins.map(\.id) == [FakePlugin.id])
        let description = try await client.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: "counting"))
        #expect(description.parameters.map(\.id) == ["step", "mode"])
        var events: [V1.PluginEvent] = []
        for try await event in try await client.stream(V1.PluginRPC.run, daemon.request) { events.append(event) }
        #expect(events.map(\.seq) == Array(0..<UInt64(events.count)))
        if case .started(let started)? = events.first?.event {
            #expect(!started.subscriptionId.isEmpty)
        } else {
            Issue.record("the first event is no start")
        }
        if case .description? = events.dropFirst().first?.event {} else { Issue.record("no description") }
        guard case .end(let end)? = events.last?.event else {
            Issue.record("the last event is no end")
            return
        }
        #expect(end.recordings == 4 && end.results == 6 && end.modelSha256.count == 64)
        await client.close()
        await daemon.server.stop(drainTimeout: .seconds(5))
    }

    @Test("a pipe in a data set, among its recordings or its alignments, is left out, and no thread waits for it")
    func pipes() async throws {
        let daemon = try await FakeDaemon()
        let pipe = daemon.folder("set/pipe.wav")
        #expect(mkfifo(pipe, 0o600) == 0 && mkfifo(daemon.folder("set/pipe.TextGrid"), 0o600) == 0)
        let sound = try #require(
            try FileManager.default.contentsOfDirectory(atPath: daemon.folder("set")).sorted().first)
        let lines = [
            #"{"path": "pipe.wav"}"#, #"{"path": "\#(sound)", "alignment": "pipe.TextGrid"}"#,
            #"{"path": "\#(sound)"}"#,
        ]
        try daemon.folder.write(Array(lines.joined(separator: "\n").utf8), to: "set/list.jsonl")
        let client = try await WireClient.connect(
            to: daemon.server.socketPath, metadata: [(CallMetadata.workingFolder, daemon.folder.path)])
        var skipped: [V1.SkippedRecording] = []
        var end: V1.PluginEnd?
        var request = daemon.request
        request.dataSets = ["set/list.jsonl"]
        for try await event in try await client.stream(V1.PluginRPC.run, request) {
            if case .skipped(let one)? = event.event { skipped.append(one) }
            if case .end(let last)? = event.event { end = last }
        }
        #expect(skipped.count == 2 && skipped.allSatisfy { $0.reason.contains("is a pipe") }, "\(skipped)")
        #expect(end?.recordings == 3 && end?.skipped == 2)
        // A manifest and a state that are pipes themselves are refused.
        for change: (inout V1.RunPluginRequest) -> Void in [
            { $0.dataSets = ["set/list.tsv"] }, { $0.checkpoint = "set/list.tsv" },
        ] {
            unlink(daemon.folder("set/list.tsv"))
            #expect(mkfifo(daemon.folder("set/list.tsv"), 0o600) == 0)
            var request = daemon.request
            change(&request)
            let error = await #expect(throws: WireError.self) {
                for try await _ in try await client.stream(V1.PluginRPC.run, request) {}
            }
            #expect(error?.message.contains("list.tsv") == true, "\(String(describing: error))")
        }
        await client.close()
        await daemon.server.stop(drainTimeout: .seconds(5))
    }

    @Test("a crash is UNAVAILABLE with the plugin's id, and every other call goes on")
    func crash() async throws {
        var behaviour = FakePlugin.Behaviour()
        behaviour.hearing = { number in
            if number == 2 { throw PluginError(.crashed, "\(FakePlugin.id) crashed with signal 6 in process()") }
        }
        let daemon = try await FakeDaemon(behaviour)
        let client = try await daemon.connect()
        var results = 0
        let error = await #expect(throws: WireError.self) {
            for try await event in try await client.stream(V1.PluginRPC.run, daemon.request) {
                if case .result? = event.event { results += 1 }
            }
        }
        #expect(error?.code == .unavailable && error?.message.contains(FakePlugin.id) == true)
        #expect(error?.reason == "crashed" && results == 2)
        let clip = V1.AudioSource(source: .clip("en-slt-01"))
        let languages = try await client.call(
            V1.TranscribeRPC.detectLanguage, V1.DetectLanguageRequest(audio: clip))
        #expect(!languages.languages.isEmpty)
        let unknown = await #expect(throws: WireError.self) {
            _ = try await client.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: "nothing"))
        }
        #expect(unknown?.code == .notFound)
        await client.close()
        await daemon.server.stop(drainTimeout: .seconds(5))
    }

    @Test("a job outlives its client, and keeps the results of its plugin")
    func job() async throws {
        let journal = FakePlugin.Journal()
        var behaviour = FakePlugin.Behaviour()
        let gate = DispatchSemaphore(value: 0)
        behaviour.hearing = { number in if number == 0 { gate.wait() } }
        let daemon = try await FakeDaemon(behaviour, journal)
        let first = try await daemon.connect()
        let started = try await first.call(
            V1.JobRPC.start, V1.StartJobRequest(label: "count", work: .plugin(daemon.request)))
        #expect(started.kind == "plugin")
        await first.close()
        gate.signal()
        let second = try await daemon.connect()
        var states: [V1.JobState] = []
        for try await event in try await second.stream(V1.JobRPC.watch, V1.WatchJobRequest(id: started.id)) {
            if case .state(let info)? = event.event { states.append(info.state) }
        }
        #expect(states.last == .succeeded)
        let result = try await second.call(V1.JobRPC.result, V1.JobRef(id: started.id))
        guard case .plugin(let plugin)? = result.result else {
            Issue.record("the job has no results of a plugin")
            return
        }
        #expect(plugin.results.count == 6 && plugin.end?.recordings == 4 && plugin.description != nil)
        await #expect(throws: WireError.self) {
            var none = daemon.request
            none.pluginId = "nothing"
            _ = try await second.call(V1.JobRPC.start, V1.StartJobRequest(work: .plugin(none)))
        }
        await second.close()
        await daemon.server.stop(drainTimeout: .seconds(5))
    }
}
