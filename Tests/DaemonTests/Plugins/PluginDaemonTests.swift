import Foundation
import Messages
import TensorFiles
import TestSupport
import Testing
import Wire

@testable import Daemon

/// `auscultd` as a process of its own, with a plugin in C that was compiled now.
final class PluginDaemon {
    static let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path
    /// A compiler is not there everywhere, nor are programs that were not built.
    static var isPossible: Bool {
        let manager = FileManager.default
        return manager.isExecutableFile(atPath: "/usr/bin/cc")
            && manager.isExecutableFile(atPath: programs + "/auscultd")
            && manager.isExecutableFile(atPath: programs + "/auscult-plugin-host")
    }

    let process = Process()
    let socket: String

    init(_ folder: TemporaryFolder) throws {
        socket = folder("s-\(UInt32.random(in: 0 ... .max))")
        process.executableURL = URL(fileURLWithPath: Self.programs + "/auscultd")
        process.arguments = ["--socket", socket]
        process.environment = [
            "HOME": folder.path, "XDG_DATA_HOME": folder("data"), "AUSCULT_PLUGIN_PATH": folder("plugins"),
            "PATH": "/usr/bin:/bin",
        ].merging(ProcessInfo.processInfo.environment.filter { $0.key == "LD_LIBRARY_PATH" }) { own, _ in own }
        try process.run()
    }

    deinit { kill() }

