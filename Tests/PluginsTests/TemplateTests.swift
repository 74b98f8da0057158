import Foundation
import PluginKit
import PluginTemplates
import TestHost
import TestSupport
import Testing

@Suite("A new plugin", .serialized)
struct TemplateTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Whether the programs that `make` needs are there: where a compiler is missing, nothing can be built.
    private static func has(_ programs: String...) -> Bool {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return programs.allSatisfy { program in
            path.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
    }

    /// Builds with the one command, in a folder that knows nothing of this one.
    private func make(_ place: String, _ arguments: [String] = []) throws {
        let make = Process()
        make.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        make.arguments = ["make"] + arguments
        make.currentDirectoryURL = URL(fileURLWithPath: place)
        let output = Pipe()
        make.standardOutput = output
        make.standardError = output
        try make.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        make.waitUntilExit()
        try #require(make.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }

    @Test(
        "In C: it builds from its folder alone, measures loudness, and finds the silence",
        .enabled(if: has("make", "cc")))
    func c() throws {
        #expect(
            try PluginTemplate.write(name: "my-loudness", language: .c, to: folder("c")) == "org.example.my-loudness")
        try make(folder("c"))
        let plugin = try TestPlugin(bundle: folder("c") + "/build/org.example.my-loudness")
        // Audio, and sound that is still being made.
        #expect(plugin.flags == 1 << 1 | 1 << 7)
        // A second of a square wave of amplitude 0.5, then half a second of nothing, then the wave again.
        var clip = TestClip()
        clip.samples = (0..<32_000).map { index -> Float in
            if index >= 16_000 && index < 24_000 { return 0 }
            return index / 40 % 2 == 0 ? 0.5 : -0.5
        }
        let instance = try plugin.instance()
        try instance.run([clip])
        guard case .scalar(let loudness) = try instance.result("loudness"),
            case .scalar(let one) = try instance.result("loudness", recording: "a.wav"),
            case .array(let levels, let shape) = try instance.result("levels", recording: "a.wav"),
            case .events(let silences) = try instance.result("silences", recording: "a.wav")
        else { throw UnexpectedKind() }
        #expect(abs(loudness - 10 * log10(0.25 * 0.75)) < 1e-6)
        #expect(abs(one - loudness) < 1e-6)
        #expect(shape == [100])
        #expect(abs(levels[0] - 10 * log10(0.25)) < 1e-6 && levels[60] == -120)
        #expect(silences == [TimedEvent(start: 1, end: 1.5, label: "silence", value: -120)])
        #expect(throws: TestHostError.self) { try plugin.instance(["silence": "loud"]) }
    }

    @Test("In C: windows, saving, merging and damage", .enabled(if: has("make", "cc")))
    func cState() throws {
        try PluginTemplate.write(name: "state", language: .c, to: folder("c"))
        try make(folder("c"))
        let plugin = try TestPlugin(bundle: folder("c") + "/build/org.example.state")
        let windows = (0..<2).map { window in
            var clip = TestClip()
            (clip.window, clip.windowCount) = (window, 2)
            clip.samples = (0..<1600).map { index -> Float in Float((index * 7919 + window * 13) % 1000) / 1000 - 0.5 }
            return clip
        }
        let whole = try plugin.instance()
        try whole.run(windows)
        let first = try plugin.instance(), second = try plugin.instance()
        try first.activate()
        try first.process(windows[0])
        try second.merge(first.save())
        try second.activate()
        try second.process(windows[1])
        try second.finish()
        #expect(second.results.map { "\($0.value)" } == whole.results.map { "\($0.value)" })
        let bytes = try first.save()
        #expect(throws: TestHostError.self) { try second.merge(Array(bytes.dropLast())) }
        #expect(throws: TestHostError.self) { try second.merge([]) }
        var noise = windows[0]
        noise.samples?[5] = .nan
        #expect(throws: TestHostError.self) { try first.process(noise) }
    }

    @Test(
        "In Swift: it builds from its folder alone, and gives the norms of the residual stream",
        .enabled(if: has("make", "swift")))
    func swift() throws {
        try PluginTemplate.write(name: "org.acme.Norms", language: .swift, to: folder("swift"))
        try make(folder("swift"), ["SWIFTFLAGS=-j 1"])
        let plugin = try TestPlugin(bundle: folder("swift") + "/build/org.acme.norms")
        #expect(plugin.hooks == ["encoder.blocks.*"])
        func clip(_ recording: UInt64, _ scale: Float) -> TestClip {
            var clip = TestClip()
            clip.recording = recording
            clip.tensors = (0..<2).map { block -> TestTensor in
                let factor = scale * Float(block + 1)
                return TestTensor(
                    "encoder.blocks.\(block)", axes: ["frame", "state"], shape: [2, 2],
                    values: [3 * factor, 4 * factor, 6 * factor, 8 * factor])
            }
            return clip
        }
        let whole = try plugin.instance()
        try whole.run([clip(0, 1), clip(1, 2)])
        guard case .array(let norms, _) = try whole.result("norms") else { throw UnexpectedKind() }
        #expect(norms == [11.25, 22.5])
        let parts = try (0..<2).map { index in
            let part = try plugin.instance()
            try part.activate()
            try part.process(clip(UInt64(index), Float(index + 1)))
            return try part.save()
        }
        let merged = try plugin.instance()
        for part in parts.reversed() { try merged.merge(part) }
        try merged.finish()
        guard case .array(let again, _) = try merged.result("norms") else { throw UnexpectedKind() }
        #expect(again == norms)
        #expect(throws: TestHostError.self) { try merged.merge([0x81, 0xA0]) }
    }

    @Test("What is embedded is what lies in plugins/ and Sources/", arguments: PluginTemplate.Language.allCases)
    func upToDate(_ language: PluginTemplate.Language) throws {
        // The name of the template itself: nothing is replaced but the module's.
        try PluginTemplate.write(name: "template-\(language.rawValue)", language: language, to: folder("same"))
        let root = URL(fileURLWithPath: Fixtures.path("")).deletingLastPathComponent().deletingLastPathComponent()
        let top = root.appendingPathComponent("plugins/template-\(language.rawValue)")
        var written = try files(folder("same"))
        #expect(
            written.removeValue(forKey: "auscult/LICENSE")
                == (try Data(contentsOf: root.appendingPathComponent("LICENSE"))))
        #expect(try Set(written.keys) == Set(files(top.path).keys), "make templates")
        for (path, bytes) in written where path.hasPrefix("auscult/") || path == "Makefile" {
            #expect(try bytes == Data(contentsOf: top.appendingPathComponent(path)), "\(path)")
        }
    }

    /// What lies in a folder, links followed, without what was built there.
    private func files(_ top: String, _ below: String = "") throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: top + "/" + below)
        where !name.hasPrefix(".") && name != "build" && name != "Package.resolved" {
            let path = below.isEmpty ? name : below + "/" + name
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: top + "/" + path, isDirectory: &isFolder)
            if isFolder.boolValue {
                found.merge(try files(top, path)) { first, _ in first }
            } else {
                found[path] = try Data(contentsOf: URL(fileURLWithPath: top + "/" + path))
            }
        }
        return found
    }

    @Test("A name that is none is refused", arguments: ["", "1st", "a b", "a/b", "..", "org..x", "ünder", "a-", "-a"])
    func names(_ name: String) {
        #expect(throws: PluginTemplate.Failure.self) {
            try PluginTemplate.write(name: name, language: .c, to: folder("x"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder("x")))
    }

    @Test("A folder that has something in it, and a file, are left alone")
    func inUse() throws {
        try folder.write([1], to: "file")
        #expect(throws: PluginTemplate.Failure.self) {
            try PluginTemplate.write(name: "a", language: .c, to: folder.path)
        }
        #expect(throws: PluginTemplate.Failure.self) {
            try PluginTemplate.write(name: "a", language: .c, to: folder("file"))
        }
        #expect(try folder.names() == ["file"])
    }
}
