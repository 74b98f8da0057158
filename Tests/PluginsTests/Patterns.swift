import PluginKit
import TestHost
import TestSupport

/// Patterns of attention with known statistics, and what the plugin says of them.
struct AttentionStatsRun {
    let folder: TemporaryFolder
    let plugin: TestPlugin

    init() throws {
        folder = try TemporaryFolder()
        plugin = try TestPlugin.built("attention-stats", in: folder.path)
    }

    /// The rows of the table of heads after one run over `clips`, each by its columns.
    func heads(_ clips: [TestClip], _ arguments: [String: String] = [:]) throws -> [[String: Cell]] {
        let instance = try plugin.instance(arguments)
        try instance.run(clips)
        return try Self.rows(instance.result("heads"))
    }

    static func rows(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw UnexpectedKind() }
        return rows.map { Dictionary(uniqueKeysWithValues: zip(columns, $0)) }
    }
}

struct UnexpectedKind: Error {}

extension [String: Cell] {
    func number(_ column: String) -> Double { if case .number(let number) = self[column] { number } else { .nan } }
    func text(_ column: String) -> String { if case .text(let text) = self[column] { text } else { "" } }
}

/// One clip with one pattern: `p(head, q, k)`, queries × keys.
func clip(
    recording: UInt64 = 0, name: String = "a.wav", hook: String = "encoder.blocks.0.attn.pattern", heads: Int = 1,
    queries: Int, keys: Int, valid: Int, _ p: (Int, Int, Int) -> Float
) -> TestClip {
    var clip = TestClip()
    clip.recording = recording
    clip.name = name
    clip.validFrames = valid
    clip.duration = Double(valid) / 50
    var values: [Float] = []
    for head in 0..<heads { for q in 0..<queries { for k in 0..<keys { values.append(p(head, q, k)) } } }
    clip.tensors = [
        TestTensor(hook, axes: ["head", "frame", "key_frame"], shape: [heads, queries, keys], values: values)
    ]
    return clip
}

/// A pattern without structure, each row a distribution; the same for the same seed.
func randomClip(recording: UInt64, seed: UInt64, heads: Int = 2, valid: Int = 20, keys: Int = 30) -> TestClip {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func draw() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 40) / Double(1 << 24)
    }
    let rows = (0..<heads * valid).map { _ -> [Float] in
        let weights = (0..<keys).map { _ in draw() + 1e-3 }, sum = weights.reduce(0, +)
        return weights.map { Float($0 / sum) }
    }
    return clip(
        recording: recording, name: "\(recording).wav", heads: heads, queries: valid, keys: keys, valid: valid
    ) { head, q, k in rows[head * valid + q][k] }
}
