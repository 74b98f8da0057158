import Audio
import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    /// What becomes of a microphone's listeners where something beside them stands still.
    @Suite(
        "A microphone's listeners", .timeLimit(.minutes(5)),
        .enabled(if: Microphone.isPossible, "needs ALSA's configuration, auscultd and auscult-capture"))
    struct MicrophoneFaultTests {
        private func with(_ body: (ChildDaemon, WireClient) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let microphone = try Microphone(in: folder)
            let daemon = try ChildDaemon(
                "--stall-timeout", "1", in: folder, environment: microphone.environment)
            try await daemon.ready()
            let client = try await daemon.connect()
            try await body(daemon, client)
            microphone.end()
            await client.close()
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        private func open(_ device: String = Microphone.name) -> V1.LiveOpen {
            var open = V1.LiveOpen()
            open.rolling = V1.LiveRolling(hopMs: 100, contextMs: 800, inSilence: true)
            open.features = [V1.LiveFeature(hook: "encoder.blocks.2.mlp.1", index: 17)]
            open.device = V1.LiveDevice(name: device)
            return open
        }

        /// Waits until levels are told of sound past those that were.
        private func hearsOn(_ call: Listening, _ what: Comment) async throws {
            let end = call.levels.last?.end ?? 0
            try await eventually(what) { (call.levels.last?.end ?? 0) > end + 0.5 }
        }

        @Test("a helper that stands still for 5 s is heard again, and what was lost is a gap")
        func stoppedHelper() async throws {
            try await with { daemon, client in
                let call = try await Listening(client, open())
                try await eventually("it is open") { !call.levels.isEmpty }
                let helper = try #require(CaptureHelper.processes(of: daemon.pid).first)
                kill(helper, SIGSTOP)
                try await Task.sleep(for: .seconds(5))
                kill(helper, SIGCONT)
                try await eventually("what was lost is a gap") { !call.gaps.isEmpty }
                try await hearsOn(call, "it is heard again")
                try await eventually("there is one helper") { CaptureHelper.processes(of: daemon.pid).count == 1 }
                let gap = try #require(call.gaps.first)
                #expect(gap.end > gap.start && call.readings.allSatisfy { $0.end <= gap.start || $0.start >= gap.end })
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                #expect(call.error == nil)
            }
        }

        @Test(
            "a daemon that stands still for 5 s hears on, and says what it could not hear"
        )
        func stoppedDaemon() async throws {
            try await with { daemon, client in
                let call = try await Listening(client, open())
                try await eventually("it is open") { !call.levels.isEmpty }
                daemon.send(SIGSTOP)
                try await Task.sleep(for: .seconds(5))
                daemon.send(SIGCONT)
                try await hearsOn(call, "it hears on")
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                #expect(call.error == nil)
                // Each frame is told once for good, is in a gap, or is told to be unread.
                let settled = call.readings.reduce(0.0) { $0 + Double($1.settled) / 50 }
                let unread = call.events.reduce(0.0) {
                    if case .unread(let one)? = $1.event { $0 + one.end - one.start } else { $0 }
                }
                let lost = call.gaps.reduce(0.0) { $0 + $1.end - $1.start }
                let duration = try #require(call.levels.last?.end)
                // A listener ends at a gap, and its last frame may be a part of one.
                #expect(abs(settled + unread + lost - duration) < 0.1 + 0.04 * Double(call.gaps.count))
            }
        }

        @Test("an input under more names than inputs are captured at a time is refused, and the others hear on")
        func names() async throws {
            try await with { daemon, client in
                let name = Microphone.name
                let names = (8...name.count).map { name.prefix($0) } + (1...6).map { name.dropFirst($0) }
                #expect(Set(names).count == 17)
                var calls: [Listening] = []
                for one in names.prefix(16) {
                    let call = try await Listening(client, open(String(one)))
                    try await eventually("\(one) is open") { !call.levels.isEmpty }
                    calls.append(call)
                }
                let last = try await Listening(client, open(String(names[16])))
                try await eventually("the last is refused") { last.hasEnded }
                #expect((last.error as? WireError)?.code == .resourceExhausted)
                for call in calls { try await hearsOn(call, "they hear on") }
                for call in calls { try await call.finish() }
                try await eventually("no helper stays") { CaptureHelper.processes(of: daemon.pid).isEmpty }
            }
        }

        @Test(
            "20 listeners have one helper, and one who reads nothing keeps none of them waiting"
        )
        func many() async throws {
            try await with { daemon, client in
                let stalled = try RawConnection(to: daemon.socket)
                var wanted = open()
                // So that it does not fit into the socket: the sound, and every column.
                wanted.echo = true
                wanted.features = (0..<640).map { V1.LiveFeature(hook: "encoder.blocks.2.mlp.1", index: $0) }
                let listen = TTRPC.Request(service: "auscult.v1.Live", method: "Listen")
                try stalled.send(
                    RawConnection.frame(1, type: 1, flags: 2, listen.serialized())
                        + RawConnection.frame(1, type: 3, flags: 0, V1.LiveInput(input: .open(wanted)).serialized()))
                var calls: [Listening] = []
                for _ in 0..<20 { calls.append(try await Listening(client, open())) }
                for call in calls { try await eventually("it is open") { !call.levels.isEmpty } }
                #expect(CaptureHelper.processes(of: daemon.pid).count == 1)
                try await eventually("the reader that reads nothing has lost its connection") {
                    try await client.status().connections == 1
                }
                for call in calls { try await hearsOn(call, "they are heard on") }
                for call in calls { try await call.finish() }
                for call in calls { try await eventually("it has ended") { call.hasEnded } }
                #expect(calls.allSatisfy { $0.error == nil })
                try await eventually("the helper is gone") { CaptureHelper.processes(of: daemon.pid).isEmpty }
            }
        }
    }
}
