import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("Sound that is sent to the daemon", .timeLimit(.minutes(5))) struct AudioMethodTests {
        private func transcribe(_ client: WireClient, _ audio: V1.AudioSource) async throws -> V1.Transcript {
            try await client.call(V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: audio))
        }

        private func upload(_ id: String, name: String = "") -> V1.AudioSource {
            V1.AudioSource(source: .uploadId(id), name: name)
        }

        @Test("samples, floats and a FLAC file that are sent up are heard as the clip that they are")
        func encodings() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let expected = try await transcribe(client, Sound.clip)
                #expect(!expected.text.isEmpty)
                let samples = try Sound.samples()
                let flac = Array(try DemoClips.audio(of: DemoClips.named("en-slt-01")).bytes)
                // Pieces that cut samples in half are as good as others.
                let sent: [(V1.AudioEncoding, [UInt8], Int)] = [
                    (.audioFile, flac, 1 << 16), (.pcmS16le16k, Sound.s16le(samples), 4097),
                    (.pcmF32le16k, Sound.f32le(samples), 1 << 20), (.audioFile, flac, 313),
                ]
                var ids: Set<String> = []
                for (encoding, bytes, piece) in sent {
                    let uploaded = try await client.upload(bytes, encoding, piece: piece)
                    #expect(uploaded.bytes == UInt64(bytes.count))
                    ids.insert(uploaded.uploadId)
                    let transcript = try await transcribe(client, upload(uploaded.uploadId, name: "mine"))
                    #expect(transcript.file == "mine")
                    #expect(transcript.text == expected.text && transcript.segments == expected.segments, "\(encoding)")
                }
                #expect(ids.count == sent.count)
                let inline = V1.AudioSource(source: .pcmS16le(Sound.s16le(samples)))
                #expect(try await transcribe(client, inline).segments == expected.segments)
                await client.close()
            }
        }

        @Test(
            "an upload is another connection's only as NOT_FOUND, can be discarded once, and goes with its connection")
        func ownership() async throws {
            let daemon = try await ChildDaemon().ready()
            let (owner, other) = (try await daemon.connect(), try await daemon.connect())
            let id = try await owner.upload([0, 0], .pcmS16le16k).uploadId
            for attempt in 0..<2 {
                await expectFailure(.notFound, "not_found", naming: id) { try await transcribe(other, upload(id)) }
                await expectFailure(.notFound, "not_found", naming: id) {
                    try await other.call(V1.AudioRPC.discard, V1.DiscardRequest(uploadId: id))
                }
                if attempt == 0 { _ = try await transcribe(owner, upload(id)) }
            }
            _ = try await owner.call(V1.AudioRPC.discard, V1.DiscardRequest(uploadId: id))
            await expectFailure(.notFound, "not_found", naming: id) { try await transcribe(owner, upload(id)) }
            try await eventually("its file is closed") { spools(daemon) == 0 }
            for _ in 0..<10 { _ = try await owner.upload([1, 2, 3, 4], .audioFile) }
            #expect(spools(daemon) == 10)
            await owner.close()
            try await eventually("the files of the uploads are closed") { spools(daemon) == 0 }
            await other.close()
        }

        @Test("a client that leaves as soon as its upload is on its way leaves no file behind")
        func vanishes() async throws {
            let daemon = try await ChildDaemon().ready()
            let watcher = try await daemon.connect()
            for _ in 0..<50 {
                let client = try await daemon.connect()
                let call = try await client.open(V1.AudioRPC.upload)
                try await call.send(V1.UploadChunk(encoding: .pcmS16le16k, data: [0, 0]))
                try await call.finish()
                await client.close()
            }
            try await eventually("only the watcher is connected") {
                let status = try await watcher.status()
                return status.connections == 1 && status.calls.count == 1
            }
            try await eventually("no upload's file is open") { spools(daemon) == 0 }
            await watcher.close()
        }

        /// Files without a name that the daemon has open.
        private func spools(_ daemon: ChildDaemon) -> Int {
            let folder = "/proc/\(daemon.pid)/fd/"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.count { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + name)
                return target?.hasSuffix("(deleted)") == true
            }
        }

        @Test("pieces that are too large, an unknown encoding and an upload of nothing are refused")
        func badUploads() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                await expectFailure(.invalidArgument, "invalid_argument", naming: "1048577", "1 MiB") {
                    try await client.upload([UInt8](repeating: 0, count: (1 << 20) + 1), .pcmS16le16k, piece: 2 << 20)
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "99") {
                    try await client.upload([0, 0], V1.AudioEncoding(rawValue: 99))
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "at least one") {
                    try await client.upload([], .pcmS16le16k)
                }
                // The connection lives.
                #expect(try await client.upload([0, 0], .pcmS16le16k).bytes == 2)
                await client.close()
            }
        }

        @Test("a connection has so many uploads and no more, until it discards one")
        func limit() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var ids: [String] = []
                for _ in 0..<64 { ids.append(try await client.upload([0, 0], .pcmS16le16k).uploadId) }
                await expectFailure(.resourceExhausted, "resource_exhausted", naming: "64") {
                    try await client.upload([0, 0], .pcmS16le16k)
                }
                _ = try await client.call(V1.AudioRPC.discard, V1.DiscardRequest(uploadId: ids[0]))
                #expect(try await client.upload([0, 0], .pcmS16le16k).bytes == 2)
                await client.close()
            }
        }

        @Test("sound that is no sound is told by the name that it was given, never by the spool's path")
        func damaged() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let id = try await client.upload(Array("this is no sound".utf8), .audioFile).uploadId
                await expectFailure(.unimplemented, "unsupported", naming: "my-file") {
                    try await transcribe(client, upload(id, name: "my-file"))
                }
                let odd = try await client.upload([1, 2, 3], .pcmF32le16k).uploadId
                let error = await #expect(throws: WireError.self) { try await transcribe(client, upload(odd)) }
                #expect(error?.message.contains("/proc") == false)
                await client.close()
            }
        }

        @Test(
            "recordings that cannot be read: not there, a folder, a pipe, a device, a relative path, none, a bad span")
        func badSources() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let pipe = daemon.folder("pipe")
                #expect(mkfifo(pipe, 0o600) == 0)
                let empty = try daemon.folder.write([], to: "empty.wav")
                let bad: [(V1.AudioSource?, WireError.Code, String, String)] = [
                    (V1.AudioSource(source: .path(daemon.folder("no.wav"))), .notFound, "not_found", "no.wav"),
                    (V1.AudioSource(source: .path(daemon.folder.path)), .invalidArgument, "invalid_argument", "folder"),
                    (V1.AudioSource(source: .path(pipe)), .invalidArgument, "invalid_argument", pipe),
                    (V1.AudioSource(source: .path("/dev/zero")), .invalidArgument, "invalid_argument", "/dev/zero"),
                    (V1.AudioSource(source: .path("voice.wav")), .invalidArgument, "invalid_argument", "absolute"),
                    (V1.AudioSource(source: .path(empty)), .dataLoss, "data_loss", "empty.wav"),
                    (V1.AudioSource(source: .clip("en-slt-1")), .notFound, "not_found", "en-slt-01"),
                    (V1.AudioSource(), .invalidArgument, "invalid_argument", "no recording"),
                    (nil, .invalidArgument, "invalid_argument", "no recording"),
                    (
                        V1.AudioSource(source: .clip("en-slt-01"), span: V1.Span(start: 2, end: 1)), .invalidArgument,
                        "invalid_argument", "span"
                    ),
                    (
                        V1.AudioSource(source: .clip("en-slt-01"), span: V1.Span(start: .nan)), .invalidArgument,
                        "invalid_argument", "span"
                    ),
                ]
                for (source, code, reason, word) in bad {
                    await expectFailure(code, reason, naming: word) {
                        try await client.call(V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: source))
                    }
                }
                let past = V1.AudioSource(source: .clip("en-slt-01"), span: V1.Span(start: 1e300, end: 1e301))
                let error = await #expect(throws: WireError.self) { try await transcribe(client, past) }
                #expect(error?.code == .invalidArgument, "\(String(describing: error))")
                await client.close()
            }
        }

        @Test("the clips are listed with what is said when, and each file comes as it lies in the program")
        func clips() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let clips = try await client.call(V1.AudioRPC.clips, V1.ClipsRequest()).clips
                #expect(clips.map(\.name) == (try DemoClips.all().map(\.name)))
                let one = try #require(clips.first { $0.name == "en-slt-01" })
                #expect(one.text == "the goat is cold but the horse is famous" && one.language == "en")
                #expect(one.words.map(\.label).joined(separator: " ") == one.text)
                #expect(one.phonemes.allSatisfy { $0.start < $0.end && $0.end <= one.duration })
                for clip in try DemoClips.all() {
                    let answer = try await client.call(V1.AudioRPC.clip, V1.ClipRequest(file: clip.file))
                    let bytes = Array(try DemoClips.audio(of: clip).bytes)
                    #expect(answer.file == clip.file && answer.data == bytes)
                }
                let manifest = try await client.call(V1.AudioRPC.clip, V1.ClipRequest(file: "manifest.jsonl")).data
                #expect(manifest.count { $0 == UInt8(ascii: "\n") } == clips.count)
                await expectFailure(.notFound, "not_found", naming: "en-slt-99.flac") {
                    try await client.call(V1.AudioRPC.clip, V1.ClipRequest(file: "en-slt-99.flac"))
                }
                await client.close()
            }
        }
    }
}
