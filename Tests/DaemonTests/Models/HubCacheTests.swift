@testable import Daemon
import Files
import Foundation
import Logging
import TestSupport
import Testing

@Suite("Models in the cache of Hugging Face's hub") struct HubCacheTests {
    let folder: TemporaryFolder
    let service: ModelService
    private static let commit = "d90ca5fe260221311c53c58e660288d3deb8d356"

    init() throws {
        folder = try TemporaryFolder()
        service = ModelService(
            registry: ModelRegistry(folder: folder("models")), environment: ["HF_HOME": folder("hf")],
            logger: Logger(label: "test"))
    }

    private func write(_ text: String, _ path: String) throws {
        let url = URL(fileURLWithPath: folder(path))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func message(_ reference: String = "org/name", absolutely: Bool = true) -> String {
        do {
            _ = try service.origin(of: reference, vocabulary: nil, absolutely: absolutely)
            return "found"
        } catch { return "\(error)" }
    }

    @Test("org/name is the snapshot that main means, whoever asks", arguments: [true, false])
    func found(absolutely: Bool) throws {
        try write("x", "hf/hub/models--org--name/snapshots/older/config.json")
        try write("x", "hf/hub/models--org--name/snapshots/\(Self.commit)/config.json")
        try write(Self.commit + "\n", "hf/hub/models--org--name/refs/main")
        guard case .files(let entry) = try service.origin(of: "org/name", vocabulary: nil, absolutely: absolutely)
        else {
            throw CancellationError()
        }
        #expect(entry.name == "org/name")
        #expect(entry.path == folder("hf/hub/models--org--name/snapshots/\(Self.commit)"))
    }

    @Test("a snapshot that is the only one needs no refs/main")
    func only() throws {
        try write("x", "hf/hub/models--org--name/snapshots/abc/config.json")
        #expect(message() == "found")
        try write("x", "hf/hub/models--org--name/snapshots/def/config.json")
        #expect(message().contains("no refs/main, and 2 snapshots"))
    }

    @Test("what the cache does not have is told with where it was looked for, and nothing is downloaded")
    func absent() throws {
        for part in ["org/name", folder("hf/hub"), "hf download org/name"] { #expect(message().contains(part)) }
        try write(Self.commit, "hf/hub/models--org--name/refs/main")
        #expect(message().contains("names the snapshot \(Self.commit), which is not there"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("hf/hub")) == ["models--org--name"])
    }

    @Test("refs/main cannot lead out of the cache", arguments: ["../../../..", "/etc", "", "a/b", "."])
    func damaged(text: String) throws {
        try write(text, "hf/hub/models--org--name/refs/main")
        #expect(message().contains("refs/main"), "\(message())")
        #expect(message() != "found")
    }

    @Test("a model in the cache without its weights is told by the file that is not there")
    func withoutWeights() throws {
        try write("{}", "hf/hub/models--org--name/snapshots/abc/config.json")
        let path = folder("hf/hub/models--org--name/snapshots/abc/model.bin")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "../../blobs/none")
        let error = Result { try service.open("org/name") }
        #expect(throws: (any Error).self) { try error.get() }
        if case .failure(let error) = error {
            for part in ["model.bin", "../../blobs/none"] { #expect("\(error)".contains(part), "\(error)") }
        }
    }

    @Test("the cache is where the hub's own client has it")
    func places() {
        #expect(HubCache(environment: ["HF_HUB_CACHE": "/a", "HF_HOME": "/b"]).folder == "/a")
        #expect(HubCache(environment: ["HUGGINGFACE_HUB_CACHE": "/a", "HF_HOME": "/b"]).folder == "/a")
        #expect(HubCache(environment: ["HF_HOME": "/b"]).folder == "/b/hub")
        #expect(HubCache(environment: ["XDG_CACHE_HOME": "/c"]).folder == "/c/huggingface/hub")
        #expect(HubCache(environment: [:]).folder.hasSuffix("/.cache/huggingface/hub"))
    }

    @Test(
        "paths and odd names are no models of the hub",
        arguments: ["./name", "../name", "~/name", "/name", "a/b/c", "name", "a/", "a b/c", "-a/b", "é/b"])
    func names(name: String) { #expect(!HubCache.isRepository(name)) }
}
