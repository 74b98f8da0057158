import Dictionaries
import Foundation
import TestHost
import TestSupport
import Testing

import PluginKit

@testable import SparseAutoencoders

/// The library that was built, through the C interface alone.
@Suite("Sparse autoencoders as a plugin")
struct SparseAutoencoderPluginTests {
    private func clip(_ recording: Int) -> TestClip {
        var clip = TestClip()
        clip.recording = UInt64(recording)
        clip.name = "r\(recording).wav"
        clip.labels = ["language": "en", "text": "one two"]
        clip.samples = [Float](repeating: 0.1, count: 1600)
        var values = (0..<12 * 4).map { Float(($0 * 7 + recording * 13) % 11) / 11 }
        // Padding, which is not data.
        for padding in 9 * 4..<12 * 4 { values[padding] = 1e6 }
        clip.tensors = [
            TestTensor(
                "encoder.blocks.2", axes: ["frame", "state"], shape: [12, 4], values: values, validPositions: 9)
        ]
        return clip
    }

    private let small = ["latents": "12", "k": "2", "batch": "16", "buffer": "64", "passes": "8"]

    private func instance(_ plugin: TestPlugin, _ folder: TemporaryFolder, _ more: [String: String]) throws
        -> TestInstance
    {
        var services = TestServices()
        services.folder = folder.path
        return try plugin.instance(small.merging(more) { $1 }, services: services)
    }

