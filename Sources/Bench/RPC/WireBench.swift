import CDescriptors
import Foundation
import Messages
import Wire

/// The wire with nothing behind it, beside the machine's sockets and Go's ttrpc, where Go's program is.
struct WireBench {
    let session: Session
    private var quick: Bool { session.options.quick }

    func run() async throws {
        var table = Table("rpc: the wire alone")
        try await wire(session.folder) { table.rows.append($0) }
        session.report.add(table)
        if program == nil { session.report.say("rpc, Go's ttrpc: left out, $AUSCULT_GO names no program\n") }
    }

    /// Go's program, where it was built.
    private var program: String? {
        ProcessInfo.processInfo.environment["AUSCULT_GO"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func wire(_ folder: String, _ add: (Measurement) -> Void) async throws {
        let path = folder + "/wire.sock"
        let server = try Child(Session.program, ["serve", path])
        defer { server.kill() }
        let client = try await connected(path)

        let rounds = quick ? 500 : 5000
        add(
            Measurement(
                name: "machine: a byte there and back, two threads", unit: "µs",
                samples: MachineLimits.roundTrips(rounds), isLatency: true))
        add(
            Measurement(
                name: "wire: unary round trip", unit: "µs",
                samples: try await roundTrips(rounds) {
                    _ = try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "x"))
                }, isLatency: true))
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
                    name: "wire: \(mebibytes) MiB by shared memory, asked for to mapped", unit: "µs", samples: times,
                    isLatency: true))
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
        defer { munmap(place, size) }
        guard bytes[0] == 7, bytes[size - 1] == 7 else { throw BenchError("the shared memory holds something else") }
    }

    // MARK: - Go's client and server, where they are

    private func go(_ arguments: [String], _ name: String, _ add: (Measurement) -> Void) throws {
        guard let program else { return }
        let output = try Child.output(program, arguments)
        struct Report: Decodable { var microseconds: [Double] }
        guard let report = try? JSONDecoder().decode(Report.self, from: output) else {
            return session.report.say(
                "\(name): no figures from \(program): \(String(decoding: output, as: UTF8.self))")
        }
        add(Measurement(name: name, unit: "µs", samples: report.microseconds, isLatency: true))
    }

    private func goServer(_ folder: String, _ rounds: Int, _ add: (Measurement) -> Void) throws {
        guard let program else { return }
        let path = folder + "/go.sock"
        let server = try Child(program, ["-serve", path])
        defer { server.kill() }
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: path) { usleep(10_000) }
        try go(
            ["-bench", String(rounds), "-socket", path], "peer: Go's client with Go's server (ttrpc)", add)
    }
}
