import Foundation
import Logging
import Messages
import PluginTemplates
import TestSupport
import Testing
import Wire

@testable import Daemon

/// Bundles tried out over the wire, with the captures of the engine.
@Suite("Validation over the wire", .serialized, .timeLimit(.minutes(20))) struct ValidationTests {
    /// What a daemon says of a bundle.
    private func checks(
        _ path: String, _ arguments: [String: String] = [:]
    ) async throws -> (checks: [V1.ValidationCheck], end: V1.ValidationEnd) {
        let folder = try TemporaryFolder()
        let configuration = try Configuration.resolve(
            flags: ["socket": [folder("run/s")]], environment: ["HOME": folder.path, "XDG_DATA_HOME": folder("data")])
        let server = AuscultServer(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await server.start()
        let client = try await WireClient.connect(to: server.socketPath)
        var request = V1.ValidatePluginRequest(path: path)
        request.arguments = arguments.sorted { $0.key < $1.key }.map { V1.PluginArgument(id: $0.key, value: $0.value) }
        let result: Result<([V1.ValidationCheck], V1.ValidationEnd), any Error>
        do {
            var checks: [V1.ValidationCheck] = []
            var end: V1.ValidationEnd?
            for try await event in try await client.stream(V1.PluginRPC.validate, request) {
                switch event.event {
                case .check(let check)?: checks.append(check)
                case .end(let last)?: end = last
                case .started?, nil: break
                }
            }
            result = .success((checks, try #require(end)))
        } catch { result = .failure(error) }
        await client.close()
        await server.stop(drainTimeout: .seconds(5))
        // A check leaves nothing where the plugin's runs have their folder.
        let left = (try? FileManager.default.subpathsOfDirectory(atPath: folder("data"))) ?? []
        #expect(!left.contains { $0.contains(".validate") }, "\(left)")
        return try result.get()
    }

    private static let confinement = [
        "does nothing that its confinement refuses", "leaves no process behind",
    ]
    /// Of what says that it can stream.
    private static let live = "hears sound while it is made"
    private static let stateful = [
        "merge() of two save()s is one run over both", "goes on from a state saved in the middle",
        "refuses a damaged state",
    ]

    @Test(
        "the analyses that come along pass every check, with their defaults and without",
        arguments: [
            ("attention-stats", [:]), ("attention-stats", ["attention": "decoder,cross", "per-recording": "true"]),
            ("probes", ["max_rows": "500"]),
            ("sae", [:]), ("sae", ["buffer": "64", "batch": "32", "latents": "80", "k": "4", "dead_after": "64"]),
            ("bigrams", [:]), ("bigrams", ["matrix": "true", "batch": "1024"]),
        ] as [(String, [String: String])])
    func ours(analysis: String, arguments: [String: String]) async throws {
        let bundle = try TestBundle(analysis: analysis)
        let (checks, end) = try await checks(bundle.path, arguments)
        #expect(checks.count == 23 && end.broken == 0)
        for check in checks where check.outcome != .passed {
            // A training is no sum of two others.
            if analysis == "sae", check.outcome == .skipped, check.name == Self.stateful[0] {
                #expect(check.detail.contains("cannot be put together"))
                continue
            }
            if check.outcome == .skipped, check.name == Self.live { continue }
            // Of the two, a kernel can show one.
            if check.outcome == .skipped, Self.confinement.contains(check.name) { continue }
            // Bigrams hears nothing and has no state; there is nothing to show it and nothing to save.
            #expect(analysis == "bigrams" && check.outcome == .skipped, "\(check.name): \(check.detail)")
        }
        #expect(end.passed >= (["bigrams": 13, "sae": 20][analysis] ?? 21))
    }

    @Test("so does a new plugin in C", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")))
    func template() async throws {
        let folder = try TemporaryFolder()
        let id = try PluginTemplate.write(name: "fresh", language: .c, to: folder("fresh"))
        let make = Process()
        make.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        make.arguments = ["make", "--silent", "-C", folder("fresh")]
        try make.run()
        make.waitUntilExit()
        try #require(make.terminationStatus == 0)
        let (checks, end) = try await checks(folder("fresh") + "/build/\(id)")
        #expect(end.broken == 0 && end.passed >= 18)
        for check in checks where check.outcome == .broken { Issue.record("\(check.name): \(check.detail)") }
        #expect(checks.first { $0.name == Self.live }?.outcome == .passed)
    }

    /// `unsure`: what may be broken as well. Where a fault adds a small number to a large sum, the checks that allow for
    /// another order of summing cannot see it.
    @Test(
        "a planted fault is found, and no other",
        arguments: [
            ("random", ["gives the same results twice", "keeps two instances apart"], Array(stateful.prefix(2))),
            ("shares", ["keeps two instances apart"], Array(stateful.prefix(2))),
            ("forgets", Array(stateful.prefix(2)), []),
            ("trusts-state", ["refuses a damaged state"], []),
            ("short-crashes", ["survives one sample"], []),
            ("nan-crashes", ["survives NaN and infinity"], []),
            ("prints", ["writes nothing to its standard output"], []),
        ] as [(String, [String], [String])])
    func planted(fault: String, expected: [String], unsure: [String]) async throws {
        let bundle = try TestBundle(fault: fault)
        let (checks, end) = try await checks(bundle.path)
        let broken = checks.filter { $0.outcome == .broken }
        #expect(
            broken.map(\.name).filter { !unsure.contains($0) } == expected,
            "\(broken.map { "\($0.name): \($0.detail)" })")
        #expect(Int(end.broken) == broken.count && broken.allSatisfy { !$0.detail.isEmpty })
    }

    @Test("a plugin is tried with the arguments that were named: a fault among them is found")
    func arguments() async throws {
        let bundle = try TestBundle()
        let (good, _) = try await checks(bundle.path, ["gain": "3"])
        let notForAll = Self.confinement + [Self.live]
        #expect(good.allSatisfy { $0.outcome == .passed || notForAll.contains($0.name) && $0.outcome == .skipped })
        let (bad, _) = try await checks(bundle.path, ["fault": "prints"])
        #expect(bad.filter { $0.outcome == .broken }.map(\.name) == ["writes nothing to its standard output"])
    }

    @Test(
        "arguments that the plugin does not take, and a folder that is no bundle, are refused before any check",
        arguments: [("gian", "1", "gain"), ("gain", "11", "gain"), ("gain", "much", "number")])
    func refused(id: String, value: String, named: String) async throws {
        let bundle = try TestBundle()
        let error = await #expect(throws: WireError.self) { try await checks(bundle.path, [id: value]) }
        #expect(error?.code == .invalidArgument && error?.message.contains(named) == true)
        let empty = try TemporaryFolder()
        let none = await #expect(throws: WireError.self) { try await checks(empty.path) }
        #expect(none?.message.contains("manifest.json") == true)
    }
}
