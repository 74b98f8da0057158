import Audio
import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite(
        "Faults of live sound", .timeLimit(.minutes(5)),
        .enabled(if: Microphone.isPossible, "needs ALSA's configuration, auscultd and auscult-capture"))
    struct LiveFaultsTests {
        private func with(_ body: (Microphone, ChildDaemon) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let microphone = try Microphone(in: folder)
            let daemon = try ChildDaemon(in: folder, environment: microphone.environment)
            try await daemon.ready()
            try await body(microphone, daemon)
            microphone.end()
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        private func open(_ change: (inout V1.LiveOpen) -> Void = { _ in }) -> V1.LiveOpen {
            var open = V1.LiveOpen(language: "en", transcribe: true)
            open.rolling = V1.LiveRolling(hopMs: 100, contextMs: 800)
            open.features = [V1.LiveFeature(hook: "encoder.blocks.2.mlp.1", index: 17)]
            open.device = V1.LiveDevice(name: Microphone.name)
            change(&open)
            return open
        }

        private func speech() throws -> [Float] {
            try SampleBuffer.read(AudioInput.clip(named: "en-slt-01").source).readAll()
        }

        @Test("a helper that stands still for five seconds is replaced, and what it did not hear is a gap")
        func stopped() async throws {
            try await with { microphone, daemon in
                let client = try await daemon.connect()
                let call = try await Listening(client, open())
                try await eventually("it is open; \(String(describing: call.error))") { !call.levels.isEmpty }
                let stopped = try #require(CaptureHelper.processes(of: daemon.pid).first)
                kill(stopped, SIGSTOP)
                let began = ContinuousClock.now
                try await eventually("it is lost, and back") {
                    call.sources.prefix(3).map(\.state) == [.open, .lost, .open] && !call.gaps.isEmpty
                }
                #expect(call.sources[1].reason.contains("no sound came"))
                try await Task.sleep(until: began + .seconds(5), clock: .continuous)
                kill(stopped, SIGCONT)
                let gap = try #require(call.gaps.first)
                #expect(gap.end - gap.start > 1 && call.gaps.count == 1)
                #expect(call.readings.allSatisfy { $0.end <= gap.start || $0.start >= gap.end })
                microphone.say(try speech())
                try await eventually("words are there; there is \(call.text)") {
                    call.text.split(separator: " ").count >= 3
                }
                #expect(!CaptureHelper.processes(of: daemon.pid).contains(stopped))
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                await client.close()
            }
        }

        @Test("twenty listen to one device, and one who takes nothing costs the others nothing")
        func many() async throws {
            try await with { microphone, daemon in
                var clients: [WireClient] = []
                for _ in 0..<21 { clients.append(try await daemon.connect()) }
                let quiet = open { $0.transcribe = false }
                // It asks and never reads.
                let stalled = try await clients[20].open(V1.LiveRPC.listen)
                try await stalled.send(V1.LiveInput(input: .open(quiet)))
                var calls: [Listening] = []
                for client in clients.prefix(20) { calls.append(try await Listening(client, quiet)) }
                for call in calls {
                    try await eventually("each hears; \(String(describing: call.error))") { !call.levels.isEmpty }
                }
                #expect(CaptureHelper.processes(of: daemon.pid).count == 1)
                microphone.say(try speech())
                for call in calls {
                    try await eventually("each is told what settled") { call.readings.contains { $0.settled > 0 } }
                }
                for call in calls { try await call.finish() }
                for call in calls {
                    try await eventually("each ends") { call.hasEnded }
                    #expect(call.error == nil && call.gaps.isEmpty)
                    #expect(call.events.allSatisfy { $0.dropped == 0 })
                }
                for client in clients { await client.close() }
                try await eventually("the helper is gone") { CaptureHelper.processes(of: daemon.pid).isEmpty }
            }
        }

        @Test("a model whose files are replaced by others, and that others take the place of, is heard with to the end")
        func swapped() async throws {
            let folder = try TemporaryFolder()
            let files = FileManager.default
            let original = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models/default").path
            let model = folder("model")
            try files.copyItem(atPath: original, toPath: model)
            try await with { _, daemon in
                let client = try await daemon.connect()
                let call = try await Listening(
                    client,
                    open {
                        $0.model = V1.ModelRef(name: model)
                        $0.device = nil
                    })
                let sound = Sound.s16le(try speech() + [Float](repeating: 0, count: 16_000))
                try await call.send(.pcmS16le(sound))
                try await eventually("words are there; \(String(describing: call.error))") {
                    call.text.contains("goat")
                }
                // Written beside it and renamed, as downloads are.
                try files.moveItem(atPath: model, toPath: folder("old"))
                try files.createDirectory(atPath: model, withIntermediateDirectories: true)
                try Data("{}".utf8).write(to: URL(fileURLWithPath: model + "/config.json"))
                let before = call.text.count
                try await call.send(.pcmS16le(sound))
                try await eventually("words are there again; \(String(describing: call.error))") {
                    call.text.dropFirst(before).contains("goat") || call.hasEnded
                }
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                #expect(call.error == nil)
                await client.close()
            }
        }
    }
}
