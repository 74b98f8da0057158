import Foundation
import Kernels
import TestSupport
import Testing

/// Every form of every operation against plain double precision arithmetic, at awkward lengths and unaligned.
@Suite struct RowOperationTests {
    static let cases = KernelImplementation.available.flatMap { form in awkwardLengths.map { (form, $0) } }

    @Test("GELU is x Φ(x), its negative side as near as its positive one", arguments: cases)
    func gelu(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        let x = generator.floats(length + 1, in: -8...8)
        var y = x
        // One element in, so that vector loads are unaligned.
        y.withUnsafeMutableBufferPointer { GELU.apply($0.baseAddress! + 1, count: length, using: form) }
        let expected = x.dropFirst().map { value -> Float in
            Float(0.5 * Double(value) * erfc(-Double(value) / 2.0.squareRoot()))
        }
        // A unit in the last place of numbers below 8; of what is below 0 no more than 0.17 is left.
        #expect(largestDifference(y.dropFirst(), expected) < 5e-7)
        let below = y.indices.dropFirst().filter { x[$0] < 0 }
        #expect(largestDifference(below.map { y[$0] }, below.map { expected[$0 - 1] }) < 8e-8)
        #expect(y[0] == x[0])
    }

    @Test("softmax sums to one and orders as its input", arguments: cases)
    func softmax(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) + 7)
        let rows = 3, stride = length + 5
        let x = generator.floats(rows * stride, in: -30...30)
        var y = x
        y.withUnsafeMutableBufferPointer {
            Softmax.rows($0.baseAddress!, rows: rows, columns: length, stride: stride, using: form)
        }
        for row in 0..<rows {
            let input = x[row * stride..<row * stride + length].map(Double.init)
            let output = y[row * stride..<row * stride + length]
            let largest = input.max() ?? 0
            let sum = input.reduce(0) { $0 + exp($1 - largest) }
            #expect(largestDifference(output, input.map { Float(exp($0 - largest) / sum) }) < 1e-6)
            // What lies between the rows is not touched.
            #expect(y[row * stride + length..<(row + 1) * stride] == x[row * stride + length..<(row + 1) * stride])
        }
    }

    @Test("softmax gives a masked element exactly nothing", arguments: KernelImplementation.available)
    func maskedSoftmax(form: KernelImplementation) {
        for length in [1, 5, 8, 19] {
            var y = Array(repeating: -Float.infinity, count: length)
            y[length / 2] = 3
            y.withUnsafeMutableBufferPointer {
                Softmax.rows($0.baseAddress!, rows: 1, columns: length, stride: length, using: form)
            }
            #expect(y.enumerated().allSatisfy { $1 == ($0 == length / 2 ? 1 : 0) })

            var nothing = Array(repeating: -Float.infinity, count: length)
            nothing.withUnsafeMutableBufferPointer {
                Softmax.rows($0.baseAddress!, rows: 1, columns: length, stride: length, using: form)
            }
            #expect(nothing.allSatisfy { $0 == 0 })
        }
    }

    @Test("layer normalisation survives a mean a thousand times its deviation", arguments: cases)
    func layerNorm(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) + 11)
        let x = generator.floats(2 * length).map { $0 + 1000 }
        let gain = generator.floats(length), bias = generator.floats(length)
        var y = Array(repeating: Float.nan, count: 2 * length)
        y.withUnsafeMutableBufferPointer { y in
            guard let y = y.baseAddress else { return }
            LayerNorm.rows(x, into: y, rows: 2, columns: length, gain: gain, bias: bias, using: form)
        }
        for row in 0..<2 {
            let input = x[row * length..<(row + 1) * length].map(Double.init)
            let mean = input.reduce(0, +) / Double(max(length, 1))
            let variance = input.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(length, 1))
            let expected = input.indices.map { i in
                Float((input[i] - mean) / (variance + 1e-5).squareRoot() * Double(gain[i]) + Double(bias[i]))
            }
            // float32 holds 1000 to 6e-5; the sum of a row's roundings moves its mean by as much.
            #expect(largestDifference(y[row * length..<(row + 1) * length], expected) < 5e-4)
        }
    }
}
