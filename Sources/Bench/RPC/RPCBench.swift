import Foundation
import Wire

/// What wire, daemon and the wall around plugins cost: the parts `wire`, `daemon` and `plugins`.
struct RPCBench {
    let session: Session

    static let parts = ["wire", "daemon", "plugins"]

    func run() async throws {
        for part in Self.parts where session.wants(part) {
            do {
                switch part {
                case "wire": try await WireBench(session: session).run()
                case "daemon": try await DaemonBench(session: session).run()
                default: try plugins()
                }
            } catch {
                // The other parts do not need this one.
                session.report.say("rpc, \(part): left out: \(error)\n")
            }
        }
    }

    private func plugins() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let models = environment["AUSCULT_MODELS"], let bundles = environment["AUSCULT_PLUGINS"] else {
            throw BenchError("$AUSCULT_MODELS or $AUSCULT_PLUGINS is not set; `make bench` sets both")
        }
        var table = Table("rpc: the wall around plugins")
        try PluginWall(models: models, bundles: bundles)
            .measure(rounds: session.options.rounds ?? (session.options.quick ? 3 : 25)) { table.rows.append($0) }
        session.report.add(table)
    }
}

/// Microseconds of calls one after another, the first hundred not counted.
func roundTrips(_ count: Int, _ body: () async throws -> Void) async throws -> [Double] {
    for _ in 0..<100 { try await body() }
    var samples: [Double] = []
    for _ in 0..<count { samples.append(try await seconds { try await body() } * 1e6) }
    return samples
}

/// A connection to a server that may still be starting.
func connected(_ path: String) async throws -> WireClient {
    let patience = ContinuousClock.now + .seconds(20)
    while true {
        do { return try await WireClient.connect(to: path) } catch {
            guard ContinuousClock.now < patience else { throw error }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