    func connect() async throws -> WireClient {
        while true {
            if let client = try? await WireClient.connect(to: socket) { return client }
            guard process.isRunning else { throw ServiceError(.unavailable, "auscultd ended") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func kill() {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// The counting plugin, ready to be found.
    static func install(in folder: TemporaryFolder) throws {
        let bundle = folder("plugins/counting")
        try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
        let source = Fixtures.path("plugins/counting")
        try FileManager.default.copyItem(atPath: source + "/manifest.json", toPath: bundle + "/manifest.json")
        let header = URL(fileURLWithPath: Fixtures.path("")).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/CAuscultPlugin/include").path
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
        compiler.arguments = [
            "-std=c99", "-shared", "-fPIC", "-I", header, "-o", bundle + "/counting.so", source + "/counting.c", "-lm",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
    }
}

@Suite("Plugins in processes of their own", .serialized, .timeLimit(.minutes(15)))
struct PluginDaemonTests {
    private func run(
        _ client: WireClient, _ request: V1.RunPluginRequest, at done: Double? = nil, _ act: () -> Void = {}
    ) async throws -> ToldRun {
        var told = ToldRun()
        for try await event in try await client.stream(V1.PluginRPC.run, request) {
            switch event.event {
            case .result(let result)?: told.results.append(result)
            case .skipped(let skipped)?: told.skipped.append(skipped)
            case .end(let end)?: told.end = end
            case .progress(let progress)?: if progress.done == done { act() }
            default: break
            }
        }
        return told
    }

    @Test(
        "kill -9 in the middle of 500 recordings, and the next run goes on to identical bytes, as two workers do",
        .enabled(if: PluginDaemon.isPossible, "needs a C compiler, auscultd and auscult-plugin-host"))
    func killed() async throws {
        let folder = try TemporaryFolder()
        try PluginDaemon.install(in: folder)
        try writeRecordings(500, in: folder("set"))
        var request = V1.RunPluginRequest(pluginId: "counting", dataSets: [folder("set")])
        request.checkpoint = folder("checkpoint")
        let first = try PluginDaemon(folder)
        let client = try await first.connect()
        await #expect(throws: WireError.self) { try await run(client, request, at: 250) { first.kill() } }
        await client.close()
        let kept = try PluginState(path: folder("checkpoint")).header.done
        #expect((100..<500).contains(kept))

        let second = try PluginDaemon(folder)
        let again = try await second.connect()
        let resumed = try await run(again, request)
        request.checkpoint = ""
        request.stateFile = folder("whole")
        let whole = try await run(again, request)
        #expect(resumed.bytes == whole.bytes && whole.results.count == 502)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder("checkpoint")))
                == Data(contentsOf: URL(fileURLWithPath: folder("whole"))))

        request.workers = 2
        request.stateFile = folder("two")
        #expect(try await run(again, request).bytes == whole.bytes)
        #expect(try PluginState(path: folder("two")).state == PluginState(path: folder("whole")).state)
        await again.close()
    }

    @Test(
        "kill -9 in the middle of a training, and the next run ends with the dictionary of an undisturbed one, to the bit",
        .enabled(if: PluginDaemon.isPossible, "needs a C compiler, auscultd and auscult-plugin-host"))
    func killedTraining() async throws {
        let folder = try TemporaryFolder()
        let bundle = try TestBundle(analysis: "sae")
        try FileManager.default.createDirectory(atPath: folder("plugins"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: bundle.path, toPath: folder("plugins/sae"))
        try writeRecordings(150, in: folder("set"))
        var request = V1.RunPluginRequest(pluginId: "sae", dataSets: [folder("set")])
        request.arguments = [
            ("hook", "encoder.blocks.0"), ("latents", "64"), ("k", "4"), ("batch", "32"), ("buffer", "64"),
            ("passes", "8"), ("dead_after", "64"), ("evaluate", "2"), ("steps", "300"), ("out", folder("dictionary")),
        ].map { V1.PluginArgument(id: $0.0, value: $0.1) }
        request.checkpoint = folder("checkpoint")
        let first = try PluginDaemon(folder)
        let client = try await first.connect()
        await #expect(throws: WireError.self) { try await run(client, request, at: 130) { first.kill() } }
        await client.close()
        let kept = try PluginState(path: folder("checkpoint")).header.done
        #expect((100..<150).contains(kept))
        // The folder is made before the plugin is confined to it.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("dictionary")).isEmpty)

        let second = try PluginDaemon(folder)
        let again = try await second.connect()
        func dictionary() throws -> [Data] {
            try ["sae_weights.safetensors", "cfg.json"].map {
                try Data(contentsOf: URL(fileURLWithPath: folder("dictionary/\($0)")))
            }
        }
        let resumed = try await run(again, request)
        let files = try dictionary()
        try FileManager.default.removeItem(atPath: folder("dictionary"))
        request.checkpoint = folder("whole")
        let whole = try await run(again, request)
        #expect(resumed.bytes == whole.bytes)
        #expect(try dictionary() == files)
        #expect(try PluginState(path: folder("checkpoint")).state == PluginState(path: folder("whole")).state)
        let method = whole.results.first { $0.outputId == "method" }?.value
        guard case .text(let told)? = method else { throw ServiceError(.notFound, "no method") }
        #expect(told.contains("300 steps"), "\(told)")
        // Hums have no text: only what needs one is left out.
        #expect(told.contains("no kept recording has a text") && !whole.results.contains { $0.outputId == "splice" })
        await again.close()
    }

    @Test(
        "a file that a confined plugin writes is whole, in the place that was named, with nothing beside it",
        .enabled(if: PluginDaemon.isPossible, "needs a C compiler, auscultd and auscult-plugin-host"))
    func writesFile() async throws {
        let folder = try TemporaryFolder()
        let bundle = try TestBundle(analysis: "bigrams")
        try FileManager.default.createDirectory(atPath: folder("plugins"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder("out"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: bundle.path, toPath: folder("plugins/bigrams"))
        let daemon = try PluginDaemon(folder)
        let client = try await daemon.connect()
        func request(_ matrix: String) -> V1.RunPluginRequest {
            V1.RunPluginRequest(
                pluginId: "bigrams",
                arguments: [("matrix", matrix), ("out", folder("out/matrix.safetensors"))].map {
                    V1.PluginArgument(id: $0.0, value: $0.1)
                })
        }
        // What the plugin refuses leaves no file, and what it does leaves one; the same over a file that is there.
        await #expect(throws: WireError.self) { try await run(client, request("false")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("out")).isEmpty)
        var written: [Data] = []
        for _ in 0..<2 {
            _ = try await run(client, request("true"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder("out")) == ["matrix.safetensors"])
            written.append(try Data(contentsOf: URL(fileURLWithPath: folder("out/matrix.safetensors"))))
        }
        #expect(written[0] == written[1] && written[0].count > 1 << 20)
        #expect(try !SafetensorsFile(path: folder("out/matrix.safetensors")).names.isEmpty)
        await client.close()
    }

    @Test(
        "a plugin that aborts leaves the daemon and the other calls alive",
        .enabled(if: PluginDaemon.isPossible, "needs a C compiler, auscultd and auscult-plugin-host"))
    func aborts() async throws {
        let folder = try TemporaryFolder()
        try PluginDaemon.install(in: folder)
        try writeRecordings(6, in: folder("set"))
        let daemon = try PluginDaemon(folder)
        let client = try await daemon.connect()
        let request = V1.RunPluginRequest(
            pluginId: "counting", arguments: [V1.PluginArgument(id: "crash-at", value: "3")],
            dataSets: [folder("set")])
        let error = await #expect(throws: WireError.self) { try await run(client, request) }
        #expect(error?.code == .unavailable && error?.message.contains("org.example.counting") == true)
        var healthy = request
        healthy.arguments = []
        let told = try await run(client, healthy)
        #expect(told.end.recordings == 6 && told.results.first { $0.outputId == "frames" }?.value == .scalar(23))
        await client.close()
    }
}
