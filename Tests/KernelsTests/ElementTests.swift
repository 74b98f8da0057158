import Foundation
import TestSupport
import Testing

@testable import Kernels

/// Numbers at which arithmetic goes wrong.
private let extremes: [Float] = [
    0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, 1e-40,
    1e30, -1e30, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1, 0.1, 16_777_217,
]

/// Each form that runs here, with its operations, at lengths around its width.
private let cases = KernelImplementation.available.flatMap { form in awkwardLengths.map { (form, $0) } }
private let forms = KernelImplementation.available

/// Whether two numbers are one: the same bits, or both NaN.
private func isSame(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }

@Suite("Operations over elements, in every form")
struct ElementTests {
    /// A sample of random numbers with extremes strewn in; one element in, so that loads are unaligned.
    private func sample(_ length: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return generator.floats(length + 2, in: -10...10).enumerated().map { i, value in
            (i + Int(seed)) % 3 == 0 ? extremes[(i / 3 + Int(seed)) % extremes.count] : value
        }
    }

    // One operation an element, as IEEE 754 has it: every form gives the same bits.

    @Test("a sum is exact, and what lies beside it stays", arguments: cases)
    func add(form: KernelImplementation, length: Int) {
        for seed in UInt64(0)..<7 {
            let x = sample(length, seed: seed), y = sample(length, seed: seed + 100)
            var sum = y
            x.withUnsafeBufferPointer { x in
                sum.withUnsafeMutableBufferPointer {
                    Elementwise.add(x.baseAddress! + 1, to: $0.baseAddress! + 1, count: length, using: form)
                }
            }
            for i in 0..<length + 2 {
                #expect(isSame(sum[i], (1...length + 1).contains(i) && i <= length ? y[i] + x[i] : y[i]))
            }
        }
    }

    @Test("a product with a number is exact, in place or not", arguments: cases)
    func scale(form: KernelImplementation, length: Int) {
        for factor in [Float(0.1), 0, -0.0, -1e30, .infinity, 1e-40] {
            let x = sample(length, seed: UInt64(length))
            var (apart, inPlace) = ([Float](repeating: -7, count: length + 2), x)
            x.withUnsafeBufferPointer { x in
                apart.withUnsafeMutableBufferPointer {
                    Elementwise.scale(
                        x.baseAddress! + 1, by: factor, into: $0.baseAddress! + 1, count: length, using: form)
                }
            }
            inPlace.withUnsafeMutableBufferPointer {
                Elementwise.scale(
                    $0.baseAddress! + 1, by: factor, into: $0.baseAddress! + 1, count: length, using: form)
            }
            #expect(apart[0] == -7 && apart[length + 1] == -7 && isSame(inPlace[length + 1], x[length + 1]))
            for i in 1..<length + 1 {
                #expect(isSame(apart[i], x[i] * factor) && isSame(inPlace[i], x[i] * factor))
            }
        }
    }

    @Test("a bias is added to each row and to nothing between", arguments: cases)
    func addBias(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: 3)
        let bias = generator.floats(length), stride = length + 3
        let before = generator.floats(4 * stride)
        var y = before
        y.withUnsafeMutableBufferPointer {
            Elementwise.addBias(bias, to: $0.baseAddress!, rows: 4, columns: length, stride: stride, using: form)
        }
        for i in y.indices { #expect(y[i] == before[i] + (i % stride < length ? bias[i % stride] : 0)) }
    }

    @Test("GELU of extremes is what its definition gives, to a rounding of either side", arguments: forms)
    func geluOfExtremes(form: KernelImplementation) {
        for shift in 0..<extremes.count {
            let x = (0..<extremes.count).map { extremes[($0 + shift) % extremes.count] }
            var y = x
            GELU.apply(&y, count: y.count, using: form)
            for (value, x) in zip(y, x) {
                if x.isNaN {
                    #expect(value.isNaN)
                } else if x == .infinity {
                    #expect(value == .infinity)
                } else if x.isFinite {
                    let expected = 0.5 * Double(x) * erfc(-Double(x) / 2.0.squareRoot())
                    // A rounding of the result; what is below it is e^(−x²/2), to 4e-7, times a fit that is within 3e-10, and is no
                    // longer followed beyond x = −12.5, where it is 5e-35; subnormal numbers have a digit of 1.4e-45.
                    let below = abs(Double(x)) * 0.5 * erfc(abs(Double(x)) / 2.0.squareRoot())
                    let limit = 6e-8 * abs(expected) + 6e-7 * below + 1e-9 + 1.5e-45
                    #expect(
                        abs(Double(value) - expected) <= limit || !Float(expected).isFinite, "GELU(\(x)) = \(value)")
                }
                // −∞ · 0 is no number; the vector forms stop before they come to it.
            }
        }
    }
}

