import Foundation
import TestSupport
import Testing

@Suite("auscult plugins") struct PluginsCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    private func run(_ arguments: String..., plugins: [TestBundle] = []) async throws -> CommandResult {
        let daemon = try await InProcessDaemon(data, plugins: plugins)
        let result = await daemon.run(arguments)
        await daemon.stop()
        return result
    }

    private func json<T>(_ result: CommandResult, _: T.Type = T.self) throws -> T {
        try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? T, "\(result.error)")
    }

    @Test("the list has every bundle that was found, a broken one with what is wrong")
    func list() async throws {
        let broken = try TestBundle(id: "org.example.broken")
        try broken.manifest("{}")
        let plugins = [try TestBundle(), broken]
        let text = try await run("plugins", plugins: plugins)
        #expect(text.status == 0 && text.error.isEmpty)
        let lines = text.output.split(separator: "\n")
        #expect(lines.count == 3 && lines.first?.hasPrefix("ID ") == true)
        #expect(lines.contains { $0.hasPrefix("org.example.faulty") && $0.hasSuffix("Faulty") })
        #expect(lines.contains { $0.contains("cannot be used") })
        let list: [[String: Any]] = try json(try await run("plugins", "list", "--format", "json", plugins: plugins))
        #expect(list.count == 2)
        let good = try #require(list.first { $0["id"] as? String == "org.example.faulty" })
        #expect(good["version"] as? String == "1.0" && good["problem"] is NSNull)
        let bad = try #require(list.first { $0["path"] as? String == broken.path })
        #expect((bad["problem"] as? String)?.contains("id") == true)
        let none = try await run("plugins")
        #expect(none.status == 0 && none.output.split(separator: "\n").count == 1)
    }

    @Test("what a plugin needs, takes and gives")
    func show() async throws {
        let plugins = [try TestBundle()]
        let text = try await run("plugins", "show", "faulty", plugins: plugins)
        #expect(text.status == 0, "\(text.error)")
        for part in [
            "Faulty 1.0\norg.example.faulty\ndoes wrong on request",
            "Needs: encoder.blocks.*.hook_resid_post, audio", "  gain (number, 1)  a factor",
            "  pair (vector)  Pair",
        ] { #expect(text.output.contains(part), "\(text.output)") }
        let object: [String: Any] = try json(
            try await run("plugins", "show", "org.example.faulty", "--format", "json", plugins: plugins))
        let parameters = try #require(object["parameters"] as? [[String: Any]])
        #expect(parameters.map { $0["id"] as? String } == ["fault", "gain"])
        #expect(parameters[1]["maximum"] as? Double == 10 && parameters[0]["maximum"] is NSNull)
        #expect((object["outputs"] as? [[String: Any]])?.count == 4)
        #expect(((object["needs"] as? [String: Any])?["audio"] as? Bool) == true)
    }

    @Test("a plugin that is not there is answered with the nearest", arguments: ["fautly", "org.exampel.faulty"])
    func unknown(name: String) async throws {
        let result = try await run("plugins", "show", name, plugins: [try TestBundle()])
        #expect(result.status == 66 && result.output.isEmpty)
        #expect(result.error.contains("'\(name)'") && result.error.contains("org.example.faulty"))
    }

    @Test("one that cannot be loaded is the plugin's fault, by name", arguments: ["init-crashes", "no-factory"])
    func broken(fault: String) async throws {
        let result = try await run("plugins", "show", "faulty", plugins: [try TestBundle(fault: fault)])
        #expect([65, 69].contains(result.status), "\(result.status)")
        #expect(result.error.hasPrefix("auscult: error: ") && result.error.contains("org.example.faulty"))
    }

    // MARK: - New

    @Test("a new plugin is a folder with what builds it, and the lines that do", arguments: ["swift", "c"])
    func new(language: String) async throws {
        let result = try await run("plugins", "new", "pitch-range", "--lang", language, "--out", data("mine"))
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.hasPrefix("org.example.pitch-range is in \(data("mine"))."))
        #expect(result.output.contains("\n  make -C \(data("mine"))\n"))
        #expect(result.output.contains("\n  auscult run \(data("mine"))/build/org.example.pitch-range demo:\n"))
        let manifest = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: data("mine/manifest.json"))))
        #expect((manifest as? [String: Any])?["id"] as? String == "org.example.pitch-range")
        #expect(FileManager.default.fileExists(atPath: data("mine/Makefile")))
        let again = try await run("plugins", "new", "pitch-range", "--lang", language, "--out", data("mine"))
        #expect(again.status == 64 && again.error.contains(data("mine")))
        let spaced = try await run("plugins", "new", "spaced", "--lang", language, "--out", data("it's my plugin"))
        #expect(spaced.output.contains("\n  make -C '\(data("it"))'\\''s my plugin'\n"), "\(spaced.output)")
    }

    @Test(
        "a name that is none, and a language that is not there, are refused and write nothing",
        arguments: [["1st"], ["a/b"], [""], ["good", "--lang", "cobol"]])
    func newRefused(arguments: [String]) async throws {
        let daemon = try await InProcessDaemon(data)
        let result = await daemon.run(["plugins", "new"] + arguments + ["--out", data("mine")])
        await daemon.stop()
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(try data.names().contains("mine") == false)
    }

    // MARK: - Validate

    @Test("a sound bundle passes, a line for each check, and the status is 0")
    func valid() async throws {
        let bundle = try TestBundle()
        let result = try await run("plugins", "validate", bundle.path, "-p", "gain=2")
        #expect(result.status == 0, "\(result.output)\(result.error)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 24 && lines.last == "21 passed, 0 broken, 2 skipped")
        // Of the two checks of its confinement a kernel can show one.
        #expect(lines.count { $0.hasPrefix("passed") } == 21)
    }

    @Test("a fault is a line that says what came, and status 65")
    func invalid() async throws {
        let bundle = try TestBundle(fault: "prints")
        let result = try await run("plugins", "validate", bundle.path)
        #expect(result.status == 65)
        #expect(result.output.contains("\nbroken  writes nothing to its standard output: there were bytes on its"))
        #expect(result.output.hasSuffix("20 passed, 1 broken, 2 skipped\n"))
        let checks: [[String: Any]] = try json(try await run("plugins", "validate", bundle.path, "--format", "json"))
        #expect(checks.count { $0["outcome"] as? String == "broken" } == 1)
        #expect(checks.allSatisfy { $0["seconds"] is Double })
    }

    @Test("a plugin whose hook points are in no model fails, with the glob in the line, and the status is 65")
    func neverRuns() async throws {
        let bundle = try TestBundle(fault: "no-such-hook")
        let result = try await run("plugins", "validate", bundle.path)
        #expect(result.status == 65)
        #expect(result.output.contains("\nbroken  needs what there is: it can never run with this model"))
        #expect(result.output.contains("encoder.blocks.*.nothing"))
        #expect(result.output.contains("\nskipped hears silence: its needs cannot be met\n"))
    }

    @Test("a bundle that no search path of the daemon's has is found by its folder")
    func byPath() async throws {
        let bundle = try TestBundle()
        let shown = try await run("plugins", "show", bundle.path)
        #expect(shown.status == 0 && shown.output.contains("org.example.faulty"), "\(shown.error)")
        let ran = try await run("run", bundle.path, "demo:en-slt-01")
        #expect(ran.status == 0 && !ran.output.isEmpty, "\(ran.error)")
        let none = try await run("run", data("absent"), "demo:en-slt-01")
        #expect(none.status == 66 && none.error.contains(data("absent")), "\(none.error)")
    }

    @Test("arguments that are none, or not the plugin's, and what is no bundle, are refused before any check")
    func validateRefused() async throws {
        let bundle = try TestBundle()
        for argument in ["gain", "=1", "gain=11", "gian=1"] {
            let result = try await run("plugins", "validate", bundle.path, "-p", argument)
            #expect(result.status == 64 && result.output.isEmpty, "\(argument): \(result.error)")
        }
        for path in [data("absent"), data.path] {
            let result = try await run("plugins", "validate", path)
            #expect([65, 66].contains(result.status) && result.error.contains(path), "\(result.error)")
        }
    }
}
