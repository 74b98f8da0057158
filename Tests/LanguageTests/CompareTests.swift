import Foundation
import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Compare

@Suite("Compare")
struct CompareTests {
    private func table(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw PluginError(.failed, "no table") }
        return rows.map { Dictionary(zip(columns, $0)) { first, _ in first } }
    }

    private func number(_ cell: Cell?) -> Double { if case .number(let number) = cell { number } else { .nan } }

    // MARK: - The mathematics

    /// Linear CKA by the rows' products, as its paper defines it: HSIC of centred Gram matrices.
    private func plainAlignment(_ x: [Float], _ y: [Float], widths: (Int, Int)) -> Double {
        func gram(_ values: [Float], _ width: Int) -> [[Double]] {
            let rows = values.count / width
            let mean = (0..<width).map { column in
                (0..<rows).reduce(0.0) { $0 + Double(values[$1 * width + column]) } / Double(rows)
            }
            let centred = (0..<rows).map { row in (0..<width).map { Double(values[row * width + $0]) - mean[$0] } }
            return centred.map { one in centred.map { other in zip(one, other).reduce(0) { $0 + $1.0 * $1.1 } } }
        }
        let k = gram(x, widths.0), l = gram(y, widths.1)
        func product(_ a: [[Double]], _ b: [[Double]]) -> Double {
            zip(a, b).reduce(0) { $0 + zip($1.0, $1.1).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        return product(k, l) / (product(k, k) * product(l, l)).squareRoot()
    }

    private func alignment(_ x: [Float], _ y: [Float], _ widths: (Int, Int)) -> Double {
        let (a, b) = (Columns(x, width: widths.0), Columns(y, width: widths.1))
        return KernelAlignment.linear(a, b, sizes: (KernelAlignment.size(a), KernelAlignment.size(b)))
    }

    @Test("linear CKA is that of the Gram matrices; a rotation, a scale and a shift change nothing")
    func kernelAlignment() {
        var generator = SeededGenerator(seed: 1)
        let x: [Float] = generator.floats(60 * 5), y: [Float] = generator.floats(60 * 7)
        #expect(abs(alignment(x, y, (5, 7)) - plainAlignment(x, y, widths: (5, 7))) < 1e-5)
        let (c, s) = (Float(cos(0.7)), Float(sin(0.7)))
        let turned = (0..<60).flatMap { row -> [Float] in
            var own = Array(x[row * 5..<row * 5 + 5])
            (own[0], own[3]) = (c * own[0] - s * own[3], s * own[0] + c * own[3])
            return own.map { 3 * $0 + 2 }
        }
        #expect(abs(alignment(x, turned, (5, 5)) - 1) < 1e-5)
        #expect(alignment(x, [Float](repeating: 2, count: 120), (5, 2)).isNaN)
    }

    @Test("ridge regression solves its equations, and with a small penalty finds the map")
    func ridge() {
        var generator = SeededGenerator(seed: 2)
        let rows = 200, x: [Float] = generator.floats(rows * 6)
        let map = (0..<12).map { Float($0) / 5 - 1 }
        var y: [Float] = []
        for row in 0..<rows {
            for column in 0..<2 {
                var sum: Float = 0
                for k in 0..<6 { sum += x[row * 6 + k] * map[k * 2 + column] }
                y.append(sum)
            }
        }
        let (a, b) = (Columns(x, width: 6), Columns(y, width: 2))
        let found = Ridge.fit(a, b, penalty: 1e-9)
        for (own, expected) in zip(found, map) { #expect(abs(own - Double(expected)) < 1e-4) }
        // (XᵀX / n + λ) W = XᵀY / n.
        let penalised = Ridge.fit(a, b, penalty: 0.3), square = a.product(a), right = a.product(b)
        for row in 0..<6 {
            for column in 0..<2 {
                var left: Double = 0.3 * penalised[row * 2 + column]
                for k in 0..<6 { left += Double(square[row * 6 + k]) / Double(rows) * penalised[k * 2 + column] }
                let wanted: Double = Double(right[row * 2 + column]) / Double(rows)
                #expect(abs(left - wanted) < 1e-5)
            }
        }
    }

    @Test("neurons that were put elsewhere, one turned about, are found again, and are one another's best")
    func matches() {
        var generator = SeededGenerator(seed: 3)
        let rows = 300, x: [Float] = generator.floats(rows * 4)
        let places = [2, 0, 3, 1]
        var y: [Float] = []
        for row in 0..<rows {
            for place in places {
                let noise: Float = 0.05 * Float.random(in: -1...1, using: &generator)
                let sign: Float = place == 3 ? -2 : 1
                y.append(sign * x[row * 4 + place] + noise)
            }
        }
        let found = NeuronMatches(
            Columns(x, width: 4, standardised: true), Columns(y, width: 4, standardised: true))
        #expect(found.matches.count == 4 && found.mutualShare == 1 && found.share(0.9) == 1)
        for match in found.matches {
            #expect(places[match.other] == match.own)
            #expect(match.own == 3 ? match.correlation < -0.99 : match.correlation > 0.99)
        }
        // Pearson's, by hand.
        let first = found.matches.first { $0.own == 0 }
        let (a, b) = ((0..<rows).map { Double(x[$0 * 4]) }, (0..<rows).map { Double(y[$0 * 4 + 1]) })
        let (meanA, meanB) = (a.reduce(0, +) / Double(rows), b.reduce(0, +) / Double(rows))
        var (product, squareA, squareB) = (0.0, 0.0, 0.0)
        for (one, other) in zip(a, b) {
            product += (one - meanA) * (other - meanB)
            squareA += (one - meanA) * (one - meanA)
            squareB += (other - meanB) * (other - meanB)
        }
        let wanted: Double = product / (squareA * squareB).squareRoot()
        #expect(abs((first?.correlation ?? 0) - wanted) < 1e-5)
    }

    // MARK: - The library that was built

    /// A model that hears the samples' first number of a frame as an angle: two hook points of 6 numbers. In the other model they are turned,
    /// in the second place, and the first is noise.
    private func clip(_ recording: UInt64, name: String, isOther: Bool) -> TestClip {
        var clip = TestClip()
        (clip.recording, clip.name, clip.validFrames) = (recording, name, 40)
        let number = UInt64(name.utf8.reduce(0) { $0 + Int($1) })
        var sound = SeededGenerator(seed: number)
        let frames = (0..<40).map { _ in Float.random(in: -1...1, using: &sound) }
        clip.samples = frames.flatMap { [Float](repeating: $0, count: 320) }
        clip.labels = ["speaker": "s\(number % 10)"]
        clip.phonemes = frames.enumerated().map { place, value in
            (Double(place) / 50, Double(place + 1) / 50, value > 0.3 ? "AA1" : value < -0.3 ? "S" : "sil")
        }
        var noise = SeededGenerator(seed: number + (isOther ? 1000 : 2000))
        var heard: [Float] = []
        for value in frames {
            let own: [Float] = (1...6).map { sin(Float($0) * value) }
            heard += isOther ? [own[1], -own[0], own[5], own[2], own[3], own[4]] : own
        }
        let random: [Float] = noise.floats(40 * 6)
        let layers: [[Float]] = isOther ? [random, heard] : [heard, random]
        for (place, values) in layers.enumerated() {
            clip.tensors.append(
                TestTensor("encoder.blocks.\(place)", axes: ["frame", "state"], shape: [40, 6], values: values))
        }
        return clip
    }

    private let arguments = ["frames": "20", "least": "5", "count": "3"]
    private let names = (0..<12).map { "voice\($0)\($0 * 7 % 5).wav" }

    @Test(
        "two runs over the same sound, in another order and shared out: the layer that is alike, its neurons, its probe"
    )
    func planted() throws {
        let folder = try TemporaryFolder(), path = folder("first.safetensors")
        let plugin = try TestPlugin.built("compare", in: folder.path)
        let writer = try plugin.instance(arguments.merging(["out": path]) { $1 })
        #expect(writer.needs.hooks == ["encoder.blocks.*"] && writer.needs.flags == 1 << 1)
        var run = TestRun()
        run.model = "first"
        try writer.run(names.enumerated().map { clip(UInt64($0), name: $1, isOther: true) }, run)
        guard case .scalar(240) = try writer.result("frames") else { throw PluginError(.failed, "not 240 frames") }
        #expect(throws: TestHostError.self) { try writer.result("cka") }
        run.model = "second"
        let reading = arguments.merging(["with": path]) { $1 }
        let clips = names.reversed().enumerated().map { clip(UInt64($0), name: $1, isOther: false) }
        let whole = try plugin.instance(reading)
        try whole.run(clips, run)
        let first = try plugin.instance(reading), second = try plugin.instance(reading)
        try first.activate(run)
        for clip in clips[..<5] { try first.process(clip) }
        try second.merge(first.save())
        try second.activate(run)
        for clip in clips[5...] { try second.process(clip) }
        try second.finish()
        for instance in [whole, second] {
            guard case .array(let values, [2, 2]) = try instance.result("cka") else {
                throw PluginError(.failed, "no matrix")
            }
            #expect(abs(values[1] - 1) < 1e-4 && values[0] < 0.3 && values[3] < 0.3)
            let layers = try table(instance.result("layers"))
            #expect(layers[0]["most like"] == "encoder.blocks.1" && number(layers[0]["null"]) < 0.3)
            #expect(abs(number(layers[0]["mean correlation"]) - 1) < 1e-4 && number(layers[0]["mutual"]) == 1)
            #expect(number(layers[0]["null correlation"]) < 0.4)
            let neurons = try table(instance.result("neurons"))
            #expect(neurons.count == 6)
            let probe = try #require(table(instance.result("probes")).first)
            #expect(number(probe["classes"]) == 2 && number(probe["own"]) > 0.95)
            #expect(number(probe["other's own"]) > 0.95 && number(probe["carried"]) > 0.95)
            #expect(number(probe["null"]) < number(probe["carried"]))
        }
    }

    @Test("a shared dictionary is told where it is asked for, and more active latents than there are is refused")
    func shared() throws {
        let folder = try TemporaryFolder(), path = folder("first.safetensors")
        let plugin = try TestPlugin.built("compare", in: folder.path)
        let writer = try plugin.instance(arguments.merging(["out": path]) { $1 })
        try writer.run(names.enumerated().map { clip(UInt64($0), name: $1, isOther: true) })
        let asked = ["with": path, "crosscoder": "24", "active": "2", "steps": "40"]
        let instance = try plugin.instance(arguments.merging(asked) { $1 })
        try instance.run(names.enumerated().map { clip(UInt64($0), name: $1, isOther: false) })
        let rows = try table(instance.result("crosscoder"))
        #expect(rows.count == 2 && rows[0]["other hook"] == "encoder.blocks.1")
        // Two of twelve recordings are judged by.
        #expect(number(rows[0]["trained"]) == 200 && number(rows[0]["judged"]) == 40)
        #expect(number(rows[0]["latents"]) == 24 && number(rows[0]["explained"]) > number(rows[0]["null explained"]))
        guard case .array(let shares, [2, 20]) = try instance.result("crosscoder-share") else {
            throw PluginError(.failed, "no matrix")
        }
        #expect(shares[..<20].reduce(0, +) == number(rows[0]["living"]))
        #expect(try table(instance.result("latents")).allSatisfy { (0.3...0.7).contains(number($0["share"])) })
        #expect { try plugin.instance(["crosscoder": "8", "active": "9"]) } throws: { "\($0)".contains("active is 9") }
        let without = try plugin.instance(arguments.merging(["with": path]) { $1 })
        try without.run(names.enumerated().map { clip(UInt64($0), name: $1, isOther: false) })
        #expect(throws: TestHostError.self) { try without.result("crosscoder") }
    }

    @Test(
        "without a file hook points are compared with one another; a file of other sound, or of none, is refused in words"
    )
    func refused() throws {
        let folder = try TemporaryFolder(), path = folder("a.safetensors")
        let plugin = try TestPlugin.built("compare", in: folder.path)
        let alone = try plugin.instance(arguments)
        try alone.run(names.prefix(4).enumerated().map { clip(UInt64($0), name: $1, isOther: false) })
        #expect(try table(alone.result("layers"))[0]["most like"] == "encoder.blocks.1")
        let writer = try plugin.instance(arguments.merging(["out": path]) { $1 })
        try writer.run([clip(0, name: "elsewhere", isOther: true)])
        let stranger = try plugin.instance(arguments.merging(["with": path]) { $1 })
        #expect { try stranger.run([clip(0, name: "here", isOther: false)]) } throws: {
            "\($0)".contains("shares 0 of 20")
        }
        #expect { try plugin.instance(["with": path, "out": path]) } throws: { "\($0)".contains("both") }
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.dropLast(8).write(to: URL(fileURLWithPath: path))
        let damaged = try plugin.instance(["with": path])
        #expect(throws: TestHostError.self) { try damaged.activate() }
        try Data("no tensors".utf8).write(to: URL(fileURLWithPath: path))
        let none = try plugin.instance(["with": path])
        #expect(throws: TestHostError.self) { try none.activate() }
        var flat = clip(0, name: "x", isOther: false)
        flat.tensors[0].axes = ["head", "frame"]
        let instance = try plugin.instance(arguments)
        try instance.activate()
        #expect { try instance.process(flat) } throws: { "\($0)".contains("frames first") }
        #expect(throws: TestHostError.self) { try instance.merge(Array("damaged".utf8)) }
        let silent = try plugin.instance(arguments)
        try silent.run([])
        #expect(silent.log.contains { $0.contains("no sound") })
    }

    @Test("which frames are taken depends on the sound alone, and is a sample without repetition")
    func frames() {
        let sound = (0..<100).map { Float($0) / 100 }
        let digest = sound.withUnsafeBufferPointer(ActivationSample.digest)
        let chosen = ActivationSample.chosen(digest: digest, of: 50, count: 10)
        #expect(chosen.count == 10 && chosen == Set(chosen).sorted() && chosen.allSatisfy { (0..<50).contains($0) })
        #expect(chosen == ActivationSample.chosen(digest: digest, of: 50, count: 10))
        var other = sound
        other[50] += 0.001
        let others = ActivationSample.chosen(
            digest: other.withUnsafeBufferPointer(ActivationSample.digest), of: 50, count: 10)
        #expect(chosen != others)
        #expect(ActivationSample.chosen(digest: digest, of: 3, count: 10) == [0, 1, 2])
    }

    @Test("labels that are rare are left out, and speakers stay together")
    func division() throws {
        let labels = (0..<40).map { $0 % 2 == 0 ? "a" : $0 == 39 ? "rare" : "b" },
            groups = (0..<40).map { "s\($0 % 4)" }
        let rows = try #require(CarriedProbe.Rows(labels, groups: groups, least: 5))
        #expect(rows.classCount == 2 && !rows.train.contains(39) && !rows.test.contains(39))
        #expect(Set(rows.train.map { groups[$0] }).isDisjoint(with: rows.test.map { groups[$0] }))
        #expect(CarriedProbe.Rows(labels, groups: labels.map { _ in "one" }, least: 5) == nil)
        #expect(CarriedProbe.Rows(["a", "a"], groups: ["x", "y"], least: 1) == nil)
    }
}
