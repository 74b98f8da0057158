import Foundation
import Messages
import TestSupport
import Testing

import PluginHost

@Suite("Bundles and the registry")
struct BundleTests {
    static let faults: [(manifest: String, sentence: String)] = [
        ("{", "not valid JSON"),
        (#"{"id": "org.example.a"}"#, "is missing"),
        (
            #"{"id": 7, "name": "a", "version": "1", "library": "plugin.so"}"#,
            "'id' is an integer; a string was expected"
        ),
        (#"{"id": "noname", "name": "a", "version": "1", "library": "plugin.so"}"#, "reverse DNS"),
        (#"{"id": "org/../x.y", "name": "a", "version": "1", "library": "plugin.so"}"#, "reverse DNS"),
        (#"{"id": "a.b", "name": "", "version": "1", "library": "plugin.so"}"#, "is empty"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "../plugin.so"}"#, "not a path inside the bundle"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "/bin/sh"}"#, "not a path inside the bundle"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "link.so"}"#, "leads out of the bundle"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "none.so"}"#, "is not there"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "folder"}"#, "is not a regular file"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "plugin.so", "abi_major": 2}"#, "version 2.0"),
        (#"{"id": "a.b", "name": "a", "version": "1", "library": "plugin.so", "abi_minor": 9}"#, "version 1.9"),
        (permissions("[]"), "'permissions' is a list; an object was expected"),
        (permissions(#"{"root": true}"#), "'permissions' has 'root'"),
        (permissions(#"{"network": 1}"#), "'permissions.network' is an integer; true or false was expected"),
        (permissions(#"{"read": "/etc"}"#), "'permissions.read' is a string"),
        (permissions(#"{"read": ["etc"]}"#), "'permissions.read' has the path 'etc', which is not absolute"),
        (permissions(#"{"write_files": [1]}"#), "'permissions.write_files' has an integer in it"),
        (validate("[]"), "'validate' is a list; an object"),
        (validate(#"{"steps": 4}"#), "'validate.steps' is an integer; a string was expected"),
    ]

    private static func validate(_ json: String) -> String {
        #"{"id": "a.b", "name": "a", "version": "1", "library": "plugin.so", "validate": \#(json)}"#
    }

    private static func permissions(_ json: String) -> String {
        #"{"id": "a.b", "name": "a", "version": "1", "library": "plugin.so", "permissions": \#(json)}"#
    }

    @Test("A manifest that makes no sense is refused, and it is said why", arguments: faults)
    func broken(manifest: String, sentence: String) throws {
        let bundle = try TestBundle()
        try FileManager.default.createSymbolicLink(atPath: bundle.path + "/link.so", withDestinationPath: "/bin/sh")
        try FileManager.default.createDirectory(atPath: bundle.path + "/folder", withIntermediateDirectories: true)
        try bundle.manifest(manifest)
        let error = #expect(throws: PluginError.self) { _ = try bundle.bundle }
        #expect(error?.code == .brokenBundle)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test("A broken bundle is listed with its problem, and the others go on")
    func lists() throws {
        let good = try TestBundle()
        let folder = good.folder("broken")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "{".write(toFile: folder + "/manifest.json", atomically: true, encoding: .utf8)
        let registry = PluginRegistry(searchPath: [good.folder.path, "/nowhere"])
        let listings = registry.list()
        #expect(listings.map(\.id) == ["broken", "org.example.faulty"])
        #expect(listings.map(\.problem.isEmpty) == [false, true])
        #expect(try registry.bundle(named: "faulty").id == "org.example.faulty")
        #expect(try registry.bundle(named: "org.example.faulty").id == "org.example.faulty")
        let error = #expect(throws: PluginError.self) { _ = try registry.bundle(named: "fualty") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("org.example.faulty") == true)
    }

    @Test("A bundle is found by its folder, and in folders that come before the search path")
    func elsewhere() throws {
        let good = try TestBundle()
        let registry = PluginRegistry(searchPath: ["/nowhere"])
        #expect(try registry.bundle(named: good.path).id == "org.example.faulty")
        #expect(throws: PluginError.self) { _ = try registry.bundle(named: "faulty") }
        #expect(try registry.bundle(named: "faulty", first: [good.folder.path]).folder == good.path)
        #expect(registry.list().isEmpty)
        #expect(registry.list(first: [good.folder.path]).map(\.path) == [good.path])
        let error = #expect(throws: PluginError.self) { _ = try registry.bundle(named: good.path + "/none") }
        #expect(error?.message.contains("none") == true)
    }

    @Test("The search path is the variable's, then the user's, then the installation's")
    func searchPath() {
        let path = PluginRegistry.defaultSearchPath(
            environment: ["AUSCULT_PLUGIN_PATH": "/a:/b", "XDG_DATA_HOME": "/data"])
        #expect(path.prefix(3) == ["/a", "/b", "/data/auscult/plugins"])
        #expect(path.last?.hasSuffix("/lib/auscult/plugins") == true)
    }

    @Test("A plugin that crashes too often is not started until its library changes")
    func quarantine() throws {
        let bundle = try TestBundle()
        let quarantine = PluginQuarantine(most: 2, firstPause: 0.001)
        let registry = PluginRegistry(searchPath: [bundle.folder.path], quarantine: quarantine)
        for _ in 0..<2 {
            let process = try Gathered().start(bundle, quarantine: quarantine)
            #expect(throws: PluginError.self) { try provoke("abort", Gathered(), process) }
            // The same crash, told again, counts once.
            #expect(throws: PluginError.self) { try process.finish() }
        }
        let error = #expect(throws: PluginError.self) {
            _ = try Gathered().start(bundle, quarantine: quarantine)
        }
        #expect(error?.code == .quarantined)
        #expect(registry.list().first?.problem.contains("crashed 2 times") == true)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: bundle.path + "/plugin.so")
        #expect(registry.list().first?.problem == "")
        try Gathered().start(bundle, quarantine: quarantine).close()
    }

    @Test("A run that finishes clears the crashes before it; the pauses double up to the longest")
    func pauses() throws {
        let bundle = try TestBundle()
        let quarantine = PluginQuarantine(most: 9, firstPause: 100, longestPause: 300)
        let crash = PluginError(.crashed, "x")
        let plugin = try bundle.bundle
        #expect(try quarantine.pause(before: plugin) == 0)
        for least in [99.0, 199, 299, 299] {
            quarantine.crashed(plugin, crash)
            let pause = try quarantine.pause(before: plugin)
            #expect(pause > least - 50 && pause <= least + 1)
        }
        quarantine.succeeded(plugin)
        #expect(try quarantine.pause(before: plugin) == 0)
    }
}
