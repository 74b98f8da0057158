import Foundation
import TestHost
import TestSupport
import Testing

@testable import Rollout

@Suite("Gradient-weighted rollout") struct RolloutTests {
    @Test("the relevance of several blocks is R ← R + Ā R, Ā the mean of max(0, ∇A ∘ A) over heads")
    func relevance() {
        let count = 37, heads = 3
        var generator = SeededGenerator(seed: 4)
        var found = Relevance(count: count)
        var expected = (0..<count * count).map { $0 % (count + 1) == 0 ? 1.0 : 0 }
        for _ in 0..<3 {
            let pattern = generator.floats(heads * count * count, in: 0...0.1)
            let gradient = generator.floats(heads * count * count)
            pattern.withUnsafeBufferPointer { pattern in
                gradient.withUnsafeBufferPointer { found.add(pattern: pattern, gradient: $0, heads: heads) }
            }
            let mean = (0..<count * count).map { at in
                (0..<heads).reduce(0.0) { sum, head in
                    let place = head * count * count + at
                    return sum + max(0, Double(pattern[place]) * Double(gradient[place])) / Double(heads)
                }
            }
            expected = (0..<count * count).map { at in
                expected[at]
                    + (0..<count).reduce(0.0) { $0 + mean[at / count * count + $1] * expected[$1 * count + at % count] }
            }
        }
        let scale = expected.max() ?? 1
        #expect(largestDifference(found.values, expected.map(Float.init)) < 1e-6 * Float(scale))
        #expect(abs(Double(found.sources(of: 5)[5]) - (expected[5 * count + 5] - 1)) < 1e-6 * scale)
    }

    @Test("shares within a distance, ahead and on padding are those of the rows")
    func locality() {
        var locality = Locality()
        var row = [Float](repeating: 0, count: 100)
        (row[10], row[15], row[80]) = (1, 2, 1)
        locality.add(row, destination: 10, valid: 60)
        locality.add([Float](repeating: 0, count: 100), destination: 11, valid: 60)
        #expect(locality.rows == 1)
        #expect(locality.meanDistance == (0.5 * 5 + 0.25 * 70) / 50)
        #expect(locality.sharesWithin == [0.25, 0.75, 0.75, 0.75, 0.75, 1, 1, 1, 1])
        #expect(locality.shareAhead == 0.75 && locality.shareOfPadding == 0.25)
        var twice = locality
        twice.add(locality)
        #expect(twice.rows == 2 && twice.meanDistance == locality.meanDistance)
    }

    @Test("a map is averaged until it is small enough, its largest values cut off, with a line at the end of the audio")
    func map() {
        var relevance = Relevance(count: 200)
        let pattern = (0..<200 * 200).map { Float($0 % 200 == 3 ? 1 : 0.01) }
        let ones = [Float](repeating: 1, count: 200 * 200)
        pattern.withUnsafeBufferPointer { pattern in
            ones.withUnsafeBufferPointer { relevance.add(pattern: pattern, gradient: $0, heads: 1) }
        }
        let map = RolloutMap(relevance, valid: 100, size: 50, clip: 90)
        // 125 frames are shown, three a row.
        #expect(map.count == 42 && map.step == 0.06)
        #expect(map.values[34 * 42].isNaN && map.values[34].isNaN && !map.values[33 * 42 + 33].isNaN)
        #expect(map.values.filter { !$0.isNaN }.allSatisfy { abs($0 - 0.01) < 1e-6 })
        let whole = RolloutMap(relevance, valid: 100, size: 50, clip: 100)
        #expect(abs((whole.values[1] - (0.01 * 2 + 1) / 3)) < 1e-6)
    }

    // MARK: - The library that was built

    /// Frames that rest on the one `offset` before them, in two blocks of which the second has no part in the objective.
    private func clip(_ offset: Int, valid: Int = 40, hasGradient: Bool = true) -> TestClip {
        let frames = 50
        var clip = TestClip()
        clip.name = "planted.wav"
        clip.validFrames = Int64(valid)
        let pattern = (0..<2 * frames * frames).map { at -> Float in
            let query = at / frames % frames, key = at % frames
            return key == max(0, query - offset) ? 1 : 0
        }
        clip.tensors = [
            TestTensor(
                "encoder.blocks.0.attn.pattern", axes: ["head", "frame", "key_frame"], shape: [2, frames, frames],
                values: pattern, validPositions: valid),
            TestTensor(
                "encoder.blocks.1.attn.pattern", axes: ["head", "frame", "key_frame"], shape: [2, frames, frames],
                values: pattern, validPositions: valid),
        ]
        if hasGradient {
            clip.tensors.append(
                TestTensor(
                    "encoder.blocks.0.attn.pattern@grad", axes: ["head", "frame", "key_frame"],
                    shape: [2, frames, frames], values: [Float](repeating: 0.5, count: 2 * frames * frames),
                    validPositions: valid))
        }
        return clip
    }

    @Test("a planted offset is found, and the states of two runs make one")
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("rollout", in: folder.path)
        let whole = try plugin.instance(["maps": "true"])
        try whole.run([clip(7), clip(3)])
        let first = try plugin.instance(), second = try plugin.instance()
        try first.activate()
        try first.process(clip(7))
        try second.merge(first.save())
        try second.activate()
        try second.process(clip(3))
        try second.finish()
        for instance in [whole, second] {
            guard case .table(let columns, let rows) = try instance.result("locality") else {
                Issue.record("locality is no table")
                return
            }
            let row = try #require(rows.first)
            func number(_ column: String) throws -> Double {
                guard case .number(let number) = row[try #require(columns.firstIndex(of: column))] else { return .nan }
                return number
            }
            #expect(try number("frames") == 80)
            // The first frames cannot look so far back.
            let gaps = [7, 3].flatMap { offset in (0..<40).map { Double(min($0, offset)) } }
            #expect(abs(try number("distance (s)") - gaps.reduce(0, +) / 80 / 50) < 1e-6)
            #expect(abs(try number("within 5") - Double(gaps.count { $0 <= 5 }) / 80) < 1e-6)
            #expect(try number("ahead") == 0 && number("padding") == 0)
        }
        guard case .array = try whole.result("map", recording: "planted.wav") else {
            Issue.record("there is no map")
            return
        }
    }

    @Test("what it needs follows from its objective; a clip without one is passed over, and nonsense refused")
    func needs() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("rollout", in: folder.path)
        #expect(try plugin.instance().needs.hooks == ["encoder.blocks.*.attn.pattern"])
        #expect(throws: (any Error).self) { _ = try plugin.instance(["objective": " "]) }
        let instance = try plugin.instance(["objective": "transcript"])
        try instance.run([clip(7, hasGradient: false)])
        guard case .scalar(0) = try instance.result("frames") else {
            Issue.record("frames were counted")
            return
        }
        var broken = clip(1)
        broken.tensors[2] = TestTensor(
            "encoder.blocks.0.attn.pattern@grad", axes: ["head", "frame", "key_frame"], shape: [2, 5, 5],
            values: [Float](repeating: 1, count: 50), validPositions: 5)
        let other = try plugin.instance()
        try other.activate()
        #expect(throws: (any Error).self) { try other.process(broken) }
    }
}
