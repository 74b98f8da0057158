import Foundation
import TestHost
import TestSupport
import Testing

@testable import Rollout

@Suite("Gradient-weighted rollout") struct RolloutTests {
    @Test("the relevance of several blocks is R ← R + Ā R, Ā the mean of max(0, ∇A ∘ A) over heads")
    func relevance() {
        let count = 37, heads = 3, size = 37 * 37
        var generator = SeededGenerator(seed: 4)
        var found = Relevance(count: count)
        var expected = [Double](repeating: 0, count: size)
        for i in 0..<count { expected[i * count + i] = 1 }
        for _ in 0..<3 {
            let pattern: [Float] = generator.floats(heads * size, in: 0...0.1)
            let gradient: [Float] = generator.floats(heads * size)
            pattern.withUnsafeBufferPointer { pattern in
                gradient.withUnsafeBufferPointer { found.add(pattern: pattern, gradient: $0, heads: heads) }
            }
            let before = expected
            for row in 0..<count {
                for middle in 0..<count {
                    var mean: Double = 0
                    for head in 0..<heads {
                        let place: Int = head * size + row * count + middle
                        let product: Double = Double(pattern[place]) * Double(gradient[place])
                        if product > 0 { mean += product / Double(heads) }
                    }
                    for column in 0..<count {
                        expected[row * count + column] += mean * before[middle * count + column]
                    }
                }
            }
        }
        let scale: Double = expected.max() ?? 1
        let rounded: [Float] = expected.map { Float($0) }
        #expect(largestDifference(found.values, rounded) < Float(1e-6 * scale))
        let own: Double = Double(found.sources(of: 5)[5]), wanted: Double = expected[5 * count + 5] - 1
        #expect(abs(own - wanted) < 1e-6 * scale)
    }

    @Test("shares within a distance, ahead and on padding are those of the rows")
    func locality() {
        var locality = Locality()
        var row = [Float](repeating: 0, count: 100)
        (row[10], row[15], row[80]) = (1, 2, 1)
        locality.add(row, destination: 10, valid: 60)
        locality.add([Float](repeating: 0, count: 100), destination: 11, valid: 60)
        #expect(locality.rows == 1)
        // Half of it lies 5 frames away, a quarter 70.
        let distance: Double = 20.0 / 50
        #expect(abs(locality.meanDistance - distance) < 1e-12)
        let shares: [Double] = [0.25, 0.75, 0.75, 0.75, 0.75, 1, 1, 1, 1]
        #expect(locality.sharesWithin == shares)
        #expect(locality.shareAhead == 0.75 && locality.shareOfPadding == 0.25)
        var twice = locality
        twice.add(locality)
        #expect(twice.rows == 2 && twice.meanDistance == locality.meanDistance)
    }

    @Test("a map is averaged until it is small enough, its largest values cut off, with a line at the end of the audio")
    func map() {
        var relevance = Relevance(count: 200)
        var pattern = [Float](repeating: 0.01, count: 200 * 200)
        for row in 0..<200 { pattern[row * 200 + 3] = 1 }
        let ones = [Float](repeating: 1, count: 200 * 200)
        pattern.withUnsafeBufferPointer { pattern in
            ones.withUnsafeBufferPointer { relevance.add(pattern: pattern, gradient: $0, heads: 1) }
        }
        let map = RolloutMap(relevance, valid: 100, size: 50, clip: 90)
        // 125 frames are shown, three a row.
        #expect(map.count == 42 && map.step == 0.06)
        #expect(map.values[34 * 42].isNaN && map.values[34].isNaN && !map.values[33 * 42 + 33].isNaN)
        let drawn: [Double] = map.values.filter { !$0.isNaN }
        #expect(drawn.allSatisfy { abs($0 - 0.01) < 1e-6 })
        let whole = RolloutMap(relevance, valid: 100, size: 50, clip: 100)
        // One of its three columns is the sink.
        let mean: Double = 1.02 / 3
        #expect(abs(whole.values[1] - mean) < 1e-6)
    }

    // MARK: - The library that was built

    /// Frames that rest on the one `offset` before them, in two blocks of which the second has no part in the objective.
    private func clip(_ offset: Int, valid: Int = 40, hasGradient: Bool = true) -> TestClip {
        let frames = 50
        var clip = TestClip()
        clip.name = "planted.wav"
        clip.validFrames = valid
        var pattern = [Float](repeating: 0, count: 2 * frames * frames)
        for row in 0..<2 * frames { pattern[row * frames + max(0, row % frames - offset)] = 1 }
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
            var gaps: [Int] = []
            for frame in 0..<40 { gaps += [min(frame, 7), min(frame, 3)] }
            let distance: Double = Double(gaps.reduce(0, +)) / 80 / 50
            let near: Double = Double(gaps.filter { $0 <= 5 }.count) / 80
            #expect(abs(try number("distance (s)") - distance) < 1e-6)
            #expect(abs(try number("within 5") - near) < 1e-6)
            let ahead = try number("ahead"), padding = try number("padding")
            #expect(ahead == 0 && padding == 0)
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
