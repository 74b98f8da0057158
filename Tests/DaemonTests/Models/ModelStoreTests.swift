import Daemon
import Foundation
import Kernels
import Logging
import Synchronization
import TensorFiles
import TestSupport
import Testing
import Whisper

@Suite("The model store", .timeLimit(.minutes(2))) struct ModelStoreTests {
    private let folder: TemporaryFolder
    private let registry: ModelRegistry
    private let service: ModelService
    /// Bytes of the fixtures' weights, counted in the file.
    private let size: UInt64

    init() throws {
        folder = try TemporaryFolder()
        registry = ModelRegistry(folder: folder("registry"))
        service = ModelService(registry: registry, logger: Logger(label: "test"))
        let file = try SafetensorsFile(path: Fixtures.path("checkpoints/hf-f32/model.safetensors"))
        size = UInt64(file.names.reduce(0) { $0 + (file.shape(of: $1) ?? []).reduce(4, *) })
    }

    /// A copy of a small checkpoint under another name.
    private func copy(_ name: String) throws -> String {
        try FileManager.default.copyItem(atPath: Fixtures.path("checkpoints/hf-f32"), toPath: folder(name))
        return folder(name)
    }

    @Test("a model's memory is the bytes of its tensors as float32, in whatever form the file holds them")
    func bytes() throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        for name in ["hf-f32", "hf-f16", "hf-sharded"] {
            #expect(try store.model(Fixtures.path("checkpoints/\(name)")).weightBytes == size, "\(name)")
        }
    }

    @Test("one name means one instance, with one tokenizer, until the name or the vocabulary is another")
    func sameInstance() throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        let a = try copy("a")
        let first = try store.model(a)
        #expect(try store.model(a) === first)
        try store.withModel(a) { #expect($0 === first) }
        try registry.add(RegisteredModel(name: "mine", path: a))
        #expect(try store.model("mine") !== first)
        #expect(try store.model(nil) === store.model("default"))
    }

    @Test("one checkpoint in two precisions is two models, each with its own memory, and the status tells them apart")
    func precisions() throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        let path = try copy("a")
        let exact = try store.model(path), int8 = try store.model(path, precision: .int8)
        #expect(exact !== int8 && exact.precision == .exact && int8.precision == .int8)
        #expect(try store.model(path, precision: .int8) === int8)
        #expect(try exact.digest() == int8.digest())
        #expect(int8.weightBytes < exact.weightBytes)
        for model in [exact, int8] { #expect(try model.model().precision == model.precision) }
        #expect(Set(store.residents().map(\.precision)) == [.exact, .int8])
        #expect(store.memoryBytes == exact.weightBytes + int8.weightBytes)
    }

    @Test("a precision that the processor has not is refused before a file is opened")
    func refusedPrecision() throws {
        guard let refusal = Precision.bf16.refusal else { return }
        let store = ModelStore(service: service, memoryLimit: .max)
        let error = #expect(throws: WhisperError.self) { try store.lease(folder("none"), precision: .bf16) }
        #expect(error.map { "\($0)" } == refusal)
    }

    @Test(
        "files that changed on disk are opened anew, and who uses the old model keeps it",
        arguments: ["model.safetensors", "config.json"])
    func changedFile(name: String) throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        let path = try copy("a")
        let lease = try store.lease(path)
        _ = try lease.model.model()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
        try bytes.write(to: URL(fileURLWithPath: path + "/" + name), options: .atomic)
        let fresh = try store.model(path)
        #expect(fresh !== lease.model)
        #expect(try store.model(path) === fresh)
        _ = try fresh.model()
        #expect(store.memoryBytes == 2 * size, "the old one is still in use")
    }

    @Test("a registry's entry that changed is opened anew")
    func changedEntry() throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        try registry.add(RegisteredModel(name: "mine", path: copy("a")))
        let first = try store.model("mine")
        try registry.add(RegisteredModel(name: "mine", path: copy("b")), replacing: true)
        #expect(try store.model("mine") !== first)
        _ = try registry.remove("mine")
        let error = #expect(throws: ServiceError.self) { try store.model("mine") }
        #expect(error?.code == .notFound)
    }

    @Test("past the limit the least recently used model goes")
    func leastRecentlyUsed() throws {
        let store = ModelStore(service: service, memoryLimit: 2 * size)
        let paths = try ["a", "b", "c"].map(copy)
        var first: [ObjectIdentifier] = []
        var kept: [LoadedModel] = []
        for path in paths + [paths[0]] {
            try store.withModel(path) { model in
                _ = try model.model()
                kept.append(model)
                first.append(ObjectIdentifier(model))
            }
        }
        // a and b; then c pushes a out; then a anew pushes b out.
        #expect(first[3] != first[0])
        #expect(store.memoryBytes == 2 * size)
        #expect(store.residents().map(\.name) == [paths[0], paths[2]])
        #expect(try store.model(paths[2]) === kept[2])
    }

    @Test("a model in use stays, whatever the limit, and counts")
    func inUse() throws {
        let store = ModelStore(service: service, memoryLimit: 1)
        let a = try copy("a"), b = try copy("b")
        let lease = try store.lease(a)
        _ = try lease.model.model()
        try store.withModel(b) { _ = try $0.model() }
        #expect(try store.model(a) === lease.model)
        #expect(store.residents().first { $0.name == a }?.users == 1)
        #expect(store.memoryBytes == 2 * size)
    }

    @Test("a model that is larger than the limit stays until another is used")
    func largerThanLimit() throws {
        let store = ModelStore(service: service, memoryLimit: 1)
        let a = try copy("a"), b = try copy("b")
        let first = try store.withModel(a) { model in
            _ = try model.model()
            return model
        }
        #expect(try store.model(a) === first)
        try store.withModel(b) { _ = try $0.model() }
        #expect(store.residents().map(\.name) == [b])
    }

    @Test("many callers at once open a model once")
    func together() async throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        let path = try copy("a")
        let instances = try await withThrowingTaskGroup(of: LoadedModel.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try store.withModel(path) { model in
                        _ = try model.model()
                        return model
                    }
                }
            }
            return try await group.reduce(into: [LoadedModel]()) { $0.append($1) }
        }
        #expect(instances.count == 20 && instances.allSatisfy { $0 === instances[0] })
        #expect(store.residents().map(\.users) == [0])
        #expect(store.memoryBytes == size)
    }

    @Test("a name that means nothing and a file that is damaged are errors each time, and right once they are right")
    func failures() throws {
        let store = ModelStore(service: service, memoryLimit: .max)
        #expect(throws: ServiceError.self) { try store.model("nothing-of-this-name") }
        let path = try copy("a")
        let weights = URL(fileURLWithPath: path + "/model.safetensors")
        let whole = try Data(contentsOf: weights)
        try whole.prefix(100).write(to: weights, options: .atomic)
        for _ in 0..<2 { #expect(throws: TensorFileError.self) { try store.model(path) } }
        try whole.write(to: weights, options: .atomic)
        #expect(try store.model(path).weightBytes == size)
        #expect(store.residents().isEmpty, "nothing was loaded")
    }

    @Test("the status names digest, idle time and users")
    func status() throws {
        let clock = Mutex(ContinuousClock.now)
        let store = ModelStore(service: service, memoryLimit: .max, now: { clock.withLock { $0 } })
        let path = try copy("a")
        let digest = try store.withModel(path) { model in
            _ = try model.model()
            #expect(store.residents().map(\.users) == [1])
            #expect(store.residents().map(\.digest) == [nil])
            return try model.digest()
        }
        clock.withLock { $0 += .seconds(90) }
        #expect(
            store.residents()
                == [ResidentModel(name: path, digest: digest, bytes: size, idleSeconds: 90, users: 0)])
    }
}
