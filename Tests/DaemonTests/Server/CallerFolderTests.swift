import Foundation
import Messages
import TensorFiles
import TestSupport
import Testing
import Wire

@testable import Daemon

@Suite("Paths of callers") struct CallerFolderTests {
    @Test("a relative path begins in the caller's folder, and nothing else about it changes")
    func absolute() throws {
        let folder = try CallerFolder("/w", isModelName: { $0 == "tiny" })
        let paths = [
            ("a.wav", "/w/a.wav"), ("./a.wav", "/w/a.wav"), (".//./b/c", "/w/b/c"), ("../a", "/w/../a"), (".", "/w/."),
            ("~/a", "/w/~/a"), ("/a", "/a"), ("", ""),
        ]
        for (written, expected) in paths { #expect(try folder.absolute(written) == expected) }
        #expect(try CallerFolder("/", isModelName: { _ in false }).absolute("a") == "/a")
        #expect(try folder.dataSet("demo:") == "demo:" && folder.dataSet("set") == "/w/set")
        // A name comes before a file; a word that is neither stays, to be told so.
        #expect(try folder.model("tiny") == "tiny" && folder.model("nothing") == "nothing")
        #expect(try folder.model("./tiny") == "/w/tiny" && folder.model("a/b/c") == "/w/a/b/c")
        // Two words may be a model of the hub, where no such file is here.
        #expect(try folder.model("org/name") == "org/name")
    }

    @Test("without a folder a relative path is refused, and a folder that is relative itself always")
    func refused() throws {
        let nowhere = try CallerFolder(nil, isModelName: { _ in false })
        let error = #expect(throws: ServiceError.self) { try nowhere.absolute("a.wav") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("'a.wav'") == true && error?.message.contains("working-folder") == true)
        #expect(try nowhere.absolute("/a") == "/a" && nowhere.model("tiny") == "tiny")
        #expect(throws: ServiceError.self) { try CallerFolder("here", isModelName: { _ in false }) }
    }
}

extension WholeDaemon {
    @Suite("Paths over the wire") struct PathTests {
        @Test("recordings, results, vectors, models and data sets are found in the caller's folder")
        func found() async throws {
            try await TestDaemon.run { daemon in
                let clip = Array(try DemoClips.audio(of: DemoClips.named("en-slt-01")).bytes)
                try daemon.folder.write(clip, to: "talk.flac")
                let client = try await WireClient.connect(
                    to: daemon.socket, metadata: [(CallMetadata.workingFolder, daemon.folder.path)])
                let talk = V1.AudioSource(source: .path("talk.flac"))
                let transcript = try await client.call(
                    V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: talk))
                #expect(transcript.file == "talk.flac" && !transcript.text.isEmpty)
                // A trace writes a vector there, which an intervention then reads.
                var trace = V1.TraceRequest(
                    audio: talk, hooks: ["encoder.ln_post"], reduction: .mean, output: .file("mean.safetensors"))
                let summary = try await client.call(V1.TraceRPC.runToEnd, trace)
                #expect(summary.outputFile == daemon.folder("mean.safetensors"))
                trace.interventions = [V1.Intervention(text: "encoder.ln_post = set mean.safetensors")]
                trace.output = .file("changed.safetensors")
                _ = try await client.call(V1.TraceRPC.runToEnd, trace)
                let (mean, changed) = (
                    try SafetensorsFile.activation(daemon.folder("mean.safetensors"), "encoder.ln_post"),
                    try SafetensorsFile.activation(daemon.folder("changed.safetensors"), "encoder.ln_post")
                )
                #expect(mean.shape == changed.shape)
                trace.interventions = [V1.Intervention(text: "encoder.ln_post = set other.safetensors")]
                await expectFailure(.notFound, "not_found", naming: daemon.folder("other.safetensors")) {
                    try await client.call(V1.TraceRPC.runToEnd, trace)
                }
                trace.interventions = [V1.Intervention(text: "encoder.ln_post = fly")]
                await expectFailure(.invalidArgument, "invalid_argument", naming: "character 19", "fly") {
                    try await client.call(V1.TraceRPC.runToEnd, trace)
                }
                await expectFailure(.notFound, "not_found", naming: "m/x.pt") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "./m/x.pt"))
                }
                let job = try await client.call(
                    V1.JobRPC.start, V1.StartJobRequest(work: .transcribe(V1.TranscribeRequest(audio: talk))))
                for try await _ in try await client.stream(V1.JobRPC.watch, V1.WatchJobRequest(id: job.id)) {}
                let result = try await client.call(V1.JobRPC.result, V1.JobRef(id: job.id))
                #expect(result.result == .transcript(transcript))
                await client.close()
            }
        }

        @Test("a caller that names no folder is told so")
        func nowhere() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                await expectFailure(.invalidArgument, "invalid_argument", naming: "talk.flac", "working-folder") {
                    try await client.call(
                        V1.TranscribeRPC.transcribe,
                        V1.TranscribeRequest(audio: V1.AudioSource(source: .path("talk.flac"))))
                }
                await client.close()
                let lost = try await WireClient.connect(
                    to: daemon.socket, metadata: [(CallMetadata.workingFolder, "here")])
                await expectFailure(.invalidArgument, "invalid_argument", naming: "'here'", "absolute") {
                    try await lost.call(
                        V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: Sound.clip))
                }
                await lost.close()
            }
        }
    }
}
