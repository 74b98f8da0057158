import Foundation
import Messages
import Synchronization
import TestSupport
import Testing

@testable import PluginHost

/// The check that is left out where plugins are confined, as they are wherever the system can do it.
private let leftovers = "leaves no process behind"
/// The check of what says that it can stream.
private let live = "hears sound while it is made"

@Suite("Validation")
struct ValidatorTests {
    @Sendable static func clips(_ sound: PluginSound, _ needs: PluginNeedsValue) throws -> [PluginClipValue] {
        switch sound {
        case .silence: [testClip(10, value: 0)]
        case .oneSample: [testClip(11, frames: 1, samples: 1)]
        case .noise: [testClip(12, value: 1)]
        case .voice(let number): [testClip(number, frames: 5 + number, value: 0.3)]
        }
    }

    @Test("sees the processes that an unconfined plugin leaves behind")
    func leaves() throws {
        var permissions = PluginPermissions()
        permissions.unconfined = true
        let broken = try outcomes("leaves", permissions).filter { $0.outcome == .broken }
        #expect(broken.map(\.name) == ["leaves no process behind"], "\(broken)")
        #expect(broken.first?.detail == "it left processes behind, which were ended: 1")
    }

    private func outcomes(
        _ fault: String?, _ permissions: PluginPermissions = PluginPermissions()
    ) throws -> [V1.ValidationCheck] {
        let bundle = try TestBundle(fault: fault)
        var limits = PluginLimits()
        limits.closeTimeout = 1
        let validator = PluginValidator(
            try bundle.bundle, permissions: permissions, run: testRun, services: TestServices(), limits: limits,
            clips: Self.clips)
        var checks: [V1.ValidationCheck] = []
        let end = try validator.validate { checks.append($0) }
        #expect(Int(end.passed + end.broken + end.skipped) == checks.count)
        return checks
    }

    @Test("passes a plugin that works")
    func good() throws {
        let checks = try outcomes(nil)
        #expect(checks.count == 23)
        for check in checks.dropLast(2) where check.name != live {
            #expect(check.outcome == .passed, "\(check.name): \(check.detail)")
        }
        #expect(checks.first { $0.name == live }?.outcome == .skipped)
        // Which of the two can be seen depends on the kernel.
        for check in checks.suffix(2) { #expect(check.outcome != .broken, "\(check.name): \(check.detail)") }
        #expect(checks.suffix(2).contains { $0.outcome == .passed })
    }

    @Test(
        "finds the fault that was planted, and no other",
        arguments: [
            (
                "random",
                [
                    "gives the same results twice", "keeps two instances apart",
                    "merge() of two save()s is one run over both",
                    "goes on from a state saved in the middle",
                ]
            ),
            (
                "shares",
                [
                    "keeps two instances apart", "merge() of two save()s is one run over both",
                    "goes on from a state saved in the middle",
                ]
            ),
            ("forgets", ["merge() of two save()s is one run over both", "goes on from a state saved in the middle"]),
            ("trusts-state", ["refuses a damaged state"]),
            ("short-crashes", ["survives one sample"]),
            ("nan-crashes", ["survives NaN and infinity"]),
            ("prints", ["writes nothing to its standard output"]),
            ("leaves", ["does nothing that its confinement refuses"]),
            // Declared and not done, done and not declared, or refused for another reason.
            ("one-run-takes", ["merge() of two save()s is one run over both"]),
            ("one-run-undeclared", ["merge() of two save()s is one run over both"]),
            ("one-run-fails", ["merge() of two save()s is one run over both"]),
            ("streams-crashes", ["hears sound while it is made"]),
        ])
    func planted(fault: String, expected: [String]) throws {
        let broken = try outcomes(fault).filter { $0.outcome == .broken }
        #expect(broken.map(\.name) == expected, "\(broken.map { $0.name + ": " + $0.detail })")
        for check in broken { #expect(!check.detail.isEmpty) }
    }

    @Test("has what says that it can stream hear stretches, of which it says what came")
    func streams() throws {
        let check = try #require(try outcomes("streams").first { $0.name == live })
        #expect(
            check.outcome == .passed && check.detail == "1 stretches; 0 results meanwhile, 2 at the end",
            "\(check.detail)")
    }

    @Test(
        "a clip is cut into stretches: each frame once, but for those that nobody hears, with its samples and its place"
    )
    func stretches() throws {
        var clip = testClip(frames: 200, samples: 200 * 320 - 100)
        clip.start = 5
        clip.labels = [("speaker", "slt")]
        let stretches = try clip.stretches()
        #expect(stretches.map(\.validFrames) == [40, 1, 80, 40, 1, 5])
        #expect(
            stretches.map(\.window) == Array(0..<6) && stretches.allSatisfy { $0.windowCount == 0 && $0.labels.isEmpty }
        )
        let starts = stretches.map { (($0.start - 5) * 50).rounded() }
        #expect(starts == [0, 40, 41, 154, 194, 195])
        #expect(stretches.map { $0.samples?.count } == [12800, 320, 25600, 12800, 320, 1500])
        for (stretch, first) in zip(stretches, starts) {
            let tensor = try #require(stretch.tensors.first)
            #expect(tensor.shape == [stretch.validFrames, 4] && tensor.firstPosition == Int(first))
            try tensor.withBytes { bytes in
                let wanted = (0..<stretch.validFrames * 4).map { 0.5 * Float((Int(first) * 4 + $0) % 7) - 1 }
                #expect(Array(bytes.bindMemory(to: Float.self)) == wanted)
            }
        }
        clip.tensors = [
            PluginTensor(
                shape: [2, 200, 200], [], hook: "encoder.blocks.0.attn.pattern", axes: ["head", "frame", "key_frame"])
        ]
        #expect(throws: BrokenCheck.self) { try clip.stretches() }
    }

