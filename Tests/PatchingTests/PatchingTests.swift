import Foundation
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Patching

/// The library that was built, through the C interface alone, on a model whose causes were planted.
@Suite("Patching as a plugin") struct PatchingTests {
    private let folder: TemporaryFolder
    private let model: PlantedModel

    init() throws {
        folder = try TemporaryFolder()
        model = PlantedModel(folder: folder("own"))
        try FileManager.default.createDirectory(atPath: folder("own"), withIntermediateDirectories: true)
    }

    private func instance(_ arguments: [String: String] = [:], _ model: PlantedModel? = nil) throws -> TestInstance {
        try TestPlugin.built("patching", in: folder.path).instance(arguments, services: (model ?? self.model).services)
    }

    private var run: TestRun {
        var run = TestRun()
        (run.nAudioState, run.nAudioHead, run.nAudioLayer) = (2, 2, 2)
        (run.nTextState, run.nTextHead, run.nTextLayer) = (1, 2, 1)
        return run
    }

    /// Recordings that differ in what is heard at the word, and in one frame besides that means nothing.
    private func pairs(_ count: Int = 3) -> [TestClip] {
        (0..<count).flatMap { number -> [TestClip] in
            let loud = Float(2 + number), other: Float = 0.3
            let clean: [Float] = [other, 0, 0, 0, loud, loud, 0, 0],
                corrupted: [Float] = [0, 0, 0, 0, -loud, -loud, 0, 0]
            let labels = ["word": "\(number)"]
            return [
                PlantedModel.clip("c\(number)", clean, labels.merging(["text": "say rug", "kind": "clean"]) { $1 }),
                PlantedModel.clip(
                    "d\(number)", corrupted, labels.merging(["text": "say mug", "kind": "corrupted"]) { $1 }),
            ]
        }
    }

    private func matrix(_ instance: TestInstance, _ id: String) throws -> (values: [Double], shape: [Int]) {
        guard case .array(let values, let shape) = try instance.result(id) else {
            throw PluginError(.failed, "no matrix")
        }
        return (values, shape)
    }

    private func table(_ instance: TestInstance, _ id: String) throws -> [[Cell]] {
        guard case .table(_, let rows) = try instance.result(id) else { throw PluginError(.failed, "no table") }
        return rows
    }

    @Test("finds the planted frames, heads, token and path, and nothing else")
    func planted() throws {
        let instance = try instance(["frames": "2"])
        try instance.run(pairs(), run)
        let frames = try matrix(instance, "frames")
        // The word is the third window, before the first block and behind both.
        #expect(frames.shape == [3, 4] && frames.values == [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0])
        #expect(try matrix(instance, "attributed_frames").values == frames.values)
        #expect(try matrix(instance, "encoder_heads").values == [0, 1, 0, 0])
        #expect(try matrix(instance, "cross_heads").values == [1, 0])
        #expect(try matrix(instance, "decoder_heads").values == [0, 0])
        // The tokens are the start and "say"; what is said follows the last.
        #expect(try matrix(instance, "tokens").values == [0, 1])
        let best = try table(instance, "best")
        let kinds = best.prefix(2).map { $0[0] }
        #expect(kinds.contains(.text("encoder head")) && kinds.contains(.text("cross-attention head")))
        let paths = try table(instance, "paths")
        let found = paths.filter { $0[2] != .number(0) }
        #expect(found.count == 1 && found[0][0] == .text("encoder head 0.1") && found[0][1] == .text("encoder.ln_post"))
        let agreement = try #require(try table(instance, "agreement").last)
        guard case .number(let pearson) = agreement[2] else { throw PluginError(.failed, "no number") }
        #expect(agreement[0] == .text("all") && abs(pearson - 1) < 1e-9)
        // One way back a pair.
        #expect(model.count.gradients == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("own")).isEmpty)
    }

