import TestHost
import TestSupport
import Testing

@testable import Settling

@Suite("Settling") struct SettlingTests {
    private static let mlp = "encoder.blocks.0.mlp.1", z = "encoder.blocks.0.attn.z"

    /// What a context of so many frames says, where each column is right from so many frames of sound behind a frame on; the third changes
    /// its mind at every look, and the fourth hardly answers.
    private func columns(_ length: Int) -> TestTensor {
        var values: [Float] = []
        for frame in 0..<length {
            let behind = length - frame - 1
            values += [1, behind >= 10 ? 1 : 0.5, length % 4 == 0 ? 1 : -1, 0.05]
        }
        return TestTensor(Self.mlp, axes: ["frame", "neuron"], shape: [length, 4], values: values)
    }

    /// Two heads of two columns, the first of which turns until four frames follow.
    private func heads(_ length: Int) -> TestTensor {
        var values: [Float] = []
        for frame in 0..<length {
            values += length - frame - 1 >= 4 ? [3, 4] : [4, 3]
            values += [0, 1]
        }
        return TestTensor(Self.z, axes: ["frame", "head", "head_dim"], shape: [length, 2, 2], values: values)
    }

    private func clip(frames: Int = 200) -> TestClip {
        var clip = TestClip()
        clip.name = "planted.wav"
        clip.validFrames = frames
        clip.samples = [Float](repeating: 0, count: frames * 320)
        var columns = columns(frames)
        // The fourth column answers once.
        columns.values[3] = 1
        clip.tensors = [heads(frames), columns]
        return clip
    }

    private func services() -> TestServices {
        var services = TestServices()
        services.run = { samples, _, _, _ in
            let length = (samples?.count ?? 0) / 320
            return [heads(length), columns(length)]
        }
        return services
    }

    private func rows(_ instance: TestInstance, _ output: String) throws -> [[String: Double]] {
        guard case .table(let columns, let rows) = try instance.result(output) else { return [] }
        return rows.map { row in
            zip(columns, row).reduce(into: [:]) { found, cell in
                if case .number(let number) = cell.1 { found[cell.0] = number }
            }
        }
    }

    private func expect(_ instance: TestInstance, contexts: Int) throws {
        guard case .scalar(Double(contexts)) = try instance.result("contexts") else {
            Issue.record("other contexts were looked at: \(try instance.result("contexts"))")
            return
        }
        let features = try rows(instance, "features")
        #expect(features.map { $0["index"] } == [0, 1, 2], "what does not answer is not told")
        #expect(features.allSatisfy { $0["values"] == Double(40 * contexts) })
        // Looks are two frames apart, so half of the frames meet 10 frames behind them, and half 11.
        #expect(features.map { $0["median (ms)"] }.prefix(2) == [0, 200])
        #expect(features.map { $0["95 % (ms)"] }.prefix(2) == [40, 240])
        #expect(features.map { $0["unsettled"] } == [0, 0, 1])
        #expect(features[2]["median (ms)"]?.isNaN == true)
        let heads = try rows(instance, "heads")
        #expect(heads.map { $0["head"] } == [0, 1] && heads.map { $0["95 % (ms)"] } == [120, 40])
        #expect(try rows(instance, "hooks").count == 2)
        guard case .array(let shares, let shape) = try instance.result("settled") else {
            Issue.record("settled is no matrix")
            return
        }
        // 2.4 s in looks of 40 ms; two of three columns come to rest.
        #expect(shape == [2, 60] && shares[59] == 1 && abs(shares[119] - 2.0 / 3) < 1e-9)
    }

    @Test("planted needs are found, by feature and by head, and the states of two runs make one")
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("settling", in: folder.path)
        let arguments = ["every": "800"]
        let whole = try plugin.instance(arguments, services: services())
        try whole.run([clip(), clip()])
        try expect(whole, contexts: 4)
        let first = try plugin.instance(arguments, services: services())
        let second = try plugin.instance(arguments, services: services())
        try first.activate()
        try first.process(clip())
        try second.merge(first.save())
        try second.activate()
        try second.process(clip())
        try second.finish()
        try expect(second, contexts: 4)
    }

    @Test("recordings shorter than a context are passed over, and that is said")
    func short() throws {
        let folder = try TemporaryFolder()
        let instance = try TestPlugin.built("settling", in: folder.path).instance(services: services())
        try instance.run([clip(frames: 159)])
        #expect(instance.log.contains { $0.contains("3200 ms") })
        #expect(instance.results.map(\.output) == ["contexts"])
    }

    @Test("arguments, tensors and states that make no sense are refused in words")
    func refused() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("settling", in: folder.path)
        for arguments in [["hooks": " "], ["context": "500"], ["hop": "30"], ["hop": "1000"]] {
            #expect(throws: TestHostError.self) { _ = try plugin.instance(arguments) }
        }
        #expect(
            try plugin.instance(["hooks": "encoder.conv1, encoder.conv2"]).needs.hooks == [
                "encoder.conv1", "encoder.conv2",
            ])
        let instance = try plugin.instance(services: services())
        try instance.activate()
        var patterns = clip()
        patterns.tensors = [
            TestTensor(
                "encoder.blocks.0.attn.pattern", axes: ["head", "frame", "key_frame"], shape: [1, 200, 200],
                values: [Float](repeating: 0, count: 40_000))
        ]
        #expect(throws: TestHostError.self) { try instance.process(patterns) }
        // A host whose runs are of another length than what it was given.
        var odd = services()
        odd.run = { _, _, _, _ in [self.heads(7), self.columns(7)] }
        let other = try plugin.instance(services: odd)
        try other.activate()
        #expect(throws: TestHostError.self) { try other.process(clip()) }
        // States of other arguments.
        let hops = try plugin.instance(["hop": "80"], services: services())
        try hops.activate()
        try hops.process(clip())
        #expect(throws: TestHostError.self) { try instance.merge(hops.save()) }
    }
}
