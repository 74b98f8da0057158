import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The process auscultd", .timeLimit(.minutes(10))) struct ProcessFaultTests {
        @Test("killed at once it leaves its socket behind, and the next takes the place")
        func killed() async throws {
            let first = try await ChildDaemon().ready()
            first.send(SIGKILL)
            #expect(try await first.ended() == 128 + SIGKILL)
            #expect(FileManager.default.fileExists(atPath: first.socket))
            #expect(throws: POSIXError.self) { try RawConnection(to: first.socket) }
            let second = try await ChildDaemon(in: first.folder).ready()
            let memory = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
            let client = try await second.connect()
            #expect(try await Traced(ending: memory, client).isSealed)
            await client.close()
            second.send(SIGTERM)
            #expect(try await second.ended() == 0)
            #expect(!FileManager.default.fileExists(atPath: first.socket))
        }

        @Test("asked to stop at any moment of its start, it ends")
        func stoppedWhileStarting() async throws {
            for round in 0..<12 {
                let daemon = try ChildDaemon()
                // From before its first instruction to after it serves; at the socket's first moment a signal was once lost.
                let limit = ContinuousClock.now + .seconds(20)
                if round % 3 == 0 {
                    try await Task.sleep(for: .milliseconds(5 * round))
                } else {
                    while (try? RawConnection(to: daemon.socket)) == nil, .now < limit { usleep(200) }
                }
                daemon.send(SIGTERM)
                #expect([0, 128 + SIGTERM].contains(try await daemon.ended()))
            }
        }

        @Test("a second daemon at the same place ends with 69 and names the first, which serves on")
        func twoAtOnce() async throws {
            let first = try await ChildDaemon().ready()
            let second = try ChildDaemon(in: first.folder)
            #expect(try await second.ended() == 69)
            #expect(second.log.contains("pid \(first.pid)") && second.log.contains(first.socket), "\(second.log)")
            #expect(
                try await callOnce(at: first.socket, V1.DaemonRPC.status, V1.StatusRequest()).pid == UInt32(first.pid))
        }

        @Test("a socket's path that is too long is told with its length and the limit")
        func longPath() async throws {
            let path = "/tmp/" + String(repeating: "x", count: 120)
            let daemon = try ChildDaemon(socket: path)
            #expect(try await daemon.ended() == 78)
            #expect(daemon.log.contains("125 bytes") && daemon.log.contains("107"), "\(daemon.log)")
        }

        @Test("a socket's path with no room for the descriptors' socket beside it serves all but shared memory")
        func almostLongPath() async throws {
            let folder = try TemporaryFolder()
            let stem = folder("d/")
            let path = stem + String(repeating: "x", count: 107 - stem.utf8.count)
            let daemon = try ChildDaemon(in: folder, socket: path)
            func ask<Q, A>(_ rpc: RPC<Q, A>, _ message: Q) async throws -> TTRPC.Response {
                let connection = try RawConnection(to: path)
                try connection.send(RawConnection.request(rpc, message))
                return try await connection.response()
            }
            try await eventually("it serves") {
                guard let answer = try? await ask(Health.HealthRPC.check, Health.HealthCheckRequest()) else {
                    return false
                }
                return try Health.HealthCheckResponse(serialized: answer.payload).status == .serving
            }
            let memory = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
            let status = try await ask(V1.TraceRPC.runToEnd, memory).status
            #expect(status?.code == WireError.Code.unavailable.rawValue)
            #expect(status?.message.contains("shared memory") == true)
            try await eventually("it says so") { daemon.log.contains("shared memory") }
        }

        @Test(
            "a folder that belongs to someone else is refused with 77",
            .enabled(if: geteuid() == 0, "needs root: chown"))
        func foreignFolder() async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder("d"), withIntermediateDirectories: true)
            #expect(chmod(folder("d"), 0o700) == 0 && chown(folder("d"), 65534, 65534) == 0)
            let daemon = try ChildDaemon(in: folder)
            #expect(try await daemon.ended() == 77)
            #expect(daemon.log.contains("65534") && daemon.log.contains(folder("d")), "\(daemon.log)")
        }

        @Test("SIGTERM lets what runs finish, refuses what is new, and ends with 0 and without a socket")
        func terminated() async throws {
            let daemon = try await ChildDaemon("--drain-timeout", "120").ready()
            let (worker, other) = (try await daemon.connect(), try await daemon.connect())
            let request = try daemon.trace(seconds: 150)
            let answer = Task { try await worker.call(V1.TraceRPC.runToEnd, request) }
            let clip = V1.TranscribeRequest(audio: Sound.clip)
            let expected = try await other.call(V1.TranscribeRPC.transcribe, clip)
            try await eventually("it computes") { try await other.metric("auscult_engine_running") == 1 }
            daemon.send(SIGTERM)
            try await eventually("it drains") { try await other.status().draining }
            await expectFailure(.unavailable, "unavailable", naming: "stopping") {
                try await other.call(V1.TranscribeRPC.transcribe, clip)
            }
            #expect(throws: POSIXError.self) { try RawConnection(to: daemon.socket) }
            #expect(try await answer.value.windows == 15)
            #expect(try await daemon.ended() == 0)
            #expect(!expected.text.isEmpty)
            #expect(FileManager.default.fileExists(atPath: daemon.folder("t.safetensors")))
            #expect(try FileManager.default.contentsOfDirectory(atPath: daemon.folder("d")) == ["s.sock.lock"])
        }

        @Test("past the time for finishing, what runs is cancelled and leaves nothing; jobs too")
        func drainTimeout() async throws {
            let daemon = try await ChildDaemon("--drain-timeout", "0.2").ready()
            let client = try await daemon.connect()
            let request = try daemon.trace(seconds: 590)
            let answer = Task { try await client.call(V1.TraceRPC.runToEnd, request) }
            var job = request
            job.output = .file(daemon.folder("job.npz"))
            let other = try await daemon.connect()
            _ = try await other.call(V1.JobRPC.start, V1.StartJobRequest(work: .trace(job)))
            try await eventually("it computes") { try await other.metric("auscult_engine_running") == 1 }
            daemon.send(SIGINT)
            await expectFailure(.unavailable, "unavailable") { try await answer.value }
            #expect(try await daemon.ended() == 0)
            let left = try daemon.folder.names()
            #expect(
                !left.contains { $0.contains("safetensors") || $0.contains("npz") || $0.contains("partial") }, "\(left)"
            )
        }

        @Test("a second SIGTERM ends it at once, whatever runs")
        func terminatedTwice() async throws {
            let daemon = try await ChildDaemon("--drain-timeout", "600").ready()
            let (worker, other) = (try await daemon.connect(), try await daemon.connect())
            let request = try daemon.trace(seconds: 590)
            let answer = Task { try await worker.call(V1.TraceRPC.runToEnd, request) }
            try await eventually("it computes") { try await other.metric("auscult_engine_running") == 1 }
            daemon.send(SIGTERM)
            try await eventually("it drains") { try await other.status().draining }
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 128 + SIGTERM)
            await expectFailure(.unavailable, "unavailable") { try await answer.value }
            #expect(try !daemon.folder.names().contains("t.safetensors"))
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        }

        @Test("Stop ends the process with 0")
        func stopped() async throws {
            let daemon = try await ChildDaemon().ready()
            _ = try await callOnce(at: daemon.socket, V1.DaemonRPC.stop, V1.StopRequest())
            #expect(try await daemon.ended() == 0)
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        }

        @Test("with --idle-exit it leaves when nobody needs it, and stays as long as a client or a job does")
        func idle() async throws {
            // A daemon that left while the job runs would cancel it at once.
            let daemon = try await ChildDaemon("--idle-exit", "2", "--drain-timeout", "0").ready()
            let client = try await daemon.connect()
            // A connection keeps it, past the limit and whatever it asks.
            try await eventually("more than the limit is over") { try await client.status().uptimeSeconds > 3 }
            let job = try await client.call(
                V1.JobRPC.start, V1.StartJobRequest(work: .trace(try daemon.trace(seconds: 50))))
            #expect(job.state == .queued)
            await client.close()
            #expect(try await daemon.ended() == 0)
            #expect(FileManager.default.fileExists(atPath: daemon.folder("t.safetensors")), "\(daemon.log)")
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        }

        @Test("--check-config prints what holds and where it comes from, and what cannot hold ends with 78")
        func checkConfig() async throws {
            let good = try ChildDaemon("--check-config", "--idle-exit", "5", environment: ["AUSCULTD_QUEUE_LIMIT": "9"])
            #expect(try await good.ended() == 0)
            #expect(good.output.contains("idle_exit = 5  # --idle-exit\n"))
            #expect(good.output.contains("queue_limit = 9  # $AUSCULTD_QUEUE_LIMIT\n"))
            #expect(good.output.contains("socket = \"\(good.socket)\"  # --socket\n"))
            #expect(!FileManager.default.fileExists(atPath: good.folder("d")))
            let bad = try ChildDaemon("--check-config", "--queue-limit", "many")
            #expect(try await bad.ended() == 78)
            #expect(bad.log.contains("--queue-limit") && bad.log.contains("many"))
        }

        @Test("a model that is not there ends the start with 66, and names it")
        func noModel() async throws {
            let daemon = try ChildDaemon("--model", "no-such-model")
            #expect(try await daemon.ended() == 66)
            #expect(daemon.log.contains("no-such-model"))
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        }
    }
}
