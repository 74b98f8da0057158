import Foundation
import Messages
import Wire

/// The daemon as its clients meet it: its start, its memory, a call, many clients at once, a trace.
struct DaemonBench {
    let session: Session
    private var quick: Bool { session.options.quick }

    func run() async throws {
        var table = Table("rpc: the daemon")
        try await daemon(session.folder) { table.rows.append($0) }
        session.report.add(table)
    }

    private func daemon(_ folder: String, _ add: (Measurement) -> Void) async throws {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_DAEMON"] else {
            throw BenchError("$AUSCULT_DAEMON is not set; `make bench` sets it")
        }
        let path = folder + "/d/auscult.sock"
        let environment = ["XDG_DATA_HOME": folder + "/data", "XDG_CONFIG_HOME": folder + "/config"]
        var starts: [Double] = []
        for _ in 0..<(quick ? 3 : 20) {
            let began = ContinuousClock.now
            let child = try Child(program, ["--socket", path, "--kept-activations", "0"], environment)
            let client = try await connected(path)
            let health = try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest())
            guard health.status == .serving else { throw BenchError("\(program) does not serve: \(health.status)") }
            starts.append((ContinuousClock.now - began) / .milliseconds(1))
            await client.close()
            child.stop()
        }
        add(Measurement(name: "daemon: cold start to the first answer", unit: "ms", samples: starts, isLatency: true))

        let child = try Child(program, ["--socket", path, "--kept-activations", "0"], environment)
        defer { child.stop() }
        let client = try await connected(path)
        add(
            Measurement(
                name: "daemon: resident memory, default model loaded", unit: "MB",
                samples: [Double(try await client.call(V1.DaemonRPC.status, V1.StatusRequest()).memoryBytes) / 1e6]))
        add(
            Measurement(
                name: "daemon: Health/Check round trip", unit: "µs",
                samples: try await roundTrips(quick ? 500 : 5000) {
                    _ = try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest())
                }, isLatency: true))
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
        for _ in 0..<32 { clients.append(try await connected(path)) }
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
        add(Measurement(name: "daemon: trace streamed", unit: "ms", note: note, samples: rates[0], isLatency: true))
        add(
            Measurement(
                name: "daemon: the same trace by shared memory", unit: "ms", note: note, samples: rates[1],
                isLatency: true))
    }
}
