import Files
import Foundation
import Messages
import Synchronization
import TestSupport

import PluginHost

extension TestBundle {
    var bundle: PluginBundle { get throws { try PluginBundle(folder: path) } }
}

/// An engine of a few answers.
struct TestServices: PluginServices {
    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
        text.split(separator: " ").indices.enumerated().map { Int32($0.offset) }
    }
    func decode(_ tokens: [Int32]) throws -> String { tokens.map { "<\($0)>" }.joined() }
    func weights(_ name: String) throws -> PluginTensor {
        guard name == "ones" else { throw PluginError(.notFound, "no weight \(name)") }
        return PluginTensor(shape: [2, 3], [1, 1, 1, 1, 1, 1])
    }
    func run(samples: [Float]?, tokens: [Int32]?, interventions: [String], hooks: [String]) throws -> [PluginTensor] {
        throw PluginError(.unsupported, "no model here")
    }
    /// Gives back what it was asked with: samples are refused, of a log-mel each row is weighed by its number.
    func pass(_ pass: PluginPass) throws -> PluginPassAnswer {
        guard case .logMel(let shape, let elements, let valid) = pass.sound else {
            throw PluginError(.unsupported, "no model here")
        }
        let weighed = elements.enumerated().map { Float($0.offset / shape[1] + 1) * $0.element }
        return PluginPassAnswer(
            tensors: pass.hooks.map { PluginTensor(shape: shape, weighed, hook: $0) },
            values: pass.objectives.enumerated().map {
                Double($0.offset * 100 + valid * 10 + (pass.tokens?.count ?? 0))
            })
    }
    func decode(
        audio: (shape: [Int], elements: [Float])?, tokens: [Int32], sequences: Int, tokensEach: Int
    ) throws -> PluginTensor { throw PluginError(.unsupported, "no model here") }
    func transcribe(samples: [Float], language: String, interventions: [String]) throws -> String { "" }
    /// The plugin's own; without one it is told that there is none.
    var folder: String?

    func stateFolder() throws -> String {
        guard let folder else { throw PluginError(.unsupported, "no folder here") }
        return folder
    }
}

/// What a run gave.
final class Gathered: Sendable {
    let results = Mutex<[V1.PluginResult]>([])
    let log = Mutex<[V1.PluginLog]>([])
    /// Keeps the bundles that were started in their places.
    private let bundles = Mutex<[TestBundle]>([])

    func text(_ id: String) -> String? {
        results.withLock { results in
            guard case .text(let value)? = results.last(where: { $0.outputId == id })?.value else { return nil }
            return value
        }
    }

    var count: Int { results.withLock { $0.count } }

    func scalar(_ id: String) -> Double? {
        results.withLock { results in
            guard case .scalar(let value)? = results.last(where: { $0.outputId == id })?.value else { return nil }
            return value
        }
    }

    func start(
        _ bundle: TestBundle, access: PluginAccess = PluginAccess(), folder: String? = nil,
        limits: PluginLimits = TestLimits.patient, quarantine: PluginQuarantine? = nil,
        keepsMemory: Bool = true
    ) throws -> PluginProcess {
        bundles.withLock { $0.append(bundle) }
        return try PluginProcess.start(
            bundle.bundle, access: access, limits: limits, services: TestServices(folder: folder),
            quarantine: quarantine,
            keepsMemory: keepsMemory,
            log: { line in self.log.withLock { $0.append(line) } },
            result: { result in self.results.withLock { $0.append(result) } })
    }
}

enum TestLimits {
    /// No test ends by these.
    static let patient = PluginLimits()

    /// For calls that never end.
    static var impatient: PluginLimits {
        var limits = PluginLimits()
        limits.processTimeout = 0.3
        limits.closeTimeout = 0.3
        return limits
    }
}

let testRun = PluginRunValue(
    model: "test", modelSHA256: "00",
    dimensions: .init(
        nMels: 80, nAudioCtx: 1500, nAudioState: 4, nAudioHead: 2, nAudioLayer: 1, nVocab: 100, nTextCtx: 8,
        nTextState: 4, nTextHead: 2, nTextLayer: 1), recordings: 2, seed: 7)

/// A clip of `frames` rows of four numbers each.
func testClip(_ number: Int = 0, frames: Int = 3, value: Float = 0.5, samples: Int = 960) -> PluginClipValue {
    PluginClipValue(
        recording: UInt64(number), name: "clip-\(number)", duration: Double(samples) / 16_000, validFrames: frames,
        tensors: [
            PluginTensor(
                shape: [frames, 4], (0..<frames * 4).map { value * Float($0 % 7) - 1 },
                hook: "encoder.blocks.0.hook_resid_post", axes: ["frame", "state"], positionsPerSecond: 50,
                validPositions: frames)
        ], samples: [Float](repeating: value, count: samples))
}

/// The sum of a clip's numbers, as the plugin adds them up.
func expectedSum(_ clip: PluginClipValue) throws -> Double {
    var sum = 0.0
    for tensor in clip.tensors {
        try tensor.withBytes { bytes in sum = bytes.bindMemory(to: Float.self).reduce(sum) { $0 + Double($1) } }
    }
    return sum
}

/// create(), activate() and one process() with `fault`.
func provoke(_ fault: String, _ gathered: Gathered, _ process: PluginProcess) throws {
    _ = try process.create(arguments: [V1.PluginArgument(id: "fault", value: fault)])
    try process.activate(testRun)
    try process.process(testClip())
}
