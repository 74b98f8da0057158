import Daemon
import Files
import Foundation
import TestSupport
import Testing

@Suite("The model registry") struct ModelRegistryTests {
    let folder: TemporaryFolder
    let registry: ModelRegistry

    init() throws {
        folder = try TemporaryFolder()
        registry = ModelRegistry(folder: folder("models"))
    }

    private let tiny = RegisteredModel(
        name: "tiny", path: "/models/tiny.pt", vocabulary: "/models/multilingual.tiktoken")

    @Test("a registry that does not exist yet is empty, and reading it makes nothing")
    func fresh() throws {
        #expect(try registry.models().isEmpty)
        #expect(try folder.names().isEmpty)
    }

    @Test("entries come back as they were added, sorted by name")
    func roundTrip() throws {
        let zoo = RegisteredModel(
            name: "zoo", path: "/z", sha256: "00ff", alignmentHeads: [[2, 2], [3, 0]], downloaded: true)
        try registry.add(zoo)
        try registry.add(tiny)
        #expect(try registry.models() == [tiny, zoo])
        #expect(try registry.model(named: "zoo") == zoo)
        #expect(try registry.model(named: "nothing") == nil)
        #expect(try registry.remove("tiny") == tiny)
        #expect(try registry.models() == [zoo])
    }

    @Test("a name that is taken is refused unless the entry is the same or may be replaced")
    func taken() throws {
        try registry.add(tiny)
        try registry.add(tiny)
        var other = tiny
        other.path = "/elsewhere/tiny.pt"
        let error = #expect(throws: ServiceError.self) { try registry.add(other) }
        #expect(error?.message.contains("/models/tiny.pt") == true)
        try registry.add(other, replacing: true)
        #expect(try registry.models() == [other])
    }

    @Test("removing an unknown name says what is registered")
    func unknown() throws {
        try registry.add(tiny)
        let error = #expect(throws: ServiceError.self) { try registry.remove("tinny") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("tiny") == true)
    }

    @Test(
        "a name that could be a path, an option or the embedded model is refused",
        arguments: ["", "a/b", "..", ".hidden", "-x", "default", "a b", "é", String(repeating: "a", count: 65)])
    func badName(name: String) {
        #expect(throws: ServiceError.self) { try registry.add(RegisteredModel(name: name, path: "/p")) }
    }

    @Test(
        "a damaged registry is reported with its path, and neither read as empty nor overwritten",
        arguments: [
            "", "{", "[]", "null", "{\"version\":1}", "{\"version\":1,\"models\":{}}",
            "{\"version\":1,\"models\":[{\"name\":\"a\"}]}", "{\"version\":2,\"models\":[]}",
            "{\"version\":\"x\",\"models\":[]}", "\u{0}\u{1}\u{2}",
        ])
    func damaged(text: String) throws {
        try FileManager.default.createDirectory(atPath: registry.folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: registry.file))
        for attempt in [{ _ = try registry.models() }, { try registry.add(tiny) }, { _ = try registry.remove("tiny") }]
        {
            let error = #expect(throws: ServiceError.self) { try attempt() }
            #expect(error?.code == .dataLoss)
            #expect(error?.message.contains(registry.file) == true)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: registry.file)) == Data(text.utf8))
    }

    @Test("changes made at once are all kept")
    func concurrent() async throws {
        let registry = registry
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask { try registry.add(RegisteredModel(name: "m\(index)", path: "/\(index)")) }
            }
            try await group.waitForAll()
        }
        #expect(try registry.models().count == 20)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: registry.folder).sorted()
                == ["registry.json", "registry.lock"])
    }

    @Test("a folder that cannot be made is an error that names it")
    func unwritable() throws {
        try folder.write([1], to: "file")
        let registry = ModelRegistry(folder: folder("file/models"))
        let error = #expect(throws: FileError.self) { try registry.add(tiny) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.message.contains(folder("file/models")) == true)
    }

    @Test("data lie below an absolute XDG_DATA_HOME, else below the home folder")
    func dataFolder() {
        #expect(DataFolder(environment: ["XDG_DATA_HOME": "/x", "HOME": "/h"]).models == "/x/auscult/models")
        #expect(
            DataFolder(environment: ["XDG_DATA_HOME": "x", "HOME": "/h"]).models == "/h/.local/share/auscult/models")
        #expect(DataFolder(environment: ["HOME": "/h"]).models == "/h/.local/share/auscult/models")
    }
}
