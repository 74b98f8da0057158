import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The endpoint of the metrics", .timeLimit(.minutes(2))) struct MetricsEndpointTests {
        private struct Answer {
            var status: Int
            var headers: [String: String]
            var body: String
        }

        private func ask(_ connection: RawConnection, _ method: String, _ path: String) async throws -> Answer {
            try connection.send(Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
            let text = String(decoding: try await connection.readAll(), as: UTF8.self)
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let lines = parts[0].components(separatedBy: "\r\n")
            let headers = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1) }.filter { $0.count == 2 }
            return Answer(
                status: lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0,
                headers: Dictionary(
                    headers.map { ($0[0].lowercased(), $0[1].trimmingCharacters(in: .whitespaces)) }
                ) { $1 },
                body: parts.count > 1 ? String(parts[1]) : "")
        }

        /// What OpenMetrics asks for: a type before its samples, every line one of the kinds, an end.
        private func check(_ text: String) {
            var lines = text.components(separatedBy: "\n")
            #expect(lines.popLast() == "" && lines.popLast() == "# EOF")
            var families: Set<String> = []
            var current = ""
            for line in lines {
                let words = line.split(separator: " ")
                if line.hasPrefix("# ") {
                    guard words.count >= 4, ["TYPE", "HELP", "UNIT"].contains(words[1]) else {
                        Issue.record("'\(line)'")
                        continue
                    }
                    if words[1] == "TYPE" {
                        current = String(words[2])
                        #expect(families.insert(current).inserted, "\(current) comes twice")
                    }
                    #expect(words[2] == current)
                } else {
                    #expect(line.hasPrefix(current) && words.last.flatMap { Double($0) } != nil, "'\(line)'")
                }
            }
            #expect(families.contains("auscult_connections"))
        }

        private func check(_ connect: () throws -> RawConnection) async throws {
            let get = try await ask(connect(), "GET", "/metrics")
            #expect(get.status == 200)
            #expect(get.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(get.headers["content-length"] == String(get.body.utf8.count))
            check(get.body)
            let head = try await ask(connect(), "HEAD", "/metrics?x=1")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] != "0")
            #expect(try await ask(connect(), "GET", "/").status == 404)
            let post = try await ask(connect(), "POST", "/metrics")
            #expect(post.status == 405 && post.headers["allow"] == "GET, HEAD")
        }

        @Test("on a Unix socket: well formed, 404, 405, HEAD; and the socket goes with the daemon")
        func unix() async throws {
            let folder = try TemporaryFolder()
            let daemon = try await TestDaemon(["metrics": "unix:" + folder("m/metrics.sock")])
            _ = try await daemon.call(V1.DaemonRPC.status, V1.StatusRequest())
            try await check { try RawConnection(to: folder("m/metrics.sock")) }
            await daemon.server.stop()
            #expect(throws: POSIXError.self) { try RawConnection(to: folder("m/metrics.sock")) }
        }

        @Test("on loopback, at a port that it tells in the log")
        func loopback() async throws {
            let daemon = try await ChildDaemon("--metrics", "127.0.0.1:0").ready()
            // The log is written by a thread of its own.
            try await eventually("it says where") { daemon.log.contains("/metrics") }
            let found = try #require(daemon.log.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\/metrics/))
            let port = try #require(UInt16(found.1))
            try await check { try RawConnection(port: port) }
            let second = try ChildDaemon("--metrics", "127.0.0.1:\(port)")
            #expect(try await second.ended() == 69)
            #expect(second.log.contains("\(port)"), "\(second.log)")
        }
    }
}
