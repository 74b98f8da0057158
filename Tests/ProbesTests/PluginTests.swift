import Foundation
import TestHost
import TestSupport
import Testing

/// The library that was built, through the C interface alone.
@Suite("Probes as a plugin")
struct ProbesPluginTests {
    private func plugin(_ folder: TemporaryFolder) throws -> TestPlugin {
        try TestPlugin.built("probes", in: folder.path)
    }

    private func clip(_ recording: Int) -> TestClip {
        var clip = TestClip()
        clip.recording = UInt64(recording)
        clip.name = "r\(recording).wav"
        clip.labels = ["language": recording % 2 == 0 ? "en" : "fr", "kind": "speech", "voice": "v\(recording / 4)"]
        clip.tensors = (0..<3).map { layer in
            var values = (0..<20).map { Float(($0 * 7 + recording * 13 + layer * 5) % 11) / 11 }
            if layer == 1 { for frame in 0..<4 { values[frame * 4] = recording % 2 == 0 ? 3 : -3 } }
            for padding in 16..<20 { values[padding] = 1e5 }
            return TestTensor(
                "encoder.blocks.\(layer)", axes: ["frame", "state"], shape: [5, 4], values: values, validPositions: 4)
        }
        return clip
    }

    private func instance(_ plugin: TestPlugin, _ folder: TemporaryFolder, _ more: [String: String] = [:]) throws
        -> TestInstance
    {
        var services = TestServices()
        services.folder = folder.path
        return try plugin.instance(["target": "is_french"].merging(more) { $1 }, services: services)
    }

    @Test("a planted label is found in its layer, the probes are written, and merged shards give the same")
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try plugin(folder)
        let one = try instance(plugin, folder, ["out": folder("one.safetensors")])
        try one.activate()
        for recording in 0..<80 { try one.process(clip(recording)) }
        let merged = try instance(plugin, folder, ["out": folder("merged.safetensors")])
        for shard in 0..<2 {
            let part = try instance(plugin, folder)
            try part.activate()
            for recording in 0..<80 where recording % 2 == shard { try part.process(clip(recording)) }
            try merged.merge(part.save())
        }
        try merged.activate()
        #expect(try one.save() == merged.save())
        try one.finish()
        try merged.finish()
        guard case .table(let columns, let rows) = try one.result("layers"),
            case .table(_, let others) = try merged.result("layers")
        else { throw TestFailure("layers is no table") }
        // As text: what is not defined is no number, and equals nothing.
        #expect("\(rows)" == "\(others)" && rows.count == 3)
        let accuracy = try #require(columns.firstIndex(of: "accuracy"))
        #expect(rows[1][accuracy] == .number(1))
        for layer in [0, 2] {
            guard case .number(let value) = rows[layer][accuracy] else { throw TestFailure("accuracy is no number") }
            #expect(value < 0.9)
        }
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder("one.safetensors")))
                == Data(contentsOf: URL(fileURLWithPath: folder("merged.safetensors"))))
        guard case .text(let method) = try one.result("method") else { throw TestFailure("method is no text") }
        #expect(method.contains("No speaker is in two parts") && method.contains("encoder.blocks.1"))
    }

    @Test("a target that no recording has, a bad argument, and a damaged state end in words")
    func refused() throws {
        let folder = try TemporaryFolder()
        let plugin = try plugin(folder)
        let stranger = try instance(plugin, folder, ["target": "colour"])
        try stranger.activate()
        try stranger.process(clip(1))
        #expect { try stranger.finish() } throws: { "\($0)".contains("colour") && "\($0)".contains("language") }
        #expect(throws: TestHostError.self) { try instance(plugin, folder, ["reduce": "median"]) }
        #expect(throws: TestHostError.self) { try instance(plugin, folder, ["hooks": ""]) }
        let other = try instance(plugin, folder)
        for bytes in [[], [0xFF], Array(repeating: UInt8(0x9F), count: 40)] as [[UInt8]] {
            #expect(throws: TestHostError.self) { try other.merge(bytes) }
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ message: String) { description = message }
}
