import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("Jobs over the socket", .timeLimit(.minutes(5))) struct JobMethodTests {
        private func start(_ client: WireClient, _ work: V1.StartJobRequest.Work, label: String = "") async throws
            -> V1.JobInfo
        {
            try await client.call(V1.JobRPC.start, V1.StartJobRequest(label: label, work: work))
        }

        private func watch(_ client: WireClient, _ id: String, after seq: UInt64 = 0) async throws -> [V1.JobEvent] {
            var events: [V1.JobEvent] = []
            for try await event in try await client.stream(
                V1.JobRPC.watch, V1.WatchJobRequest(id: id, afterSeq: seq))
            {
                events.append(event)
            }
            return events
        }

        /// A job that takes long.
        private func longTrace(_ daemon: TestDaemon, to name: String = "long.safetensors") throws
            -> V1.StartJobRequest.Work
        {
            .trace(try Sound.longTrace(seconds: 590, in: daemon.folder, to: name))
        }

        @Test("a job outlives the client that started it; another watches it from the beginning and has its result")
        func outlives() async throws {
            try await TestDaemon.run { daemon in
                let request = V1.TranscribeRequest(
                    audio: Sound.clip("en-long-01"), options: V1.DecodingOptions(temperatures: [0]))
                let first = try await daemon.connect()
                let job = try await start(first, .transcribe(request), label: "mine")
                #expect(job.label == "mine" && job.kind == "transcribe" && job.created > 0)
                await first.close()

                let client = try await daemon.connect()
                let events = try await watch(client, job.id)
                guard case .started(let started)? = events.first?.event else {
                    Issue.record("\(events)")
                    return
                }
                #expect(!started.subscriptionId.isEmpty && events.first?.seq == 0)
                #expect(events.dropFirst().map(\.seq) == (1...UInt64(events.count - 1)).map { $0 })
                guard case .state(let last)? = events.last?.event else {
                    Issue.record("\(events.count) events")
                    return
                }
                #expect(last.state == .succeeded && last.ended >= last.started && last.started >= last.created)
                let result = try await client.call(V1.JobRPC.result, V1.JobRef(id: job.id))
                let direct = try await client.call(V1.TranscribeRPC.transcribe, request)
                #expect(result.result == .transcript(direct))
                let segments = events.compactMap { event -> V1.Segment? in
                    if case .segment(let segment)? = event.event { segment } else { nil }
                }
                #expect(segments == direct.segments)
                // From the middle on, and after the end.
                let rest = try await watch(client, job.id, after: 2)
                #expect(rest.dropFirst().elementsEqual(events.dropFirst(3)))
                #expect(try await watch(client, job.id, after: .max).count == 1)
                #expect(try await client.call(V1.JobRPC.get, V1.JobRef(id: job.id)).lastSeq == events.last?.seq)
                await client.close()
            }
        }

        @Test("a trace as a job writes its file; one that is cancelled leaves none, and can be forgotten only then")
        func traceAndCancel() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let short = V1.TraceRequest(
                    audio: Sound.clip, hooks: ["encoder.ln_post"], output: .file(daemon.folder("short.safetensors")))
                let done = try await start(client, .trace(short))
                _ = try await watch(client, done.id)
                guard case .trace(let summary)? = try await client.call(V1.JobRPC.result, V1.JobRef(id: done.id)).result
                else {
                    Issue.record("no trace")
                    return
                }
                #expect(summary.outputFile == daemon.folder("short.safetensors") && summary.tensors.count == 1)
                #expect(FileManager.default.fileExists(atPath: summary.outputFile))

                let long = try await start(client, longTrace(daemon))
                try await eventually("it runs") {
                    try await client.call(V1.JobRPC.get, V1.JobRef(id: long.id)).progress?.done ?? 0 > 0
                }
                await expectFailure(.failedPrecondition, "failed_precondition", naming: long.id, "running") {
                    try await client.call(V1.JobRPC.result, V1.JobRef(id: long.id))
                }
                await expectFailure(.failedPrecondition, "failed_precondition", naming: long.id) {
                    try await client.call(V1.JobRPC.forget, V1.JobRef(id: long.id))
                }
                #expect(try await client.status().jobsRunning == 1)
                _ = try await client.call(V1.JobRPC.cancel, V1.JobRef(id: long.id))
                let events = try await watch(client, long.id)
                guard case .state(let last)? = events.last?.event else {
                    Issue.record("no end")
                    return
                }
                #expect(last.state == .cancelled && last.error?.code == WireError.Code.cancelled.rawValue)
                #expect(last.error?.reason == "cancelled")
                await expectFailure(.cancelled, "cancelled") {
                    try await client.call(V1.JobRPC.result, V1.JobRef(id: long.id))
                }
                #expect(!FileManager.default.fileExists(atPath: daemon.folder("long.safetensors")))
                let listed = try await client.call(V1.JobRPC.list, V1.ListJobsRequest()).jobs
                #expect(listed.map(\.id) == [done.id, long.id])
                _ = try await client.call(V1.JobRPC.cancel, V1.JobRef(id: long.id))
                _ = try await client.call(V1.JobRPC.forget, V1.JobRef(id: long.id))
                await expectFailure(.notFound, "not_found", naming: long.id) { try await watch(client, long.id) }
                #expect(try await client.call(V1.JobRPC.list, V1.ListJobsRequest()).jobs.map(\.id) == [done.id])
                try await eventually("the engine is free") { try await client.isAtRest() }
                await client.close()
            }
        }

        @Test("what makes no sense is told to whoever starts the job, and no job is made of it")
        func refusals() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let upload = try await client.upload([0, 0], .pcmS16le16k).uploadId
                let file = daemon.folder("t.npz")
                func trace(_ change: (inout V1.TraceRequest) -> Void) -> V1.StartJobRequest.Work {
                    var request = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .file(file))
                    change(&request)
                    return .trace(request)
                }
                func transcribe(_ change: (inout V1.TranscribeRequest) -> Void) -> V1.StartJobRequest.Work {
                    var request = V1.TranscribeRequest(audio: Sound.clip)
                    change(&request)
                    return .transcribe(request)
                }
                let bad: [(V1.StartJobRequest.Work?, WireError.Code, String, String)] = [
                    (nil, .invalidArgument, "invalid_argument", "no work"),
                    (
                        transcribe { $0.audio = V1.AudioSource(source: .uploadId(upload)) }, .invalidArgument,
                        "invalid_argument", upload
                    ),
                    (transcribe { $0.model = V1.ModelRef(name: "nothing") }, .notFound, "not_found", "nothing"),
                    (transcribe { $0.deadlineMs = -1 }, .invalidArgument, "invalid_argument", "-1"),
                    (
                        transcribe { $0.options = V1.DecodingOptions(language: "klingon") }, .invalidArgument,
                        "invalid_argument", "klingon"
                    ),
                    (
                        transcribe { $0.interventions = [V1.Intervention(text: "nowhere = zero")] }, .invalidArgument,
                        "invalid_argument", "nowhere"
                    ),
                    (trace { $0.output = nil }, .invalidArgument, "invalid_argument", "file"),
                    (trace { $0.output = .memory(V1.Empty()) }, .invalidArgument, "invalid_argument", "file"),
                    (trace { $0.output = .file("/nowhere/t.npz") }, .failedPrecondition, "cannot_create", "/nowhere"),
                    (trace { $0.hooks = ["encoder.nothing"] }, .invalidArgument, "invalid_argument", "encoder.nothing"),
                    (trace { $0.deadlineMs = .min }, .invalidArgument, "invalid_argument", "deadline_ms"),
                    (
                        trace { $0.audio = V1.AudioSource(source: .path(daemon.folder("no.wav"))) }, .notFound,
                        "not_found",
                        "no.wav"
                    ),
                ]
                for (work, code, reason, word) in bad {
                    await expectFailure(code, reason, naming: word) {
                        try await client.call(V1.JobRPC.start, V1.StartJobRequest(work: work))
                    }
                }
                #expect(try await client.call(V1.JobRPC.list, V1.ListJobsRequest()).jobs.isEmpty)
                let unknown = V1.JobRef(id: "no-such-job")
                for rpc in [V1.JobRPC.get, V1.JobRPC.cancel] {
                    await expectFailure(.notFound, "not_found", naming: "no-such-job") {
                        try await client.call(rpc, unknown)
                    }
                }
                await expectFailure(.notFound, "not_found", naming: "no-such-job") {
                    try await client.call(V1.JobRPC.forget, unknown)
                }
                await expectFailure(.notFound, "not_found", naming: "no-such-job") {
                    try await client.call(V1.JobRPC.result, unknown)
                }
                await client.close()
            }
        }

        @Test("past the limit of unfinished jobs one more is refused, and a deadline ends the one that waits")
        func limits() async throws {
            try await TestDaemon.run(["max_unfinished_jobs": "2"]) { daemon in
                let client = try await daemon.connect()
                let long = try await start(client, longTrace(daemon))
                let clip = V1.TranscribeRequest(audio: Sound.clip, deadlineMs: 1)
                let late = try await start(client, .transcribe(clip))
                let events = try await watch(client, late.id)
                guard case .state(let last)? = events.last?.event else {
                    Issue.record("no end")
                    return
                }
                #expect(last.state == .failed && last.error?.reason == "deadline_exceeded")
                let second = try await start(client, longTrace(daemon, to: "second.safetensors"))
                await expectFailure(.resourceExhausted, "resource_exhausted", naming: "2") {
                    try await start(client, .transcribe(V1.TranscribeRequest(audio: Sound.clip)))
                }
                // A watcher with a deadline of its own leaves, and the job stays.
                await expectFailure(.deadlineExceeded, "deadline_exceeded") {
                    for try await _ in try await client.stream(
                        V1.JobRPC.watch, V1.WatchJobRequest(id: long.id, deadlineMs: 20))
                    {}
                }
                for id in [long.id, second.id] { _ = try await client.call(V1.JobRPC.cancel, V1.JobRef(id: id)) }
                try await eventually("both have ended") { try await client.isAtRest() }
                await client.close()
            }
        }
    }
}
