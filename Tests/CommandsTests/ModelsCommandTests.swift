import Daemon
import Digests
import Files
import Foundation
import TestSupport
import Testing

@Suite("auscult models") struct ModelsCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    /// The embedded model as a folder on disk.
    private func writeModel(_ name: String = "model") throws -> String {
        try FileManager.default.createDirectory(atPath: data(name), withIntermediateDirectories: true)
        for file in EmbeddedFile.files(in: "default") { try data.write(file.bytes, to: "\(name)/\(file.name)") }
        return data(name)
    }

    @Test("the list holds the embedded model and those that can be downloaded")
    func list() async throws {
        let result = try await auscult("models", "--format", "json", data: data)
        let models = try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        #expect(models.first?["name"] as? String == "default")
        #expect(models.first?["state"] as? String == "embedded")
        #expect(models.contains { $0["name"] as? String == "tiny" && $0["state"] as? String == "released" })
        #expect(try await auscult("models", data: data).output.contains("large-v3-turbo"))
    }

    @Test("a folder is registered under its name, serves, and is forgotten again without harm")
    func addAndRemove() async throws {
        let path = try writeModel()
        let added = try await auscult("models", "add", path, data: data)
        #expect(added.status == 0, "\(added.error)")
        let named = try await auscult("hooks", "--model", "model", data: data)
        #expect(named.status == 0)
        #expect(try await auscult("hooks", data: data).output == named.output)
        #expect(try await auscult("models", "add", path, "--name", "again", data: data).status == 0)
        #expect(try await auscult("models", "remove", "model", data: data).status == 0)
        #expect(FileManager.default.fileExists(atPath: path + "/model.safetensors"))
        #expect(try await auscult("hooks", "--model", "model", data: data).status == 66)
    }

    @Test("a model's folder whose name is not UTF-8 serves like any other, by its path and registered")
    func nameOfOtherBytes() async throws {
        let name = PathText.text(Array("m".utf8) + [0xFF])
        let path = data(name)
        #expect(PathText.withName(path) { mkdir($0, 0o700) } == 0)
        for file in EmbeddedFile.files(in: "default") {
            try PendingFile.write(Data(file.bytes), to: path + "/" + file.name)
        }
        let plain = try await auscult("hooks", data: data)
        let named = try await auscult("hooks", "--model", path, data: data)
        #expect(named.status == 0 && named.output == plain.output, "\(named.error)")
        #expect(try await auscult("models", "add", path, "--name", "odd", data: data).status == 0)
        let transcript = try await auscult("transcribe", "demo:en-slt-01", "--model", "odd", "-q", data: data)
        #expect(transcript.status == 0, "\(transcript.error)")
        #expect(try await auscult("transcribe", "demo:en-slt-01", "-q", data: data).output == transcript.output)
        // Its digest is told of the weights' file.
        let traced = try await auscult(
            "trace", "demo:en-slt-01", "--model", path, "--hooks", "encoder.ln_post", "--out",
            data("t.safetensors"), data: data)
        #expect(traced.status == 0, "\(traced.error)")
        // What is not there is told by the name's bytes.
        let gone = PathText.text(Array("n".utf8) + [0xFE])
        let absent = try await auscult("hooks", "--model", data(gone), data: data)
        #expect(absent.status == 66 && absent.error.contains("n\u{EFFE}"), "\(absent.error)")
    }

    @Test("a model that was registered and has gone is named in the error and in the list")
    func gone() async throws {
        let path = try writeModel()
        _ = try await auscult("models", "add", path, data: data)
        try FileManager.default.removeItem(atPath: path)
        let result = try await auscult("hooks", "--model", "model", data: data)
        #expect(result.status == 66)
        #expect(result.error.contains(path))
        #expect(try await auscult("models", data: data).output.contains("not there any more"))
    }

    @Test("a damaged registry is an error with status 65 and stays as it was")
    func damagedRegistry() async throws {
        let file = ModelRegistry(in: DataFolder(environment: ["XDG_DATA_HOME": data.path])).file
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data("{".utf8).write(to: URL(fileURLWithPath: file))
        let path = try writeModel()
        #expect(try await auscult("models", data: data).status == 65)
        #expect(try await auscult("models", "add", path, data: data).status == 65)
        #expect(try await auscult("hooks", "--model", "tiny", data: data).status == 65)
        // The embedded model needs no registry.
        #expect(try await auscult("hooks", data: data).status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("{".utf8))
    }

    @Test("what is no checkpoint is not registered", arguments: ["empty", "text", "folder"])
    func notACheckpoint(kind: String) async throws {
        try data.write(kind == "text" ? Array("hello, world, this is no model".utf8) : [], to: "file")
        try FileManager.default.createDirectory(atPath: data("folder"), withIntermediateDirectories: true)
        let result = try await auscult("models", "add", data(kind == "folder" ? "folder" : "file"), data: data)
        #expect([65, 66].contains(result.status))
        #expect(result.error.hasPrefix("auscult: error: "))
        #expect(try ModelRegistry(in: DataFolder(environment: ["XDG_DATA_HOME": data.path])).models().isEmpty)
    }

    @Test("pull loads from a mirror, and says what is wrong with a server")
    func pull() async throws {
        let server = try LocalHTTPServer { _ in .whole(Array("not the vocabulary".utf8)) }
        let child = try Child(
            ["models", "pull", "tiny"], data: data, environment: ["AUSCULT_MIRROR": server.base])
        let wrong = child.result()
        #expect(wrong.status == 65)
        #expect(wrong.error.contains("SHA-256"))
        #expect(
            server.requests.map(\.path) == [
                "/b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126/multilingual.tiktoken"
            ])
        let missing = try LocalHTTPServer { _ in .status(404) }
        let absent = try Child(["models", "pull", "tiny"], data: data, environment: ["AUSCULT_MIRROR": missing.base])
        #expect(absent.result().status == 66)
        #expect(try await auscult("models", "pull", "gigantic", data: data).status == 66)
    }

    @Test("a pulled model is registered with its vocabulary and goes with its files")
    func pulledModel() async throws {
        let weights = [UInt8]("weights".utf8), vocabulary = [UInt8]("vocabulary".utf8)
        let server = try LocalHTTPServer { request in
            .range(of: request.path.hasSuffix("w.pt") ? weights : vocabulary, for: request)
        }
        let release = ReleasedModel(
            name: "small-one",
            weights: ReleasedFile(name: "w.pt", url: server.base + "/w.pt", sha256: try SHA256.hex(of: weights)),
            vocabulary: ReleasedFile(
                name: "v.tiktoken", url: server.base + "/v", sha256: try SHA256.hex(of: vocabulary)),
            alignmentHeads: [[1, 2]])
        let registry = ModelRegistry(folder: data("models"))
        let service = ModelService(
            registry: registry, releases: [release], environment: [:], logger: .init(label: "test"))
        let model = try await service.pull("small-one")
        #expect(try registry.models() == [model])
        #expect(model.downloaded)
        #expect(model.alignmentHeads == [[1, 2]])
        #expect(FileManager.default.contents(atPath: model.path) == Data(weights))
        #expect(FileManager.default.contents(atPath: model.vocabulary ?? "") == Data(vocabulary))
        _ = try await service.pull("small-one")
        #expect(server.requests.count == 2)
        _ = try service.remove("small-one")
        #expect(try data.names() == ["models"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: data("models")).sorted()
                == ["registry.json", "registry.lock"])
    }
}