    @Test("a dictionary is trained on valid frames and written, and one that went on from a saved state is the same")
    func resumed() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        let whole = try instance(plugin, folder, ["evaluate": "0", "out": folder("whole"), "steps": "300"])
        try whole.activate()
        let first = try instance(plugin, folder, ["evaluate": "0", "out": folder("first"), "steps": "300"])
        try first.activate()
        for recording in 0..<20 {
            try whole.process(clip(recording))
            if recording < 11 { try first.process(clip(recording)) }
        }
        let second = try instance(plugin, folder, ["evaluate": "0", "out": folder("second"), "steps": "300"])
        try second.merge(first.save())
        try second.activate()
        for recording in 11..<20 { try second.process(clip(recording)) }
        #expect(try whole.save() == second.save())
        try whole.finish()
        try second.finish()
        for file in ["sae_weights.safetensors", "cfg.json"] {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: folder("whole/\(file)")))
                    == Data(contentsOf: URL(fileURLWithPath: folder("second/\(file)"))))
        }
        let dictionary = try SparseDictionary.read(folder("whole"))
        #expect(dictionary.latents == 12 && dictionary.inputs == 4 && dictionary.hook == "encoder.blocks.2")
        #expect(dictionary.decoderBias.allSatisfy { abs($0) < 10 }, "padding was not learned")
        guard case .array = try whole.result("explained"),
            case .table(let columns, let rows) = try whole.result("summary")
        else { throw TestFailure("results of other kinds") }
        #expect(columns.first == "of" && rows.count == 1, "nothing was kept to judge by")
    }

    @Test(
        "the steps that are asked for are made, as many and the same ones however the run is cut, and spread over recordings",
        arguments: [UInt64(20), 0])
    func steps(recordings: UInt64) throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        var run = TestRun()
        run.recordings = recordings
        func made(_ instance: TestInstance) throws -> Int {
            try StateDecoder.decode(SparseAutoencoderPlugin.State.self, from: instance.save()).trainer?.steps ?? 0
        }
        var training = try instance(plugin, folder, ["evaluate": "0", "out": folder("d"), "steps": "500"])
        try training.activate(run)
        var counts: [Int] = []
        for recording in 0..<20 {
            try training.process(clip(recording))
            counts.append(try made(training))
            // Another process each time.
            let state = try training.save()
            training = try instance(plugin, folder, ["evaluate": "0", "out": folder("d"), "steps": "500"])
            try training.merge(state)
            try training.activate(run)
        }
        // The buffer of 64 is full with the eighth recording of 9 positions; twelve come after it.
        #expect(counts[6] == 0 && counts[7] > 0)
        if recordings == 20 {
            #expect(counts[19] == 500)
            for place in 8..<20 { #expect(counts[place] == 500 * (place - 7) / 12) }
        } else {
            #expect(counts[19] == 20 * 9 * 8 / 16)
        }
        try training.finish()
        guard case .text(let method) = try training.result("method") else { throw TestFailure("no text") }
        #expect(method.contains(" 500 steps"), "\(method)")
    }

    @Test("recordings of which nothing is known are trained on; what needs a text is left out, and why is said")
    func bare() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        var services = TestServices()
        services.folder = folder.path
        let tensor = clip(0).tensors
        services.run = { _, _, _, _ in tensor }
        func run(_ count: Int, evaluate: String) throws -> (method: String, rows: Int, hasSplice: Bool) {
            let instance = try plugin.instance(small.merging(["evaluate": evaluate]) { $1 }, services: services)
            #expect(instance.needs.flags & 8 == 0, "labels are not asked for")
            try instance.activate()
            for recording in 0..<count {
                var bare = clip(recording)
                bare.labels = [:]
                try instance.process(bare)
            }
            try instance.finish()
            guard case .text(let method) = try instance.result("method"),
                case .table(_, let rows) = try instance.result("summary")
            else { throw TestFailure("results of other kinds") }
            return (method, rows.count, instance.results.contains { $0.output == "splice" })
        }
        let some = try run(12, evaluate: "3")
        #expect(some.method.contains("no kept recording has a text") && some.rows == 2 && !some.hasSplice)
        // Of one recording none can be kept.
        let one = try run(1, evaluate: "3")
        #expect(one.method.contains("No recording was kept") && one.rows == 1 && !one.hasSplice)
        #expect(one.method.contains(" 5 steps"), "9 positions, 8 times each, are more than four batches of 16")
    }

    @Test(
        "the post's preset is tied, ReLU and 200 latents beside all the defaults that a host fills in; what contradicts it is refused"
    )
    func preset() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        let filled = plugin.parameters.merging(["preset": "post", "evaluate": "0", "out": folder("d")]) { $1 }
        let training = try plugin.instance(filled)
        try training.activate()
        for recording in 0..<3 { try training.process(clip(recording)) }
        let state = try StateDecoder.decode(SparseAutoencoderPlugin.State.self, from: training.save())
        let settings = try #require(state.trainer?.settings)
        #expect(settings.variant == .l1 && settings.isTied && settings.latents == 200)
        #expect(settings.sparsity == TrainingSettings.Variant.l1.penalty)
        try training.finish()
        #expect(try SparseDictionary.read(folder("d")).latents == 200)
        #expect(throws: TestHostError.self) { try plugin.instance(["preset": "post", "variant": "topk"]) }
        let wide = try plugin.instance(["preset": "post", "latents": "300", "evaluate": "0"])
        try wide.activate()
        try wide.process(clip(0))
        #expect(
            try StateDecoder.decode(SparseAutoencoderPlugin.State.self, from: wide.save()).trainer?.settings.latents
                == 300)
    }

    @Test("two trainings are not put together, other arguments and damaged bytes are refused")
    func merges() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        let one = try instance(plugin, folder, ["evaluate": "0"])
        try one.activate()
        try one.process(clip(0))
        let state = try one.save()
        let error = #expect(throws: TestHostError.self) { try one.merge(state) }
        #expect(error?.description.contains("cannot be put together") == true, "\(String(describing: error))")
        #expect(error?.status == 5 && one.needs.flags & 64 != 0)
        #expect(throws: TestHostError.self) { try instance(plugin, folder, ["evaluate": "0", "k": "3"]).merge(state) }
        #expect(throws: TestHostError.self) { try instance(plugin, folder, [:]).merge(Array(state.prefix(200))) }
        #expect(throws: TestHostError.self) { try instance(plugin, folder, ["k": "13"]).run([clip(9), clip(10)]) }
    }

    @Test("recordings that are kept are not trained on; what is written of them is compared, clean, spliced and zeroed")
    func evaluated() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("sae", in: folder.path)
        let tensor = clip(0).tensors
        var services = TestServices()
        services.folder = folder.path
        let specials = ["endoftext": 3, "startoftranscript": 4, "en": 5, "transcribe": 6, "notimestamps": 7]
        services.encode = { text, special in
            special ? specials[text.trimmingCharacters(in: ["<", "|", ">"])].map { [Int32($0)] } ?? [] : [1, 2]
        }
        services.run = { _, tokens, changes, hooks in
            guard hooks == ["decoder.logits"] else { return tensor }
            // Spliced, every token is as likely as any other of 8; clean, the right one has a logit 5 higher.
            var values = [Float](repeating: 0, count: tokens.count * 8)
            if changes.isEmpty {
                for place in 1..<tokens.count { values[(place - 1) * 8 + Int(tokens[place])] = 5 }
            }
            return [TestTensor("decoder.logits", axes: ["token", "vocab"], shape: [tokens.count, 8], values: values)]
        }
        services.transcribe = { _, _, changes in
            guard let change = changes.first else { return "One two." }
            return change.hasSuffix("= zero") ? "" : "one three"
        }
        let instance = try plugin.instance(small.merging(["evaluate": "2"]) { $1 }, services: services)
        try instance.activate()
        for recording in 0..<20 { try instance.process(clip(recording)) }
        try instance.finish()
        guard case .table(_, let rows) = try instance.result("splice") else { throw TestFailure("no table") }
        #expect(rows.map { $0[0] } == [.text("clean"), .text("spliced"), .text("zero")])
        #expect(rows.map { $0[2] } == [.number(0), .number(0.5), .number(1)])
        guard case .number(let clean) = rows[0][1], case .number(let spliced) = rows[1][1] else {
            throw TestFailure("no cross-entropy")
        }
        #expect(abs(clean - log(1 + 7 * exp(-5.0))) < 1e-5 && abs(spliced - log(8.0)) < 1e-5)
        guard case .text(let method) = try instance.result("method") else { throw TestFailure("no text") }
        #expect(method.contains("\(18 * 9) valid positions"), "\(method)")
    }
}

private struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
