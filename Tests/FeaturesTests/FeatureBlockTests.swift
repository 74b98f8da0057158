import PluginDraws
import Testing

@testable import Features

@Suite("The inner loops of a scan") struct FeatureBlockTests {
    /// Numbers of many magnitudes, with ties and zeros of both signs.
    private static func values(_ count: Int, _ draws: inout SplitMix) -> [Float] {
        (0..<count).map { _ in
            switch draws.next() % 8 {
            case 0: 0
            case 1: -0.0
            case 2: Float(Int(draws.next() % 5)) - 2
            case 3: draws.noise() * 1e-30
            case 4: draws.noise() * 1e9
            default: draws.noise()
            }
        }
    }

    @Test(
        "what features come to side by side is what each comes to alone, to the bit",
        arguments: [1, 2, 3, 4, 5, 7, 101, 1500])
    func figures(frames: Int) {
        var draws = SplitMix(seed: UInt64(frames))
        for features in [1, 3, 4, 31, 32, 33, 70] {
            let values = Self.values(frames * features, &draws)
            let block = FeatureBlock(frames: frames)
            for start in stride(from: 0, to: features, by: FeatureBlock.width) {
                let count = min(FeatureBlock.width, features - start)
                values.withUnsafeBufferPointer { block.read($0, features: features, from: start, count: count) }
                for index in 0..<count {
                    let row = (0..<frames).map { values[$0 * features + start + index] }
                    #expect(block.row(index).map(\.bitPattern) == row.map(\.bitPattern))
                    let (found, expected) = (block.figures[index], Self.alone(row))
                    #expect(found.sum.bitPattern == expected.sum.bitPattern)
                    #expect(found.square.bitPattern == expected.square.bitPattern)
                    #expect(found.active == expected.active)
                    #expect(found.high.bitPattern == expected.high.bitPattern)
                    #expect(found.low.bitPattern == expected.low.bitPattern)
                    #expect(found.highFrame == expected.highFrame && found.lowFrame == expected.lowFrame)
                }
            }
        }
    }

    private static func alone(_ row: [Float]) -> FeatureBlock.Figures {
        var figures = FeatureBlock.Figures()
        (figures.high, figures.low) = (row[0], row[0])
        for (frame, value) in row.enumerated() {
            figures.sum += Double(value)
            figures.square += Double(value) * Double(value)
            if value > 0 { figures.active += 1 }
            if value > figures.high { (figures.high, figures.highFrame) = (value, frame) }
            if value < figures.low { (figures.low, figures.lowFrame) = (value, frame) }
        }
        return figures
    }

    @Test("half precision of many numbers is that of each: rounded to even, small ones too, large ones the largest")
    func halves() {
        // Every exponent and sign, with parts of the significand around all roundings.
        var patterns: [UInt32] = []
        for upper in UInt32(0)..<1 << 13 {
            for lower: UInt32 in [0, 1, 0xfff, 0x1000, 0x1001, 0x7_ffff, 0x8_0000, 0x8_1000, 0x5_3000, 0x7_efff] {
                patterns.append(upper << 19 | lower)
            }
        }
        var draws = SplitMix(seed: 5)
        for _ in 0..<500_000 { patterns.append(UInt32(truncatingIfNeeded: draws.next())) }
        let values = patterns.map { Float(bitPattern: $0) }.filter(\.isFinite)
        var bits = [UInt16](repeating: 0, count: values.count)
        values.withUnsafeBufferPointer { values in
            bits.withUnsafeMutableBufferPointer { bits in
                guard let from = values.baseAddress, let to = bits.baseAddress else { return }
                Half.convert(from, count: values.count, to: to)
            }
        }
        #expect(bits == values.map(Half.bits))
    }

    @Test("the cut of each cell is the upper half of its last key, after counting, growing and moving")
    func cuts() {
        var draws = SplitMix(seed: 11)
        let cells = Cells(features: 2, cells: 8, depth: 3)
        let other = Cells(features: 2, cells: 8, depth: 3)
        for _ in 0..<200 {
            let (feature, cell) = (Int(draws.next() % 2), Int(draws.next() % 8))
            let target = draws.next() % 4 == 0 ? other : cells
            let start = (feature * 8 + cell) * 3
            if let keys = target.keys.slice(start, 3).baseAddress,
                let values = target.values.slice(start, 3).baseAddress
            {
                Cells.insert(draws.next(), 1, keys, values, depth: 3)
            }
            target.counts[feature * 8 + cell] += 1
            target.noteKeys(cell, of: feature)
            if draws.next() % 9 == 0 { cells.move(max(1, cell), of: feature, to: cell / 2) }
            if draws.next() % 9 == 0 { cells.add(cell, of: feature, from: other, to: 7 - cell) }
            for place in 0..<16 { #expect(cells.cuts[place] == Cells.cut(cells.keys[place * 3 + 2])) }
        }
    }

    @Test("rows of a sample that is cut stay with their keys, whatever order they came in")
    func sample() {
        var draws = SplitMix(seed: 2)
        let sample = FrameSample(features: 3, limit: 40, perSound: 5)
        var values: [UInt64: [UInt16]] = [:]
        for frame in 0..<3000 {
            let (key, sound) = (draws.next(), Int32(draws.next() % 7) - 1)
            guard sample.wants(key, sound: sound) else { continue }
            let row = (0..<3).map { _ in UInt16(truncatingIfNeeded: draws.next()) }
            values[key] = row
            _ = sample.row(sample.append(key, sound: sound)).update(fromContentsOf: row)
            if sample.isFull || frame % 700 == 0 { sample.shrink() }
            if frame % 100 == 0 {
                for index in 0..<sample.count { #expect(Array(sample.row(index)) == values[sample.keys[index]]) }
            }
        }
        sample.shrink()
        #expect(sample.keys == sample.keys.sorted() && sample.count >= 40)
        for index in 0..<sample.count { #expect(Array(sample.row(index)) == values[sample.keys[index]]) }
    }
}