    @Test("steers by what the other pairs differ in, and not by chance")
    func steering() throws {
        let instance = try instance(["frames": "2", "paths": "0"])
        try instance.run(pairs(), run)
        let rows = try table(instance, "steering")
        func number(_ row: [Cell], _ column: Int) -> Double {
            if case .number(let value) = row[column] { value } else { .nan }
        }
        #expect(rows.count == 2 * 4)
        for row in rows where number(row, 1) == 4 {
            // Four times the mean difference of the two others at both frames, against what has to be overcome.
            #expect(abs(number(row, 2) - 4 * 2 * 2 * 3) < 1e-4, "\(row)")
            #expect(number(row, 3) == 1 && number(row, 4) < number(row, 2))
        }
    }

    @Test("pairs come by columns in any order, and from two states as from one")
    func columnsAndStates() throws {
        let arguments = ["frames": "2", "pair": "word", "side": "kind", "steering": "false"]
        let one = try instance(arguments), clips = pairs().reversed() as [TestClip]
        try one.run(clips, run)
        let expected = try matrix(one, "frames").values
        #expect(expected.contains(1))
        let (first, second) = (try instance(arguments), try instance(arguments))
        try first.activate(run)
        for clip in clips.prefix(3) { try first.process(clip) }
        try second.activate(run)
        for clip in clips.dropFirst(3) { try second.process(clip) }
        let merged = try instance(arguments)
        try merged.activate(run)
        try merged.merge(first.save())
        try merged.merge(second.save())
        try merged.finish()
        #expect(try matrix(merged, "frames").values == expected)
        #expect(throws: TestHostError.self) { try merged.merge([1, 2, 3]) }
    }

    @Test("takes what the model writes where texts are not asked for")
    func heard() throws {
        let instance = try instance(["frames": "2", "answers": "heard", "steering": "false"])
        try instance.run(pairs(), run)
        #expect(try table(instance, "pairs").allSatisfy { $0[3] == .text("rug") && $0[4] == .text("mug") })
    }

    @Test("pairs that say nothing are told, and left out")
    func unfit() throws {
        var clips = pairs(1)
        let same = PlantedModel.clip("e", [0, 0, 0, 0, 0, 0], ["text": "say rug"])
        clips += [same, PlantedModel.clip("f", [0, 0, 0, 0, 0, 0], ["text": "say mug"])]
        clips += [same, same, same]
        let instance = try instance(["frames": "2"])
        try instance.run(clips, run)
        guard case .text(let summary) = try instance.result("summary") else { throw PluginError(.failed, "no text") }
        #expect(summary.contains("1 of 2 pairs"))
        #expect(summary.contains("the texts of both are the same") && summary.contains("e has 1 recordings"))
        #expect(try table(instance, "pairs").map { $0[8] } == [.text("yes"), .text("no")])

        let nothing = try self.instance()
        try nothing.run([], run)
        #expect(try table(nothing, "pairs").isEmpty && nothing.results.count == 2)
    }

    @Test("bad arguments and sides are refused in words")
    func refused() throws {
        #expect { try instance(["frames": "0"]) } throws: { "\($0)".contains("frames is \"0\"") }
        let sided = try instance(["side": "kind"])
        try sided.activate(run)
        #expect { try sided.process(PlantedModel.clip("g", [0, 1], ["kind": "dirty"])) } throws: {
            "\($0)".contains("expected clean or corrupted")
        }
        #expect { try sided.process(PlantedModel.clip("g", [0, .nan], ["kind": "clean"])) } throws: {
            "\($0)".contains("not finite")
        }
    }

    @Test("correlations of ranks and of numbers, with ties and without a spread")
    func correlation() {
        let monotone = Correlation([1, 2, 3, 4], [1, 8, 27, 64])
        #expect(abs(monotone.spearman - 1) < 1e-12 && monotone.pearson < 1 && monotone.sameSign == 1)
        #expect(abs(Correlation([1, 2, 2, 3], [-1, -2, -2, -3]).spearman + 1) < 1e-12)
        #expect(Correlation([1, 1, 1], [1, 2, 3]).pearson.isNaN && Correlation([1, 2], [1, 2]).pearson.isNaN)
    }
}
