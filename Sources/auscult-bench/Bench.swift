import CDescriptors
import Foundation
import Messages
import Wire

/// Measures everything, prints a table, and writes it as JSON where that is asked for.
struct Bench {
    let quick: Bool
    let json: String?
    /// What is measured: of "wire", "daemon" and "plugins".
    let parts: Set<String>

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("auscult-bench-\(getpid())").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var all: [Measurement] = []
        FileHandle.standardOutput.write(Data((Measurement.header + "\n").utf8))
        func add(_ measurement: Measurement) {
            all.append(measurement)
            FileHandle.standardOutput.write(Data((measurement.row + "\n").utf8))
        }
        if parts.contains("wire") { try await wire(folder, add) }
        if parts.contains("daemon") { try await daemon(folder, add) }
        if parts.contains("plugins") { try plugins(add) }
        if let json {
            let data = try JSONSerialization.data(
                withJSONObject: all.map(\.json), options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            try data.write(to: URL(fileURLWithPath: json))
        }
    }

    // MARK: - The wire alone

    private func wire(_ folder: String, _ add: (Measurement) -> Void) async throws {
        let path = folder + "/wire.sock"
        let server = try Child(CommandLine.arguments[0], ["serve", path])
        defer { server.kill() }
        let client = try await connect(path)

        let rounds = quick ? 500 : 5000
        add(
            Measurement(
                name: "machine: a byte there and back, two threads", unit: "µs",
                samples: MachineLimits.roundTrips(rounds)))
        add(
            Measurement(
                name: "wire: unary round trip", unit: "µs",
                samples: try await roundTrips(rounds) {
                    _ = try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "x"))
                }))
        try go(["-bench", String(rounds), "-socket", path], "wire: unary round trip, Go's client", add)
        try goServer(folder, rounds, add)

        let size = quick ? 256 : 2048
        let copies = (0..<5).map { _ in MachineLimits.copy() }
        add(Measurement(name: "machine: copy in memory", unit: "GB/s", samples: copies))
        add(
            Measurement(
                name: "machine: a Unix socket, 1 MiB at a time", unit: "GB/s",
                samples: (0..<5).map { _ in MachineLimits.socketStream(mebibytes: size) }))
        var streams: [Double] = []
        for _ in 0..<5 {
            var bytes = 0
            let time = try await seconds {
                for try await event in try await client.stream(V1.TraceRPC.run, request(size)) {
                    if case .chunk(let chunk)? = event.event { bytes += chunk.data.count }
                }
            }
            streams.append(Double(bytes) / time / 1e9)
        }
        add(Measurement(name: "wire: tensor chunks over the socket", unit: "GB/s", samples: streams))

        for mebibytes in quick ? [1, 64] : [1, 16, 256, 1024] {
            var times: [Double] = []
            for index in 0..<(quick ? 10 : 50) {
                let time = try await seconds {
                    let summary = try await client.call(V1.TraceRPC.runToEnd, request(mebibytes))
                    guard let memory = summary.memory else { return }
                    try map(memory)
                }
                if index > 0 { times.append(time * 1e6) }
            }
            add(
                Measurement(
                    name: "wire: \(mebibytes) MiB by shared memory, asked for to mapped", unit: "µs", samples: times))
        }
        await client.close()
    }

    private func request(_ mebibytes: Int) -> V1.TraceRequest {
        V1.TraceRequest(decoderInput: .tokens(V1.TokenSequence(ids: [Int32(mebibytes)])))
    }

    private func map(_ memory: V1.SharedMemory) throws {
        let descriptor = try DescriptorHandoff.fetch(from: memory.socket, token: memory.token)
        defer { close(descriptor) }
        let size = Int(memory.size)
        guard let place = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), place != MAP_FAILED else {
            throw WireError(.resourceExhausted, "cannot map \(size) bytes")
        }
        // The first and the last byte are read, so that they are really there.
        let bytes = place.assumingMemoryBound(to: UInt8.self)
        precondition(bytes[0] == 7 && bytes[size - 1] == 7)
        munmap(place, size)
    }

    private func roundTrips(_ count: Int, _ body: () async throws -> Void) async throws -> [Double] {
        for _ in 0..<100 { try await body() }
        var samples: [Double] = []
        for _ in 0..<count { samples.append(try await seconds { try await body() } * 1e6) }
        return samples
    }

    // MARK: - Go's client and server, where they are

    private func go(_ arguments: [String], _ name: String, _ add: (Measurement) -> Void) throws {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_GO"], !program.isEmpty else { return }
        let output = try Child.output(program, arguments)
        struct Report: Decodable { var microseconds: [Double] }
        guard let report = try? JSONDecoder().decode(Report.self, from: output) else {
            return print("\(name): no figures from \(program): \(String(decoding: output, as: UTF8.self))")
        }
        add(Measurement(name: name, unit: "µs", samples: report.microseconds))
    }

    private func goServer(_ folder: String, _ rounds: Int, _ add: (Measurement) -> Void) throws {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_GO"], !program.isEmpty else { return }
        let path = folder + "/go.sock"
        let server = try Child(program, ["-serve", path])
        defer { server.kill() }
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: path) { usleep(10_000) }
        try go(
            ["-bench", String(rounds), "-socket", path], "peer: Go's client with Go's server (ttrpc)", add)
    }

    // MARK: - The daemon

    private func daemon(_ folder: String, _ add: (Measurement) -> Void) async throws {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_DAEMON"] else {
            return print("no daemon: $AUSCULT_DAEMON is not set")
        }
        let path = folder + "/d/auscult.sock"
        let environment = ["XDG_DATA_HOME": folder + "/data", "XDG_CONFIG_HOME": folder + "/config"]
        var starts: [Double] = []
        for _ in 0..<(quick ? 3 : 20) {
            let began = ContinuousClock.now
            let child = try Child(program, ["--socket", path], environment)
            let client = try await connect(path)
            let health = try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest())
            precondition(health.status == .serving)
            starts.append((ContinuousClock.now - began) / .milliseconds(1))
            await client.close()
            child.stop()
        }
        add(Measurement(name: "daemon: cold start to the first answer", unit: "ms", samples: starts))

        let child = try Child(program, ["--socket", path], environment)
        defer { child.stop() }
        let client = try await connect(path)
        add(
            Measurement(
                name: "daemon: resident memory, default model loaded", unit: "MB",
                samples: [Double(try await client.call(V1.DaemonRPC.status, V1.StatusRequest()).memoryBytes) / 1e6]))
        add(
            Measurement(
                name: "daemon: Health/Check round trip", unit: "µs",
                samples: try await roundTrips(quick ? 500 : 5000) {
                    _ = try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest())
                }))
        try await concurrency(path, client, add)
        try await traces(client, add)
        add(
            Measurement(
                name: "daemon: resident memory after all of this", unit: "MB",
                samples: [Double(try await client.call(V1.DaemonRPC.status, V1.StatusRequest()).memoryBytes) / 1e6]))
        await client.close()
    }

    /// Transcripts a second: one client back to back, then 32 at once with as many transcripts in all; alternating.
    private func concurrency(_ path: String, _ client: WireClient, _ add: (Measurement) -> Void) async throws {
        let clips = try await client.call(V1.AudioRPC.clips, V1.ClipsRequest()).clips
            .filter { $0.kind == "speech" && $0.duration < 5 }.map(\.name)
        let each = quick ? 1 : 3
        let total = 32 * each
        @Sendable func transcribe(_ client: WireClient, _ index: Int) async throws {
            _ = try await client.call(
                V1.TranscribeRPC.transcribe,
                V1.TranscribeRequest(audio: V1.AudioSource(source: .clip(clips[index % clips.count]))))
        }
        var clients: [WireClient] = []
        for _ in 0..<32 { clients.append(try await connect(path)) }
        try await transcribe(client, 0)
        var alone: [Double] = []
        var together: [Double] = []
        for _ in 0..<(quick ? 1 : 5) {
            let one = try await seconds { for index in 0..<total { try await transcribe(client, index) } }
            alone.append(Double(total) / one)
            let all = try await seconds {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, client) in clients.enumerated() {
                        group.addTask {
                            for index in 0..<each { try await transcribe(client, number * each + index) }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            together.append(Double(total) / all)
        }
        add(Measurement(name: "daemon: one client, transcripts back to back", unit: "/s", samples: alone))
        let ratios = zip(together, alone).map { $0 / $1 * 100 }
        add(Measurement(name: "daemon: 32 clients at once", unit: "/s", samples: together))
        add(Measurement(name: "daemon: 32 clients, of one client's rate", unit: "%", samples: ratios))
        for client in clients { await client.close() }
    }

    /// A trace that is all data: every attention pattern and score, padding as well.
    private func traces(_ client: WireClient, _ add: (Measurement) -> Void) async throws {
        var request = V1.TraceRequest(
            audio: V1.AudioSource(source: .clip("en-slt-01")),
            hooks: ["encoder.blocks.*.attn.pattern", "encoder.blocks.*.attn.scores"], frames: .all)
        var rates: [[Double]] = [[], []]
        var bytes = 0
        for _ in 0..<(quick ? 2 : 10) {
            request.output = .stream(V1.Empty())
            bytes = 0
            rates[0].append(
                try await seconds {
                    for try await event in try await client.stream(V1.TraceRPC.run, request) {
                        if case .chunk(let chunk)? = event.event { bytes += chunk.data.count }
                    }
                } * 1e3)
            request.output = .memory(V1.Empty())
            rates[1].append(
                try await seconds {
                    let summary = try await client.call(V1.TraceRPC.runToEnd, request)
                    guard let memory = summary.memory else { return }
                    close(try DescriptorHandoff.fetch(from: memory.socket, token: memory.token))
                } * 1e3)
        }
        let note = "\(bytes / 1_000_000) MB with the computing"
        add(Measurement(name: "daemon: trace streamed", unit: "ms", note: note, samples: rates[0]))
        add(Measurement(name: "daemon: the same trace by shared memory", unit: "ms", note: note, samples: rates[1]))
    }

    // MARK: - Plugins

    private func plugins(_ add: (Measurement) -> Void) throws {
        let environment = ProcessInfo.processInfo.environment
        guard let models = environment["AUSCULT_MODELS"], let bundles = environment["AUSCULT_PLUGINS"] else {
            return print("no plugins: $AUSCULT_MODELS or $AUSCULT_PLUGINS is not set")
        }
        try PluginWall(models: models, bundles: bundles).measure(rounds: quick ? 3 : 25, add)
    }

    private func connect(_ path: String) async throws -> WireClient {
        let patience = ContinuousClock.now + .seconds(20)
        while true {
            do { return try await WireClient.connect(to: path) } catch {
                guard ContinuousClock.now < patience else { throw error }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }
}

/// A program that runs beside the benchmark.
struct Child {
    private let process = Process()

    init(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks it to end, and waits.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    static func output(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }
}
