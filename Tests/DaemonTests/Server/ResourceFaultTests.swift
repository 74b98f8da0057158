import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The daemon when the system has no more to give", .timeLimit(.minutes(5))) struct ResourceFaultTests {
        private static func shell(_ limit: String) -> [String] { ["/bin/sh", "-c", limit + "; exec \"$0\" \"$@\""] }

        @Test("without descriptors a call that needs a file is told so, and when they are back all is well")
        func descriptors() async throws {
            let daemon = try await ChildDaemon(through: Self.shell("ulimit -n 40")).ready()
            let client = try await daemon.connect()
            let file = daemon.folder("a.wav")
            try Sound.longRecording(seconds: 1, at: file)
            let request = V1.TraceRequest(
                audio: V1.AudioSource(source: .path(file)), hooks: ["log_mel"], output: .file(daemon.folder("t.npz")))
            _ = try await client.call(V1.TraceRPC.runToEnd, request)
            // More than it can take: those that find no descriptor wait in the system's queue.
            var crowd: [RawConnection] = []
            for _ in 0..<60 { crowd.append(try RawConnection(to: daemon.socket)) }
            var told: WireError?
            try await eventually("a call finds no descriptor") {
                do { _ = try await client.call(V1.TraceRPC.runToEnd, request) } catch let error as WireError {
                    told = error
                }
                return told != nil
            }
            #expect([.resourceExhausted, .unavailable].contains(told?.code), "\(String(describing: told))")
            #expect(told?.message.contains("Too many open files") == true, "\(told?.message ?? "")")
            // What the call before held may be free for a moment.
            var refused: WireError?
            try await eventually("an upload finds no descriptor") {
                do { _ = try await client.upload([0, 0], .pcmS16le16k) } catch let error as WireError {
                    refused = error
                }
                return refused != nil
            }
            #expect(refused?.code == .resourceExhausted && refused?.reason == "resource_exhausted")
            #expect(refused?.message.contains("Too many open files") == true, "\(refused?.message ?? "")")
            #expect(try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest()).status == .serving)
            crowd = []
            try await eventually("it takes connections again") {
                (try? await callOnce(at: daemon.socket, V1.TraceRPC.runToEnd, request)) != nil
            }
            #expect(daemon.isRunning)
            await client.close()
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        @Test("without descriptors for connections it says so, waits, and uses no processor meanwhile")
        func crowd() async throws {
            let daemon = try await ChildDaemon(through: Self.shell("ulimit -n 64")).ready()
            // It may serve before its lines are written.
            try await eventually("it says how few it may have; it said: \(daemon.log)") {
                daemon.log.contains("at most 64 files may be open (ulimit -n)")
            }
            var crowd: [RawConnection] = []
            for _ in 0..<80 { crowd.append(try RawConnection(to: daemon.socket)) }
            try await eventually("it says that it cannot take more") {
                daemon.log.contains("no connection can be accepted for now; new ones wait: Too many open files")
            }
            let before = try Self.processorTicks(daemon.pid)
            try await Task.sleep(for: .seconds(3))
            // A hundred ticks a second: where it asks again without a pause, hundreds of these, or what other processes leave of them.
            #expect(try Self.processorTicks(daemon.pid) - before < 20)
            crowd = []
            try await eventually("it takes connections again") {
                (try? await callOnce(at: daemon.socket, Health.HealthRPC.check, Health.HealthCheckRequest())) != nil
            }
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        private static func processorTicks(_ process: Int32) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
        }

        @Test(
            "however little address space there is, each call is answered or told so, and the daemon goes on",
            arguments: [900, 600, 565, 545, 500, 400])
        func addressSpace(mebibytes: Int) async throws {
            let daemon = try ChildDaemon("--threads", "1", through: Self.shell("ulimit -v \(mebibytes << 10)"))
            do { try await daemon.ready() } catch {
                // Too little to start with; then it says so, and does not crash.
                #expect(daemon.log.contains("address space"), "\(daemon.log)")
                #expect(try await daemon.ended() < 128)
                return
            }
            let client = try await daemon.connect()
            var answered = 0, refused = 0
            for _ in 0..<4 {
                do {
                    let request = V1.TranscribeRequest(audio: Sound.clip)
                    #expect(try await !client.call(V1.TranscribeRPC.transcribe, request).text.isEmpty)
                    answered += 1
                } catch let error as WireError {
                    #expect(error.code == .resourceExhausted && error.message.contains("address space"), "\(error)")
                    refused += 1
                }
                let everything = V1.TraceRequest(
                    audio: Sound.clip, hooks: ["**"], output: .file(daemon.folder("t.safetensors")))
                do { _ = try await client.call(V1.TraceRPC.runToEnd, everything) } catch let error as WireError {
                    #expect(error.code == .resourceExhausted, "\(error)")
                }
            }
            if mebibytes >= 900 { #expect(answered == 4) }
            if refused > 0 {
                try await eventually("it says so") { daemon.log.contains("ended with RESOURCE_EXHAUSTED") }
            }
            #expect(try await client.call(Health.HealthRPC.check, Health.HealthCheckRequest()).status == .serving)
            await client.close()
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        @Test(
            "a file that cannot grow is told as input_output, and nothing of it is left",
            arguments: ["npz", "safetensors"])
        func fileSize(ending: String) async throws {
            // 64 blocks of 512 bytes: a limit that is met as a full disk is, and on every machine.
            let daemon = try await ChildDaemon(through: Self.shell("ulimit -f 64")).ready()
            let client = try await daemon.connect()
            let name = daemon.folder("t.\(ending)")
            let request = V1.TraceRequest(audio: Sound.clip, hooks: ["encoder.blocks.*"], output: .file(name))
            for _ in 0..<2 {
                await expectFailure(.internal, "input_output", naming: name) {
                    try await client.call(V1.TraceRPC.runToEnd, request)
                }
            }
            let before = try daemon.folder.names()
            #expect(!before.contains { $0.contains("t.") || $0.contains("partial") }, "\(before)")
            await expectFailure(.internal, "input_output", naming: "upload") {
                try await client.upload([UInt8](repeating: 0, count: 1 << 17), .pcmS16le16k)
            }
            let job = try await client.call(V1.JobRPC.start, V1.StartJobRequest(work: .trace(request)))
            var last: V1.JobInfo?
            for try await event in try await client.stream(V1.JobRPC.watch, V1.WatchJobRequest(id: job.id)) {
                if case .state(let info)? = event.event { last = info }
            }
            #expect(last?.state == .failed && last?.error?.reason == "input_output")
            #expect(
                try await !client.call(V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: Sound.clip)).text
                    .isEmpty)
            #expect(try daemon.folder.names() == before)
            await client.close()
        }

        @Test(
            "a full disk is told as input_output, and nothing of the file is left",
            .enabled(if: Disk.isPossible, "needs mount"))
        func fullDisk() async throws {
            let disk = try Disk(bytes: 256 << 10)
            defer { withExtendedLifetime(disk) {} }
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                for ending in ["npz", "safetensors"] {
                    let name = disk.folder("m/t.\(ending)")
                    await expectFailure(.internal, "input_output", naming: name, "No space left") {
                        try await client.call(
                            V1.TraceRPC.runToEnd,
                            V1.TraceRequest(audio: Sound.clip, hooks: ["encoder.blocks.*"], output: .file(name)))
                    }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.folder("m")).isEmpty)
                }
                await client.close()
            }
        }

        /// A small disk of its own.
        private final class Disk {
            let folder: TemporaryFolder

            /// Whether this process may mount one.
            static let isPossible = geteuid() == 0 && (try? Disk(bytes: 1 << 16)) != nil

            init(bytes: Int) throws {
                folder = try TemporaryFolder()
                try FileManager.default.createDirectory(atPath: folder("m"), withIntermediateDirectories: true)
                guard mount("tmpfs", folder("m"), "tmpfs", 0, "size=\(bytes)") == 0 else {
                    throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
                }
            }

            deinit { umount2(folder("m"), 2) }
        }
    }
}
