import Daemon
import Foundation
import Kernels
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The daemon's models", .timeLimit(.minutes(5))) struct ModelMethodTests {
        private func withClient<R>(_ body: (WireClient, TestDaemon) async throws -> R) async throws -> R {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let result = try await body(client, daemon)
                await client.close()
                return result
            }
        }

        /// A copy of a small checkpoint.
        private func checkpoint(_ daemon: TestDaemon, _ name: String = "small", of kind: String = "hf-f32") throws
            -> String
        {
            try FileManager.default.copyItem(atPath: Fixtures.path("checkpoints/\(kind)"), toPath: daemon.folder(name))
            return daemon.folder(name)
        }

        @Test("the embedded model is listed beside those that can be downloaded, and described")
        func listAndInfo() async throws {
            try await withClient { client, _ in
                let models = try await client.call(V1.ModelRPC.list, V1.ListModelsRequest()).models
                let embedded = try #require(models.first { $0.state == .embedded })
                #expect(embedded.name == "default" && embedded.problem.isEmpty && embedded.resident)
                #expect(Set(models.filter { $0.state == .released }.map(\.name)).isSuperset(of: ["tiny", "large-v3"]))
                let info = try await client.call(V1.ModelRPC.info, V1.ModelRef())
                #expect(info == (try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "default"))))
                #expect(info.dimensions == embedded.dimensions && info.hasVocabulary && info.languages.contains("en"))
                #expect(info.sha256.utf8.count == 64 && info.memoryBytes > 1 << 20)
                #expect(info.windowSeconds == Double(info.dimensions?.nAudioCtx ?? 0) / 50)
            }
        }

        @Test(
            "a model that knows English alone lists no language, though its vocabulary has a token for each of 99",
            .enabled(if: ReleasedModels.folder("tiny.en") != nil, Comment(rawValue: ReleasedModels.absence)))
        func englishOnly() async throws {
            let model = V1.ModelRef(name: ReleasedModels.folder("tiny.en") ?? "")
            try await withClient { client, _ in
                let info = try await client.call(V1.ModelRPC.info, model)
                #expect(info.hasVocabulary && info.languages.isEmpty)
                let request = V1.TokenizeRequest(model: model, text: "<|fr|>", parseSpecial: true)
                #expect(try await client.call(V1.ModelRPC.tokenize, request).tokens.map(\.special) == [true])
            }
        }

        @Test("a model is named with its precision; one that is not here or not known is refused")
        func precision() async throws {
            try await withClient { client, _ in
                let exact = try await client.call(V1.ModelRPC.info, V1.ModelRef())
                let int8 = try await client.call(V1.ModelRPC.info, V1.ModelRef(precision: .int8))
                #expect(exact.precision == .exact && int8.precision == .int8 && int8.sha256 == exact.sha256)
                #expect(int8.memoryBytes < exact.memoryBytes)
                if Precision.bf16.refusal != nil {
                    await expectFailure(.unimplemented, "unsupported", naming: "bf16", "int8") {
                        try await client.call(V1.ModelRPC.info, V1.ModelRef(precision: .bf16))
                    }
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "precision 9") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(precision: .init(rawValue: 9)))
                }
            }
        }

        @Test("a model that is not there is NOT_FOUND, with the names there are")
        func unknownModels() async throws {
            try await withClient { client, daemon in
                await expectFailure(.notFound, "not_found", naming: "defualt", "default") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "defualt"))
                }
                await expectFailure(.notFound, "not_found", naming: "tiny", "pull") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "tiny"))
                }
                await expectFailure(.notFound, "not_found", naming: daemon.folder("none")) {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: daemon.folder("none")))
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "vocabulary") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(vocabulary: "/x.tiktoken"))
                }
            }
        }

        @Test("the daemon's own folder means nothing: relative paths are refused")
        func relativePaths() async throws {
            try await withClient { client, _ in
                await expectFailure(.invalidArgument, "invalid_argument", naming: "./model", "absolute") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "./model"))
                }
                // There is a file of that name in the folder of the tests.
                await expectFailure(.notFound, "not_found", naming: "Package.swift") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "Package.swift"))
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "model", "absolute") {
                    try await client.call(V1.ModelRPC.add, V1.AddModelRequest(path: "model"))
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "v.tiktoken", "absolute") {
                    try await client.call(V1.ModelRPC.add, V1.AddModelRequest(path: "/m", vocabulary: "v.tiktoken"))
                }
            }
        }

        @Test("hooks are all, by glob, by alias; one that is not there names the nearest")
        func hooks() async throws {
            try await withClient { client, _ in
                func hooks(_ pattern: String, tokens: UInt32 = 0) async throws -> [V1.HookPoint] {
                    try await client.call(V1.ModelRPC.hooks, V1.HooksRequest(pattern: pattern, tokens: tokens)).hooks
                }
                let all = try await hooks("")
                #expect(all.contains { $0.stack == "encoder" } && all.contains { $0.name == "decoder.logits" })
                #expect(try await hooks("**") == all)
                let blocks = try await hooks("encoder.blocks.*")
                #expect(blocks.map(\.layer) == (0..<4).map { UInt32($0) })
                #expect(blocks.allSatisfy { $0.positionsPerSecond == 50 && $0.axes.count == $0.shape.count })
                let logits = try await hooks("decoder.logits", tokens: 7)
                #expect(logits.map(\.shape) == [[7, 2559]] && logits.first?.positionsPerSecond == nil)
                await expectFailure(.invalidArgument, "invalid_argument", naming: "encoder.bloks.2", "encoder.blocks.2")
                {
                    try await hooks("encoder.bloks.2")
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "65 tokens", "64") {
                    try await hooks("decoder.logits", tokens: 65)
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "4294967295") {
                    try await hooks("decoder.logits", tokens: .max)
                }
                await expectFailure(.invalidArgument, "invalid_argument", naming: "pattern", "2000000") {
                    try await hooks(String(repeating: "*a", count: 1_000_000))
                }
            }
        }

        @Test(
            "text goes to tokens and back, byte for byte",
            arguments: [" the goat is cold", "", "🦒 é ẅ 漢字", "<|en|> is no special token here", " a\n\n  b\t"])
        func tokens(text: String) async throws {
            try await withClient { client, _ in
                let tokens = try await client.call(V1.ModelRPC.tokenize, V1.TokenizeRequest(text: text)).tokens
                #expect(tokens.flatMap(\.bytes) == Array(text.utf8))
                #expect(tokens.allSatisfy { !$0.special })
                let back = try await client.call(V1.ModelRPC.detokenize, V1.DetokenizeRequest(ids: tokens.map(\.id)))
                #expect(back.text == text && back.tokens == tokens)
            }
        }

        @Test("special tokens are read where that is asked for; half a character is U+FFFD and its bytes")
        func specialAndSplitTokens() async throws {
            try await withClient { client, _ in
                let request = V1.TokenizeRequest(text: "<|startoftranscript|><|en|> hi", parseSpecial: true)
                let tokens = try await client.call(V1.ModelRPC.tokenize, request).tokens
                #expect(tokens.prefix(2).map(\.text) == ["<|startoftranscript|>", "<|en|>"])
                #expect(tokens.prefix(2).allSatisfy(\.special) && !tokens[2].special)
                let giraffe = try await client.call(V1.ModelRPC.tokenize, V1.TokenizeRequest(text: "🦒")).tokens
                #expect(giraffe.count > 1)
                let half = try await client.call(V1.ModelRPC.detokenize, V1.DetokenizeRequest(ids: [giraffe[0].id]))
                #expect(half.text.contains("\u{FFFD}"))
                #expect(half.tokens.first?.bytes == giraffe[0].bytes)
                for id in [Int32.min, -1, 2559, .max] {
                    await expectFailure(.invalidArgument, "invalid_argument", naming: "\(id)", "2559") {
                        try await client.call(V1.ModelRPC.detokenize, V1.DetokenizeRequest(ids: [id]))
                    }
                }
            }
        }

        @Test("a model is added, used, and removed, and its memory goes with it")
        func addAndRemove() async throws {
            try await withClient { client, daemon in
                let path = try checkpoint(daemon)
                let added = try await client.call(V1.ModelRPC.add, V1.AddModelRequest(path: path, name: "mine"))
                #expect(added.name == "mine" && added.path == path && !added.downloaded)
                #expect(added.warnings.contains { $0.contains("vocabulary") })
                let request = V1.TraceRequest(
                    model: V1.ModelRef(name: "mine"), audio: Sound.clip, hooks: ["encoder.conv1"],
                    output: .memory(V1.Empty()))
                let summary = try await client.call(V1.TraceRPC.runToEnd, request)
                #expect(summary.model == "mine")
                #expect(try await client.status().models.map(\.name).contains("mine"))
                let listing = try await client.call(V1.ModelRPC.list, V1.ListModelsRequest()).models
                #expect(listing.first { $0.name == "mine" }?.resident == true)
                await expectFailure(.notFound, "not_found", naming: "mine", "vocabulary") {
                    try await client.call(
                        V1.ModelRPC.tokenize, V1.TokenizeRequest(model: V1.ModelRef(name: "mine"), text: "x"))
                }
                _ = try await client.call(V1.ModelRPC.remove, V1.RemoveModelRequest(name: "mine"))
                #expect(try await !client.status().models.map(\.name).contains("mine"))
                #expect(FileManager.default.fileExists(atPath: path), "files that were not downloaded stay")
                await expectFailure(.notFound, "not_found", naming: "mine") {
                    try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "mine"))
                }
            }
        }

        @Test("what cannot be added or removed is told in words")
        func refusals() async throws {
            try await withClient { client, daemon in
                let path = try checkpoint(daemon)
                let other = try checkpoint(daemon, "other", of: "hf-f16")
                _ = try await client.call(V1.ModelRPC.add, V1.AddModelRequest(path: path, name: "mine"))
                let bad: [(V1.AddModelRequest, WireError.Code, String, String)] = [
                    (V1.AddModelRequest(path: other, name: "mine"), .invalidArgument, "invalid_argument", "mine"),
                    (V1.AddModelRequest(path: path, name: "default"), .invalidArgument, "invalid_argument", "default"),
                    (V1.AddModelRequest(path: path, name: "a/b"), .invalidArgument, "invalid_argument", "a/b"),
                    (V1.AddModelRequest(path: daemon.folder("none")), .notFound, "not_found", "none"),
                    (
                        V1.AddModelRequest(path: Fixtures.path("audio/voice.wav")), .unimplemented, "unsupported",
                        "voice.wav"
                    ),
                ]
                for (request, code, reason, word) in bad {
                    await expectFailure(code, reason, naming: word) { try await client.call(V1.ModelRPC.add, request) }
                }
                await expectFailure(.notFound, "not_found", naming: "yours", "mine") {
                    try await client.call(V1.ModelRPC.remove, V1.RemoveModelRequest(name: "yours"))
                }
            }
        }

        @Test("a pull tells its progress, and a wrong file or an unknown name ends it with an error")
        func pull() async throws {
            try await withClient { client, daemon in
                let vocabulary = [UInt8](repeating: 7, count: 200_000)
                let server = try LocalHTTPServer { .range(of: vocabulary, for: $0) }
                let request = V1.PullModelRequest(name: "tiny", mirror: server.base)
                var events: [V1.PullModelEvent.Event] = []
                let stream = try await client.stream(V1.ModelRPC.pull, request)
                // The content is not the published one, which no test can have: all but the last step is as it should be.
                await expectFailure(.dataLoss, "data_loss", naming: "multilingual.tiktoken", "SHA-256") {
                    for try await event in stream { events.append(try #require(event.event)) }
                }
                guard case .started(let started)? = events.first else {
                    Issue.record("began with \(events)")
                    return
                }
                #expect(!started.subscriptionId.isEmpty)
                #expect(
                    events.contains(
                        .progress(
                            V1.Progress(done: 200_000, total: 200_000, unit: "bytes", label: "multilingual.tiktoken"))))
                #expect(events.contains(.verifying("multilingual.tiktoken")))
                #expect(server.requests.allSatisfy { $0.path.hasSuffix("/multilingual.tiktoken") })
                for (name, mirror, code, word) in [
                    ("tinny", "", WireError.Code.notFound, "tinny"), ("tiny", "ftp://x", .invalidArgument, "ftp://x"),
                ] {
                    let answers = try await client.stream(
                        V1.ModelRPC.pull, V1.PullModelRequest(name: name, mirror: mirror))
                    let error = await #expect(throws: WireError.self) { for try await _ in answers {} }
                    #expect(error?.code == code && error?.message.contains(word) == true)
                }
                #expect(try daemon.folder.names().contains("data"))
                #expect(!FileManager.default.fileExists(atPath: daemon.folder("data/models/tiny")))
            }
        }

        @Test("two models past the memory limit: the one that was used least recently goes, the work does not suffer")
        func memoryLimit() async throws {
            // 64 MiB is the least that can be set.
            let folder = try TemporaryFolder()
            let daemon = try await TestDaemon(["model_memory_limit": "64MiB"], in: folder)
            for name in ["a", "b"] { try LargeCheckpoint.write(to: folder(name)) }
            let client = try await daemon.connect()
            func use(_ name: String) async throws -> [String] {
                let request = V1.TraceRequest(
                    model: V1.ModelRef(name: folder(name)), audio: Sound.clip, hooks: ["encoder.conv1"],
                    reduction: .mean, output: .memory(V1.Empty()))
                #expect(try await !client.call(V1.TraceRPC.runToEnd, request).tensors.isEmpty)
                return try await client.status().models.map(\.name)
            }
            #expect(try await use("a").first == folder("a"))
            let afterB = try await use("b")
            #expect(afterB.first == folder("b") && !afterB.contains(folder("a")))
            let again = try await use("a")
            #expect(again.first == folder("a") && !again.contains(folder("b")))
            let status = try await client.status()
            #expect(status.modelMemoryLimitBytes == 64 << 20)
            await client.close()
            await daemon.server.stop()
        }
    }
}
