import Audio
import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite(
        "A microphone", .timeLimit(.minutes(5)),
        .enabled(if: Microphone.isPossible, "needs ALSA's configuration, auscultd and auscult-capture"))
    struct MicrophoneTests {
        private func with(_ body: (Microphone, ChildDaemon, WireClient) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let microphone = try Microphone(in: folder)
            let daemon = try ChildDaemon(in: folder, environment: microphone.environment)
            try await daemon.ready()
            let client = try await daemon.connect()
            try await body(microphone, daemon, client)
            microphone.end()
            await client.close()
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

        private func words(_ text: String) -> [Substring] { text.split(separator: " ") }

        private func speech() throws -> [Float] {
            try SampleBuffer.read(AudioInput.clip(named: "en-slt-01").source).readAll()
        }

        @Test("is among the devices, by PortAudio's word")
        func devices() async throws {
            try await with { _, _, client in
                let found = try await client.call(V1.LiveRPC.devices, V1.ListSoundDevicesRequest()).devices
                let microphone = try #require(found.first { $0.name == Microphone.name })
                #expect(microphone.sampleRate == Double(Microphone.rate) && microphone.hostApi == "ALSA")
            }
        }

        @Test(
            "what is said into it is written and read, for all who listen, by one helper, which goes when nobody does")
        func listening() async throws {
            try await with { microphone, daemon, client in
                let first = try await Listening(client, open())
                try await eventually("it is open; \(String(describing: first.error))") { !first.levels.isEmpty }
                microphone.fit(first.sources.first)
                let second = try await Listening(client, open { $0.transcribe = false })
                try await eventually("the other hears too") { !second.levels.isEmpty }
                try await eventually("there is one helper") { CaptureHelper.processes(of: daemon.pid).count == 1 }
                #expect(first.sources.first?.state == .open && second.sources.first?.device == Microphone.name)
                // ALSA's file takes what it gets of a period for all of it, on a busy machine: most words are enough, and where it swallowed
                // them, they are said again.
                let said = ["the", "goat", "is", "cold", "but", "horse", "famous"]
                let isHeard = { said.count { words(first.text).contains(Substring($0)) } >= 4 }
                for _ in 0..<3 where !isHeard() {
                    microphone.say(try speech())
                    for _ in 0..<150 where !isHeard() { try await Task.sleep(for: .milliseconds(100)) }
                }
                #expect(isHeard(), "\(first.account)")
                try await second.finish()
                try await eventually("the other has ended") { second.hasEnded }
                #expect(second.error == nil)
                try await eventually("the helper stays") { CaptureHelper.processes(of: daemon.pid).count == 1 }
                try await first.finish()
                try await eventually("the first has ended") { first.hasEnded }
                #expect(first.error == nil)
                // Both read the same of what was said, each frame for the last time once.
                for one in [first, second] {
                    #expect(one.readings.contains { $0.settled > 0 } && one.events.allSatisfy { $0.dropped == 0 })
                    let times = one.events.dropFirst().filter { $0.capturedUnixNs != 0 }
                    // That file has no clock of its own, so its times are rough.
                    #expect(times.count > 20)
                    #expect(times.allSatisfy { abs($0.madeUnixNs - $0.capturedUnixNs) < 30_000_000_000 })
                }
                try await eventually("the helper is gone") { CaptureHelper.processes(of: daemon.pid).isEmpty }
            }
        }

        @Test(
            "a helper that is killed is started again; what was lost meanwhile is a gap, and words after it are heard")
        func killed() async throws {
            try await with { microphone, daemon, client in
                let call = try await Listening(client, open())
                try await eventually("it is open") { !call.levels.isEmpty }
                for process in CaptureHelper.processes(of: daemon.pid) { kill(process, SIGKILL) }
                try await eventually("it is lost, and back") {
                    call.sources.prefix(3).map(\.state) == [.open, .lost, .open] && !call.gaps.isEmpty
                }
                let gap = try #require(call.gaps.first)
                #expect(gap.end > gap.start && gap.reason.contains("lost"))
                #expect(call.readings.allSatisfy { $0.end <= gap.start || $0.start >= gap.end })
                microphone.say(try speech())
                try await eventually("words are there") { words(call.text).count >= 3 }
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
            }
        }

        @Test("a device that goes away is lost until it is back")
        func unplugged() async throws {
            try await with { microphone, _, client in
                let call = try await Listening(client, open())
                try await eventually("it is open") { !call.levels.isEmpty }
                microphone.plug(false)
                try await eventually("it is lost") { call.sources.last?.state == .lost }
                #expect(call.sources.last?.reason.isEmpty == false)
                microphone.plug(true)
                try await eventually("it is back") { call.sources.last?.state == .open && !call.gaps.isEmpty }
                microphone.say(try speech())
                try await eventually("words are there") { words(call.text).count >= 3 }
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
            }
        }

        @Test("a device that is not there is refused, with those that are")
        func unknown() async throws {
            try await with { _, daemon, client in
                let call = try await Listening(client, open { $0.device = V1.LiveDevice(name: "no such thing") })
                try await eventually("it is refused") { call.hasEnded }
                let error = try #require(call.error as? WireError)
                #expect(error.code == .unavailable && error.message.contains("no such thing"))
                #expect(error.message.contains(Microphone.name))
                try await eventually("no helper stays") { CaptureHelper.processes(of: daemon.pid).isEmpty }
            }
        }

        @Test("sound that is sent as well is refused")
        func sent() async throws {
            try await with { _, _, client in
                let call = try await Listening(client, open())
                try await call.send(.pcmS16le([0, 0]))
                try await eventually("it is refused") { call.hasEnded }
                #expect((call.error as? WireError)?.code == .invalidArgument)
            }
        }
    }

    @Suite("Live sound over the wire", .timeLimit(.minutes(5))) struct LiveMethodTests {
        @Test("settled features, marks, interventions, gaps and capture times come over the wire")
        func listen() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var open = V1.LiveOpen(language: "en", transcribe: true)
                open.rolling = V1.LiveRolling(hopMs: 60, contextMs: 800)
                open.features = [V1.LiveFeature(hook: "encoder.blocks.2.mlp.1", index: 17)]
                open.compare = true
                let call = try await Listening(client, open)
                let bytes = Sound.s16le(try Sound.samples())
                try await call.send(.sound(V1.LiveSound(pcmS16le: bytes, capturedUnixNs: 1_000_000_000)))
                try await call.send(.mark(V1.LiveMark(label: "here")))
                try await call.send(
                    .interventions(
                        V1.LiveInterventions(interventions: [V1.Intervention(text: "encoder.ln_post = zero")])))
                try await call.send(.sound(V1.LiveSound(pcmS16le: bytes, capturedUnixNs: 5_000_000_000, lost: 1600)))
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                #expect(call.error == nil)
                let samples = bytes.count / 2
                let frames = 2 * EncoderFrames.valid(sampleCount: samples)
                let unread = call.events.reduce(0.0) {
                    if case .unread(let one)? = $1.event { $0 + one.end - one.start } else { $0 }
                }
                let settled = call.readings.reduce(0) { $0 + Int($1.settled) }
                #expect(abs(Double(frames - settled) - unread * 50) <= 2)
                #expect(call.gaps.count == 1)
                #expect(abs((call.gaps.first.map { $0.end - $0.start } ?? 0) - 0.1) < 1e-9)
                var marks: [String] = []
                var steering: [[String]] = []
                for event in call.events {
                    if case .marked(let one)? = event.event { marks.append(one.label) }
                    if case .steering(let one)? = event.event { steering.append(one.interventions) }
                    if case .readings(let one)? = event.event {
                        let wanted =
                            one.end <= Double(samples) / 16000
                            ? 1_000_000_000 + Int64(one.end * 1e9)
                            : 5_000_000_000 + Int64((one.end - Double(samples + 1600) / 16000) * 1e9)
                        #expect(abs(event.capturedUnixNs - wanted) < 100_000)
                    }
                }
                #expect(marks == ["here"] && steering == [["encoder.ln_post = zero"]])
                await client.close()
            }
        }

        @Test("where nothing but levels is wanted, they are told of all sound that is sent")
        func levels() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var open = V1.LiveOpen()
                open.rolling = V1.LiveRolling(hopMs: 100)
                open.echo = true
                let call = try await Listening(client, open)
                try await eventually("it has started") { !call.events.isEmpty }
                let bytes = Sound.s16le(try Sound.samples())
                try await call.send(.pcmS16le(bytes))
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                #expect(call.levels.last?.end == Double(bytes.count / 2) / 16000)
                var heard: [UInt8] = []
                for event in call.events { if case .heard(let one)? = event.event { heard += one.pcmS16le } }
                #expect(heard == bytes)
                await client.close()
            }
        }

        @Test("a model whose files are replaced under a session is heard with to the session's end")
        func replaced() async throws {
            let folder = try TemporaryFolder()
            let files = FileManager.default
            var root = URL(fileURLWithPath: #filePath)
            for _ in 0..<4 { root.deleteLastPathComponent() }
            let model = folder("model")
            try files.copyItem(atPath: root.appendingPathComponent("models/default").path, toPath: model)
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var open = V1.LiveOpen(model: V1.ModelRef(name: model), language: "en", transcribe: true)
                open.rolling = V1.LiveRolling(hopMs: 100)
                let call = try await Listening(client, open)
                // The model knows sentences that follow one another closely.
                let sound = Sound.s16le(try Sound.samples() + [Float](repeating: 0, count: 8000))
                try await call.send(.pcmS16le(sound))
                try await eventually("it is heard; \(String(describing: call.error))") { !call.levels.isEmpty }
                // Renamed in its place, as downloads are.
                try files.moveItem(atPath: model, toPath: folder("old"))
                try files.createDirectory(atPath: model, withIntermediateDirectories: true)
                try Data("{}".utf8).write(to: URL(fileURLWithPath: model + "/config.json"))
                try await call.send(.pcmS16le(sound))
                try await call.finish()
                try await eventually("it has ended") { call.hasEnded }
                // Both were written, the second after its files had gone.
                #expect(call.error == nil && call.text.components(separatedBy: "goat").count == 3, "\(call.text)")
                await client.close()
            }
        }

        @Test("what makes no sense is refused in words")
        func refused() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var open = V1.LiveOpen(transcribe: true)
                open.rolling = V1.LiveRolling(hopMs: 30)
                var call = try await Listening(client, open)
                try await eventually("it is refused") { call.hasEnded }
                #expect((call.error as? WireError)?.message.contains("whole frames of 20 ms") == true)
                call = try await Listening(client, V1.LiveOpen(transcribe: true))
                try await call.send(
                    .interventions(
                        V1.LiveInterventions(interventions: [V1.Intervention(text: "encoder.nowhere = zero")])))
                try await eventually("it is refused") { call.hasEnded }
                #expect((call.error as? WireError)?.code == .invalidArgument)
                call = try await Listening(client, V1.LiveOpen(transcribe: true))
                try await call.send(.sound(V1.LiveSound(pcmS16le: [0, 0], lost: .max)))
                try await eventually("it is refused") { call.hasEnded }
                #expect((call.error as? WireError)?.message.contains("samples were lost") == true)
                await client.close()
            }
        }
    }
}