@Suite("Operations over rows, in every form")
struct RowExtremeTests {
    private func softmax(_ x: [Float], _ form: KernelImplementation) -> [Float] {
        var y = x
        y.withUnsafeMutableBufferPointer {
            Softmax.rows($0.baseAddress!, rows: 1, columns: x.count, stride: x.count, using: form)
        }
        return y
    }

    @Test(
        "softmax of one great number among small ones is 1 there, and exactly 0 where float32 has nothing",
        arguments: cases)
    func softmaxOfGreat(form: KernelImplementation, length: Int) {
        guard length > 0 else { return }
        for (great, small) in [
            (Float(1e30), Float(-1e30)), (0, -.infinity), (1e30, 0), (100, -100), (-1e30, -.infinity),
        ] {
            for place in Set([0, length / 2, length - 1]) {
                var x = [Float](repeating: small, count: length)
                x[place] = great
                let y = softmax(x, form)
                for i in y.indices { #expect(y[i] == (i == place ? 1 : 0), "\(form), \(length), \(great), \(small)") }
            }
        }
    }

    @Test("softmax of equal numbers is one over their count, whatever they are", arguments: cases)
    func softmaxOfEqual(form: KernelImplementation, length: Int) {
        guard length > 0 else { return }
        for value in [Float(0), -0.0, 1e30, -1e30, .leastNonzeroMagnitude, 1e-40, .greatestFiniteMagnitude] {
            let y = softmax([Float](repeating: value, count: length), form)
            // A sum of ones is exact up to 2^24; then one division and one product.
            for value in y { #expect(abs(value * Float(length) - 1) <= 2.4e-7) }
        }
    }

    @Test("softmax of differences near the end of float32's exponents falls as the exponential does", arguments: forms)
    func softmaxOfSmall(form: KernelImplementation) {
        let x = (0..<41).map { -85 - Float($0) / 10 } + [0]
        let y = softmax(x, form)
        // The exponential's, and two roundings. Without fused products its argument is rounded once more, at a size of 60.
        let limit = form == .blas ? 6e-6 : 6e-7
        for (value, x) in zip(y, x) {
            let expected = exp(Double(x))
            // Below e^−87.3 kernels give 0, and the plain form subnormal numbers.
            if x < -87.3 {
                #expect(value >= 0 && Double(value) <= expected * 1.01)
            } else {
                #expect(abs(Double(value) - expected) <= limit * expected)
            }
        }
    }

    @Test("layer normalisation of a row without deviation is the bias", arguments: cases)
    func layerNormOfEqual(form: KernelImplementation, length: Int) {
        guard length > 0 else { return }
        var generator = SeededGenerator(seed: 5)
        let gain = generator.floats(length), bias = generator.floats(length)
        for value in [Float(0), -0.0, 3, 1e-40, .leastNonzeroMagnitude] {
            var y = [Float](repeating: value, count: length + 1)
            y[length] = -7
            y.withUnsafeMutableBufferPointer {
                LayerNorm.rows(
                    $0.baseAddress!, into: $0.baseAddress!, rows: 1, columns: length, gain: gain, bias: bias,
                    using: form)
            }
            // The mean of 1501 threes is off by some units of 3's last place, and 1/√ε is 316.
            #expect(largestDifference(y[..<length], bias) <= (value == 3 ? 1e-3 : 1e-6))
            #expect(y[length] == -7)
        }
    }

    @Test("a number that is none spoils its own row of a layer normalisation, and no other", arguments: forms)
    func layerNormOfNaN(form: KernelImplementation) {
        var generator = SeededGenerator(seed: 6)
        let columns = 21
        let gain = generator.floats(columns), bias = generator.floats(columns)
        for bad in [Float.nan, .infinity, -.infinity] {
            var x = generator.floats(3 * columns)
            let sound = x
            x[columns + 4] = bad
            func rows(_ x: [Float]) -> [Float] {
                var y = [Float](repeating: 0, count: x.count)
                LayerNorm.rows(x, into: &y, rows: 3, columns: columns, gain: gain, bias: bias, using: form)
                return y
            }
            let (y, expected) = (rows(x), rows(sound))
            #expect(y[columns..<2 * columns].contains { $0.isNaN })
            for i in y.indices where i / columns != 1 { #expect(y[i] == expected[i]) }
        }
    }
}

@Suite("Sums and maxima of a row, in every form")
struct RowReductionTests {
    private static let lengths = awkwardLengths + [2047, 2048, 2049, 4100]
    private static let all = KernelImplementation.available.flatMap { form in lengths.map { (form, $0) } }

    @Test("the largest is found wherever it stands, and is −∞ of nothing", arguments: all)
    func largest(form: KernelImplementation, length: Int) {
        guard let table = form.table else { return }
        let x = [Float](repeating: -1e30, count: length + 1)
        #expect(table.largest([], 0) == -.infinity)
        guard length > 0 else { return }
        for place in Set([0, 1, length / 3, length / 2, length - 1]) where place < length {
            var x = x
            x[place] = -3
            x[length] = 5
            #expect(table.largest(x, length) == -3)
            x[place] = .infinity
            #expect(table.largest(x, length) == .infinity)
        }
        #expect(table.largest([Float](repeating: -.infinity, count: length), length) == -.infinity)
    }

    @Test("a sum of exponentials is that of the definition to 1e-6, and −∞ adds nothing", arguments: all)
    func sum(form: KernelImplementation, length: Int) {
        guard let table = form.table else { return }
        var generator = SeededGenerator(seed: UInt64(length))
        var x = generator.floats(length + 2, in: -90...0)
        if length > 5 { x[3] = -.infinity; x[4] = -1e30 }
        let sum = x.withUnsafeBufferPointer { table.sumOfExponentials($0.baseAddress! + 1, length, 0) }
        let expected = x[1..<length + 1].reduce(0.0) { $0 + exp(Double($1)) }
        // The exponential's 2e-7, and 2048 / width additions of one chain.
        #expect(abs(sum - expected) <= 1e-6 * expected + 1e-37)
        #expect(table.sumOfExponentials([-.infinity, -.infinity], 2, 0) == 0)
    }
}

@Suite("Products with rows that lie anywhere, in every form")
struct GatheredRowTests {
    private static let all = KernelImplementation.available.flatMap { form in
        [0, 1, 3, 7, 8, 9, 15, 16, 17, 64, 65].flatMap { width in [0, 1, 2, 5].map { (form, width, $0) } }
    }

    @Test("equal the definition, read nothing between the rows, and may name a row twice", arguments: all)
    func definition(form: KernelImplementation, width: Int, count: Int) {
        var generator = SeededGenerator(seed: UInt64(width * 10 + count))
        let stride = width + 3
        var x = generator.floats(7 * stride)
        for i in x.indices where i % stride >= width { x[i] = .nan }
        let a = generator.floats(width), weights = generator.floats(count)
        let rows = (0..<count).map { Int32([6, 0, 0, 3, 5][$0]) }
        var dots = [Float](repeating: -7, count: count + 1), sum = [Float](repeating: -7, count: width + 1)
        rows.withUnsafeBufferPointer { rows in
            GatheredRows.dots(a, x, stride: stride, rows: rows, width: width, into: &dots, using: form)
            GatheredRows.weightedSum(weights, x, stride: stride, rows: rows, width: width, into: &sum, using: form)
        }
        // Rounding of as many products of numbers below 1.
        for (i, row) in rows.enumerated() {
            let expected = (0..<width).reduce(0.0) { $0 + Double(a[$1]) * Double(x[Int(row) * stride + $1]) }
            #expect(abs(Double(dots[i]) - expected) <= 6e-8 * Double(width + 1))
        }
        for k in 0..<width {
            let expected = rows.enumerated().reduce(0.0) {
                $0 + Double(weights[$1.offset]) * Double(x[Int($1.element) * stride + k])
            }
            #expect(abs(Double(sum[k]) - expected) <= 6e-8 * Double(count + 1))
        }
        #expect(dots[count] == -7 && sum[width] == -7)
        guard let table = form.table else { return }
        // Without numbers, the first rows in their order: the same as with them, to the bit.
        var (numbered, plain) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
        table.dots(a, x, stride, (0..<count).map(Int32.init), count, width, &numbered)
        table.dots(a, x, stride, nil, count, width, &plain)
        #expect(numbered == plain)
    }
}
