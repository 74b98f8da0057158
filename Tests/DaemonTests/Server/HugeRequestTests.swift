import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    /// Requests of a few MB that ask for far more than anybody needs.
    @Suite("Huge requests", .timeLimit(.minutes(5))) struct HugeRequestTests {
        @Test("a call with interventions by the ten thousand is refused with the number that may be")
        func interventions() async throws {
            let many = [V1.Intervention](repeating: V1.Intervention(text: "encoder.blocks.0 = zero"), count: 20_000)
            try await TestDaemon.run { daemon in
                let words = ["20000 interventions", "1024"]
                await expectFailure(.invalidArgument, "invalid_argument", naming: words[0], words[1]) {
                    try await daemon.call(
                        V1.TraceRPC.runToEnd,
                        V1.TraceRequest(
                            audio: Sound.clip, hooks: ["encoder.ln_post"], interventions: many,
                            output: .file(daemon.folder("out.npz"))))
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: words[0], words[1]) {
                    var request = V1.TranscribeRequest(audio: Sound.clip)
                    request.interventions = many
                    return try await daemon.call(V1.TranscribeRPC.transcribe, request)
                }
            }
        }

        @Test("an objective with numbers past every bound, or a file of terabytes, is told, and the daemon goes on")
        func objectives() async throws {
            try await TestDaemon.run { daemon in
                let hole = daemon.folder("hole.safetensors"), fitting = daemon.folder("fitting.safetensors")
                try writeHole(
                    to: hole, "encoder.ln_post", shape: [1 << 33, 160], type: "BF16", bytes: (1 << 34) * 160)
                try writeHole(to: fitting, "encoder.ln_post", shape: [1, 160], type: "F32", bytes: 640)
                for (objective, word) in [
                    ("token 1 behind 9223372036854775807", "behind token 9223372036854775807"),
                    ("encoder.blocks.2.mlp.1:9223372036854775807", "0 to 639"),
                    ("encoder.blocks.2.attn.pattern:9223372036854775807.0", "no head"),
                    ("encoder.blocks.2.mlp.1:1@frames 9223372036854775806:9223372036854775807", "which has 500"),
                    ("token 9223372036854775807", "vocabulary of"), (hole, "at most"),
                    ("/dev/zero.safetensors", "/dev/zero"),
                ] {
                    do {
                        _ = try await daemon.call(
                            V1.TraceRPC.runToEnd,
                            V1.TraceRequest(
                                audio: Sound.clip, hooks: ["encoder.blocks.0"],
                                output: .file(daemon.folder("out.npz")),
                                objectives: [V1.Objective(text: objective)]))
                        Issue.record("\(objective) was no error")
                    } catch let error as WireError { #expect(error.message.contains(word), "\(objective): \(error)") }
                }
                let found = try await daemon.call(
                    V1.TraceRPC.runToEnd,
                    V1.TraceRequest(
                        audio: Sound.clip, hooks: ["encoder.blocks.0"], output: .file(daemon.folder("out.npz")),
                        objectives: [V1.Objective(text: fitting)]))
                #expect(found.tensors.count == 2)
            }
        }

        @Test("a request that names embedded clips by the ten thousand has each of them in memory once")
        func clips() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let before = try await client.status().memoryBytes
                let request = V1.ListRecordingsRequest(audio: [V1.AudioSource](repeating: Sound.clip, count: 20_000))
                var count = 0
                for try await event in try await client.stream(V1.RecordingsRPC.list, request) {
                    if case .recording? = event.event { count += 1 }
                }
                #expect(count == 20_000)
                // Each has 40 KB of FLAC.
                #expect(try await client.status().memoryBytes < before + (300 << 20))
                await client.close()
            }
        }
    }
}