    @Test("does not load what says that it can stream, and needs what live sound does not have")
    func contradiction() throws {
        let first = try #require(try outcomes("streams-labels").first)
        #expect(
            first.outcome == .broken && first.detail.contains("needs labels, which live sound does not have"),
            "\(first.detail)")
    }

    @Test("is made with the arguments that the manifest names for it, unless the call names others")
    func manifestArguments() throws {
        let bundle = try TestBundle()
        try bundle.manifest(
            #"""
            {"id": "org.example.faulty", "name": "Faulty", "version": "1.0", "vendor": "nobody",
             "licence": "Apache-2.0", "library": "plugin.so", "validate": {"fault": "prints", "gain": "2"}}
            """#)
        func checks(_ arguments: [V1.PluginArgument]) throws -> [V1.ValidationCheck] {
            let validator = PluginValidator(
                try bundle.bundle, arguments: arguments, run: testRun, services: TestServices(), clips: Self.clips)
            try validator.checkArguments()
            var checks: [V1.ValidationCheck] = []
            _ = try validator.validate { checks.append($0) }
            return checks
        }
        let own = try checks([])
        #expect(own.filter { $0.outcome == .broken }.map(\.name) == ["writes nothing to its standard output"])
        #expect(
            own.first { $0.name == "takes its defaults" }?.detail
                == "its manifest has the other checks made with fault=prints, gain=2")
        let named = try checks([V1.PluginArgument(id: "fault", value: "")])
        #expect(named.allSatisfy { $0.outcome != .broken }, "\(named.filter { $0.outcome == .broken })")
        #expect(throws: PluginError.self) { _ = try checks([V1.PluginArgument(id: "gian", value: "1")]) }
    }

    @Test("says nothing about the state of a plugin that has none")
    func stateless() throws {
        let skipped = try outcomes("stateless")
            .filter { $0.outcome == .skipped && ![leftovers, live].contains($0.name) }.map(\.name)
        #expect(skipped.count == 3)
    }

    @Test("says nothing about merging, and why, where a plugin needs one run for all; it must go on all the same")
    func oneRun() throws {
        let checks = try outcomes("one-run")
        let others = checks.filter { $0.outcome != .passed && ![leftovers, live].contains($0.name) }
        #expect(others.map(\.name) == ["merge() of two save()s is one run over both"])
        #expect(others.first?.outcome == .skipped)
        #expect(others.first?.detail.contains("two runs of this kind are no sum") == true, "\(others)")
    }

    @Test("says nothing where there is nothing to show")
    func noClips() throws {
        let bundle = try TestBundle()
        let validator = PluginValidator(try bundle.bundle, run: testRun, services: TestServices()) { _, _ in
            throw NothingToShow("no voices")
        }
        var skipped: [String] = []
        let end = try validator.validate {
            if $0.outcome == .skipped && ![leftovers, live].contains($0.name) { skipped.append($0.detail) }
        }
        #expect(end.broken == 0)
        #expect(skipped.allSatisfy { $0.contains("no voices") } && !skipped.isEmpty)
    }

    @Test("fails a plugin whose needs cannot be met, in one check, and says nothing in the others that show it a sound")
    func unmetNeeds() throws {
        let bundle = try TestBundle()
        let validator = PluginValidator(try bundle.bundle, run: testRun, services: TestServices()) { _, _ in
            throw PluginError(.invalidArgument, "no hook point matches encoder.nothing")
        }
        var checks: [V1.ValidationCheck] = []
        let end = try validator.validate { checks.append($0) }
        #expect(end.broken == 1)
        let broken = try #require(checks.first { $0.outcome == .broken })
        #expect(broken.name == "needs what there is" && broken.detail.contains("encoder.nothing"))
        #expect(checks.contains { $0.name == "hears silence" && $0.outcome == .skipped })
    }

    @Test("tries nothing more after a call without an answer, and says so in each check that is left")
    func hangs() throws {
        let bundle = try TestBundle(fault: "create-loops")
        let validator = PluginValidator(
            try bundle.bundle, run: testRun, services: TestServices(), limits: TestLimits.impatient, clips: Self.clips)
        var checks: [V1.ValidationCheck] = []
        _ = try validator.validate { checks.append($0) }
        let broken = try #require(checks.firstIndex { $0.outcome == .broken })
        #expect(checks[broken].detail.contains("gave no answer in create()"))
        for check in checks[(broken + 1)...] {
            #expect(check.outcome == .skipped && check.detail.contains("not tried"), "\(check.name): \(check.detail)")
        }
    }

    @Test("tells of a crash in full once; where it comes again it names the check that found it")
    func crashOnce() throws {
        let checks = try outcomes("create-crashes").filter { $0.outcome == .broken }
        #expect(checks.count > 5)
        let first = try #require(checks.first)
        #expect(checks.filter { $0.detail.contains("SIG") || $0.detail.contains("signal") }.map(\.name) == [first.name])
        for check in checks.dropFirst() { #expect(check.detail == "the same as in '\(first.name)'") }
    }
}
