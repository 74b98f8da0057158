import Foundation
import Kernels
import Messages
import PluginHost
import Synchronization
import TestSupport
import Testing
import Whisper

@testable import Daemon

@Suite("Captures that are kept for the next analysis", .timeLimit(.minutes(5))) struct KeptCapturesTests {
    /// Two captures of the same size, in bytes.
    private let captures: [CapturedTensor]
    private let size: Int
    private var points: [HookPoint] { captures.map(\.hook) }

    init() throws {
        let model = try embeddedModel(), frames = model.dimensions.melFrames
        let points = try HookPoint.matching("encoder.blocks.{0,1}", in: model.dimensions)
        var captures: [CapturedTensor] = []
        let mel = Tensor(shape: [model.dimensions.nMels, frames])
        _ = try WindowPass(model.model(), mel, PassPlan(captures: Set(points)), validFrames: 10) { captures.append($0) }
        try #require(captures.count == 2 && captures[0].tensor.count == captures[1].tensor.count)
        self.captures = captures
        size = captures[0].tensor.count * 4
    }

    private func window(_ number: Int, allFrames: Bool = false) -> KeptCaptures.Window {
        KeptCaptures.Window(
            model: 1, mel: "\(number)", melFrames: 1000, validFrames: 50, allFrames: allFrames)
    }

    @Test("are found where all that is asked for is there, and only for the same window")
    func found() throws {
        let store = KeptCaptures(limit: 1 << 20)
        let first = try #require(store.scan()), second = try #require(store.scan())
        first.keep([captures[0]], of: window(1))
        #expect(second.captures([points[0]], of: window(1))?[points[0]]?.tensor.elements == captures[0].tensor.elements)
        #expect(second.captures(Set(points), of: window(1)) == nil)
        #expect(second.captures([points[0]], of: window(2)) == nil)
        #expect(second.captures([points[0]], of: window(1, allFrames: true)) == nil)
        second.keep(captures, of: window(1))
        #expect(first.captures(Set(points), of: window(1))?.count == 2)
        #expect(store.bytes == 2 * size)
    }

    @Test(
        "are no more than the limit: a scan keeps its first windows, and takes the room of others' that were used the longest ago"
    )
    func bounded() throws {
        let store = KeptCaptures(limit: 16 * size), point = points[0]
        let first = try #require(store.scan()), second = try #require(store.scan())
        for number in 0..<20 { first.keep([captures[0]], of: window(number)) }
        #expect(store.bytes == 16 * size)
        #expect(first.captures([point], of: window(15)) != nil)
        #expect(first.captures([point], of: window(16)) == nil)
        // What the second scan has asked for is its own.
        #expect(second.captures([point], of: window(0)) != nil)
        for number in 100..<120 { second.keep([captures[0]], of: window(number)) }
        #expect(store.bytes == 16 * size)
        #expect(second.captures([point], of: window(0)) != nil)
        #expect(second.captures([point], of: window(1)) == nil)
        #expect(second.captures([point], of: window(114)) != nil)
        #expect(second.captures([point], of: window(115)) == nil)
    }

    @Test("are none of a window that would take a good part of the room, and none at all with a limit of 0")
    func large() throws {
        let store = KeptCaptures(limit: 7 * size)
        try #require(store.scan()).keep([captures[0]], of: window(1))
        #expect(store.bytes == 0)
        #expect(KeptCaptures(limit: 0).scan() == nil)
    }

    @Test("are let go when nobody has asked for a while")
    func letGo() async throws {
        let store = KeptCaptures(limit: 1 << 20, patience: .milliseconds(200))
        let scan = try #require(store.scan())
        for round in 1...2 {
            scan.keep([captures[0]], of: window(round))
            #expect(store.bytes == size)
            while store.bytes > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(scan.captures([points[0]], of: window(round)) == nil)
        }
    }

    /// What a run's plugin was given of each window.
    private func heard(
        _ bench: PluginBench, _ kept: KeptCaptures, hooks: [String], allFrames: Bool = false,
        interventions: [String] = [], model name: String = ""
    ) async throws -> (given: [String], passes: Int) {
        let given = Mutex<[String]>([])
        var behaviour = FakePlugin.Behaviour()
        (behaviour.needs.hooks, behaviour.needs.allFrames) = (hooks, allFrames)
        behaviour.processed = { clip in
            let sum = (try? FakePlugin.sum(clip)).map { "\($0)" } ?? "none"
            let tensors = clip.tensors.map {
                "\($0.hook) \($0.shape) \($0.axes) \($0.firstPosition) \($0.validPositions)"
            }
            given.withLock { $0.append("\(clip.recording)/\(clip.window) \(sum) \(tensors)") }
        }
        var service = bench.service(FakePlugin.catalogue(behaviour))
        service.captures = kept
        let model = try bench.engine.store.model(name.isEmpty ? nil : name).model()
        let before = model.encoderPasses
        let request = bench.request {
            $0.interventions = interventions.map { .init(text: $0) }
            $0.model = V1.ModelRef(name: name)
        }
        let run = try RunRequest(request, in: CallerFolder(nil) { _ in false }, service)
        _ = try await service.run(run, client: ClientID(1), deadline: nil, connection: nil) { _ in }
        return (given.withLock { $0 }, model.encoderPasses - before)
    }

    @Test("give a second analysis the same numbers without a pass")
    func again() async throws {
        let bench = try PluginBench(recordings: 3), kept = KeptCaptures(limit: 64 << 20)
        let hooks = ["encoder.blocks.1", "encoder.conv1", "encoder.blocks.0.mlp.1"]
        let first = try await heard(bench, kept, hooks: hooks)
        #expect(first.passes == 3 && kept.bytes > 0)
        let second = try await heard(bench, kept, hooks: hooks)
        #expect(second.passes == 0)
        #expect(second.given == first.given)
        // A part of them serves as well; what was not captured is computed.
        let alone = try await heard(bench, kept, hooks: ["encoder.blocks.1"])
        #expect(alone.passes == 0)
        #expect(try await heard(bench, KeptCaptures(limit: 0), hooks: ["encoder.blocks.1"]).given == alone.given)
        #expect(try await heard(bench, kept, hooks: ["encoder.blocks.1", "encoder.blocks.2"]).passes == 3)
        #expect(try await heard(bench, kept, hooks: ["encoder.blocks.1"], allFrames: true).passes == 3)
    }

    @Test("are never of another model, though its weights be the same")
    func otherModel() async throws {
        let bench = try PluginBench(recordings: 1), kept = KeptCaptures(limit: 64 << 20)
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models/default")
        let (one, two) = (bench.folder("one"), bench.folder("two"))
        for folder in [one, two] { try FileManager.default.copyItem(atPath: source.path, toPath: folder) }
        let config = try String(contentsOfFile: two + "/config.json", encoding: .utf8)
        let changed = config.replacingOccurrences(
            of: "\"encoder_attention_heads\": 5", with: "\"encoder_attention_heads\": 10")
        try #require(changed != config)
        try changed.write(toFile: two + "/config.json", atomically: true, encoding: .utf8)
        let hooks = ["encoder.blocks.1"]
        let first = try await heard(bench, kept, hooks: hooks, model: one)
        let second = try await heard(bench, kept, hooks: hooks, model: two)
        #expect(first.passes == 1 && second.passes == 1 && first.given != second.given)
        #expect(try await heard(bench, kept, hooks: hooks, model: one).passes == 0)
    }

    @Test("are never of a model that is changed")
    func changed() async throws {
        let bench = try PluginBench(recordings: 1), kept = KeptCaptures(limit: 64 << 20)
        let hooks = ["encoder.blocks.1"], change = ["encoder.blocks.0.mlp.1 = zero"]
        let plain = try await heard(bench, kept, hooks: hooks)
        let changed = try await heard(bench, kept, hooks: hooks, interventions: change)
        #expect(changed.passes == 1 && changed.given != plain.given)
        #expect(try await heard(bench, kept, hooks: hooks, interventions: change).passes == 1)
    }
}
