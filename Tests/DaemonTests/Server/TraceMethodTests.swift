import Daemon
import Foundation
import Logging
import Messages
import TestSupport
import Testing
import Whisper
import Wire

extension WholeDaemon {
    @Suite("Tracing over the socket", .timeLimit(.minutes(10))) struct TraceMethodTests {
        private struct Case: Sendable, CustomTestStringConvertible {
            var clip = "en-slt-01"
            var hooks: [String]
            var reduction = V1.Reduction.none
            var frames = V1.Frames.valid
            var interventions: [String] = []
            var testDescription: String { "\(clip) \(hooks) \(reduction.rawValue) \(frames.rawValue) \(interventions)" }
        }

        private static let cases: [Case] = [
            Case(hooks: ["log_mel", "encoder.conv1"]),
            Case(clip: "fr-male-01", hooks: ["encoder.blocks.*", "encoder.ln_post"]),
            Case(hooks: ["encoder.blocks.1.attn.pattern"]),
            Case(hooks: ["decoder.logits", "decoder.blocks.0.cross_attn.pattern"]),
            Case(hooks: ["encoder.blocks.*.mlp.1", "log_mel"], reduction: .max),
            Case(
                clip: "nonspeech-noise", hooks: ["encoder.blocks.2.attn.scores", "encoder.ln_post"], reduction: .mean),
            Case(hooks: ["encoder.ln_post", "log_mel"], frames: .all),
            Case(
                hooks: ["encoder.ln_post", "decoder.logits"],
                interventions: ["encoder.blocks.1.mlp.1 = scale 0.5", "encoder.blocks.2.attn = noise 0.1 seed 3"]),
            // Three windows of ten seconds.
            Case(clip: "en-long-01", hooks: ["encoder.ln_post", "log_mel"]),
        ]

        @Test("a precision is compared with the exact one hook by hook, and the exact one with nothing")
        func comparedPrecision() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var request = V1.ComparePrecisionRequest(
                    model: V1.ModelRef(precision: .int8), audio: Sound.clip,
                    hooks: ["decoder.logits", "encoder.conv2", "encoder.blocks.1.mlp"])
                let found = try await client.call(V1.TraceRPC.comparePrecision, request)
                #expect(found.precision == .int8 && found.model == "default" && found.modelSha256.count == 64)
                #expect(found.hooks.map(\.hook) == ["encoder.conv2", "encoder.blocks.1.mlp", "decoder.logits"])
                #expect(found.hooks.allSatisfy { $0.relative > 0 && $0.relative < 0.3 && $0.largest > 0 })
                #expect(try #require(found.hooks.first).relative < 0.05)
                // Three windows, as one.
                request.audio = Sound.clip("en-long-01")
                #expect(try await client.call(V1.TraceRPC.comparePrecision, request).hooks.count == 3)
                request.model = V1.ModelRef()
                await expectFailure(.invalidArgument, "invalid_argument", naming: "int8", "exact") { [request] in
                    try await client.call(V1.TraceRPC.comparePrecision, request)
                }
                request.model = V1.ModelRef(precision: .int8)
                request.hooks = ["encoder.nowhere"]
                await expectFailure(.invalidArgument, "invalid_argument", naming: "encoder.nowhere") { [request] in
                    try await client.call(V1.TraceRPC.comparePrecision, request)
                }
                await client.close()
            }
        }

        @Test(
            "streamed, in shared memory and in a file, a trace is to the bit what the service gives", arguments: cases)
        private func identity(_ wanted: Case) async throws {
            var request = TraceRequest(hooks: wanted.hooks)
            request.reduction = wanted.reduction == .max ? .max : wanted.reduction == .mean ? .mean : .none
            request.frames = wanted.frames == .all ? .all : .valid
            request.interventions = wanted.interventions.map { .text($0) }
            let own = KeptTrace()
            let model = try embeddedModel()
            let service = TraceService(model: model, logger: Logger(label: "test"))
            let summary = try service.trace(AudioInput.clip(named: wanted.clip), request, into: own)
            #expect(!own.order.isEmpty)
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var message = V1.TraceRequest(
                    audio: Sound.clip(wanted.clip), hooks: wanted.hooks, frames: wanted.frames,
                    reduction: wanted.reduction,
                    interventions: wanted.interventions.map { V1.Intervention(text: $0) })
                let streamed = try await Traced(streaming: message, client)
                message.output = .memory(V1.Empty())
                let shared = try await Traced(streaming: message, client)
                let sharedAtOnce = try await Traced(ending: message, client)
                message.output = .file(daemon.folder("t.safetensors"))
                let filed = try await Traced(ending: message, client)
                for (found, name) in [
                    (streamed, "stream"), (shared, "memory"), (sharedAtOnce, "memory"), (filed, "file"),
                ] {
                    #expect(found.order == own.order && found.shapes == own.shapes, "\(name)")
                    #expect(found.bytes == own.bytes, "\(name)")
                    #expect(found.isSealed)
                    #expect(found.summary?.tensors.map(\.name) == own.order)
                    #expect(found.summary?.tokens.map { $0.ids.map { Int($0) } } == summary.tokens)
                    #expect(found.summary?.modelSha256 == summary.digest && found.summary?.duration == summary.duration)
                    #expect(found.summary?.windows == UInt32(summary.windows))
                }
                #expect(filed.summary?.outputFile == daemon.folder("t.safetensors"))
                await client.close()
            }
        }

        @Test(
            "a transcript is what the service gives, with interventions and without",
            arguments: [[], ["encoder.blocks.3 = scale 0.9"]])
        func transcripts(interventions: [String]) async throws {
            let model = try embeddedModel()
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                for clip in ["en-slt-01", "fr-female-03", "nonspeech-melody", "en-long-01"] {
                    var request = TranscriptionRequest()
                    request.interventions = interventions.map { .text($0) }
                    request.options.wordTimestamps = true
                    let own = try TranscribeService(model: model, request, logger: Logger(label: "test"))
                        .transcribe(AudioInput.clip(named: clip))
                    let answer = try await client.call(
                        V1.TranscribeRPC.transcribe,
                        V1.TranscribeRequest(
                            audio: Sound.clip(clip), options: V1.DecodingOptions(wordTimestamps: true),
                            interventions: interventions.map { V1.Intervention(text: $0) }))
                    #expect(answer.text == own.transcription.text && answer.language == own.transcription.language)
                    #expect(answer.duration == own.duration)
                    #expect(answer.segments.count == own.transcription.segments.count)
                    for (a, b) in zip(answer.segments, own.transcription.segments) {
                        #expect(a.text == b.text && a.tokens.map { Int($0) } == b.tokens && a.start == b.start)
                        #expect(a.end == b.end && a.avgLogprob == b.avgLogprob && a.noSpeechProb == b.noSpeechProb)
                        #expect(a.compressionRatio == b.compressionRatio && a.temperature == b.temperature)
                        #expect(a.words.map(\.probability) == (b.words ?? []).map(\.probability))
                        #expect(a.words.map(\.start) == (b.words ?? []).map(\.start))
                    }
                }
                await client.close()
            }
        }

        @Test("a token serves once, and one that was never given serves not at all")
        func tokens() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let request = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
                let memory = try #require(try await client.call(V1.TraceRPC.runToEnd, request).memory)
                let descriptor = try DescriptorHandoff.fetch(from: memory.socket, token: memory.token)
                #expect(ftruncate(descriptor, 0) != 0 && pwrite(descriptor, [1], 1, 0) < 0, "it is sealed")
                close(descriptor)
                for token in [memory.token, [UInt8](repeating: 0, count: 16)] {
                    let error = #expect(throws: WireError.self) {
                        try DescriptorHandoff.fetch(from: memory.socket, token: token)
                    }
                    #expect(error?.code == .notFound)
                }
                await client.close()
            }
        }

        @Test("what makes no sense about a trace is refused in words, streamed or not")
        func refusals() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                func request(_ change: (inout V1.TraceRequest) -> Void) -> V1.TraceRequest {
                    var request = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
                    change(&request)
                    return request
                }
                let bad: [(V1.TraceRequest, WireError.Code, String, String)] = [
                    (request { $0.hooks = [] }, .invalidArgument, "invalid_argument", "at least one hook"),
                    (request { $0.hooks = ["encoder.bloks"] }, .invalidArgument, "invalid_argument", "encoder.blocks"),
                    (
                        request { $0.hooks = Array(repeating: "encoder.blocks.0.mlp.1", count: 5000) },
                        .invalidArgument, "invalid_argument",
                        "5000"
                    ),
                    (request { $0.frames = V1.Frames(rawValue: 9) }, .invalidArgument, "invalid_argument", "9"),
                    (request { $0.reduction = V1.Reduction(rawValue: 9) }, .invalidArgument, "invalid_argument", "9"),
                    (request { $0.output = .file("t.npz") }, .invalidArgument, "invalid_argument", "absolute"),
                    (
                        request { $0.output = .file(daemon.folder("t.txt")) }, .invalidArgument, "invalid_argument",
                        ".safetensors"
                    ),
                    (
                        request { $0.output = .file("/nowhere/t.npz") }, .failedPrecondition, "cannot_create",
                        "/nowhere/t.npz"
                    ),
                    (
                        request {
                            $0.hooks = ["decoder.logits"]
                            $0.decoderInput = .tokens(V1.TokenSequence(ids: [-1]))
                        }, .invalidArgument, "invalid_argument", "-1"
                    ),
                    (
                        request {
                            $0.hooks = ["decoder.logits"]
                            $0.decoderInput = .tokens(V1.TokenSequence(ids: Array(repeating: 5, count: 1000)))
                        }, .invalidArgument, "invalid_argument", "64"
                    ),
                ]
                for (request, code, reason, word) in bad {
                    await expectFailure(code, reason, naming: word) {
                        try await client.call(V1.TraceRPC.runToEnd, request)
                    }
                    await expectFailure(code, reason, naming: word) { try await Traced(streaming: request, client) }
                }
                for output in [nil, V1.TraceRequest.Output.stream(V1.Empty())] {
                    await expectFailure(.invalidArgument, "invalid_argument", naming: "file or memory") {
                        try await client.call(V1.TraceRPC.runToEnd, request { $0.output = output })
                    }
                }
                let left = try daemon.folder.names()
                #expect(left == ["d"], "\(left)")
                await client.close()
            }
        }

        @Test(
            "a subscription that is cancelled from another connection ends with CANCELLED, and one that is not there is told"
        )
        func cancel() async throws {
            try await TestDaemon.run { daemon in
                let (client, other) = (try await daemon.connect(), try await daemon.connect())
                let request = try Sound.longTrace(seconds: 590, in: daemon.folder)
                await expectFailure(.cancelled, "cancelled") {
                    for try await event in try await client.stream(V1.TraceRPC.run, request) {
                        guard case .started(let started)? = event.event else { continue }
                        let calls = try await other.status().calls
                        #expect(
                            calls.contains { $0.subscriptionId == started.subscriptionId && $0.peerPid == getpid() })
                        _ = try await other.call(
                            V1.DaemonRPC.cancel, V1.CancelRequest(subscriptionId: started.subscriptionId))
                    }
                }
                await expectFailure(.notFound, "not_found", naming: "no-such-id") {
                    try await other.call(V1.DaemonRPC.cancel, V1.CancelRequest(subscriptionId: "no-such-id"))
                }
                try await eventually("the engine is free") { try await other.isAtRest() }
                await client.close()
                await other.close()
            }
        }
    }
}
