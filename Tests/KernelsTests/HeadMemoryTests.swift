import Foundation
import Kernels
import TestSupport
import Testing

/// Keys and values in the layout of each form, against plain sums in double.
@Suite struct HeadMemoryTests {
    static let cases = KernelImplementation.available.flatMap { form in
        [(1, 1, 8), (5, 2, 12), (48, 3, 8), (97, 2, 40), (150, 1, 64)].map { (form, $0) }
    }

    @Test("scores are scaled dot products and z the weighted sums, of one query and of many", arguments: cases)
    func products(form: KernelImplementation, shape: (positions: Int, heads: Int, width: Int)) {
        let (positions, heads, width) = shape
        var generator = SeededGenerator(seed: UInt64(positions * 100 + width))
        let state = heads * width
        let k = generator.floats(positions * state, in: -1...1), v = generator.floats(positions * state, in: -1...1)
        let memory = HeadMemory(positions: positions, heads: heads, width: width, for: form)
        // In blocks, as the encoder's tasks write them, that end within panels.
        for first in stride(from: 0, to: positions, by: 3 * form.rowStep) {
            let count = min(3 * form.rowStep, positions - first)
            memory.write(
                keys: Array(k[first * state..<(first + count) * state]),
                values: Array(v[first * state..<(first + count) * state]), first: first, count: count)
        }
        for rows in [1, 2, 7] {
            let q = generator.floats(rows * state, in: -1...1)
            for head in 0..<heads {
                for stride in [positions, memory.scoreStride] {
                    var scores = [Float](repeating: 7, count: rows * stride),
                        z = [Float](repeating: 0, count: rows * state)
                    q.withUnsafeBufferPointer {
                        memory.scores(
                            head: head, $0.baseAddress! + head * width, ldq: state, rows: rows, factor: 0.25,
                            into: &scores, stride: stride)
                    }
                    z.withUnsafeMutableBufferPointer {
                        memory.weighted(
                            head: head, scores, stride: stride, rows: rows, into: $0.baseAddress! + head * width,
                            ldz: state)
                    }
                    for row in 0..<rows {
                        for i in 0..<positions {
                            let exact = (0..<width).reduce(0.0) {
                                $0 + Double(q[row * state + head * width + $1])
                                    * Double(k[i * state + head * width + $1])
                            }
                            #expect(abs(Double(scores[row * stride + i]) - 0.25 * exact) < 1e-5)
                        }
                        for c in 0..<width {
                            let exact = (0..<positions).reduce(0.0) {
                                $0 + Double(scores[row * stride + $1]) * Double(v[$1 * state + head * width + c])
                            }
                            // A sum of so many products of numbers below 1, each rounded once or twice.
                            #expect(
                                abs(Double(z[row * state + head * width + c]) - exact) < 1e-6 * Double(positions + 10))
                        }
                    }
                }
            }
        }
    }

    @Test(
        "a query alone gives the numbers that it gives among others, to the bit",
        arguments: KernelImplementation.available)
    func oneAmongMany(form: KernelImplementation) {
        guard form != .blas else { return }  // OpenBLAS has other kernels for vectors.
        var generator = SeededGenerator(seed: 3)
        let k = generator.floats(100 * 16, in: -1...1), q = generator.floats(7 * 16, in: -1...1)
        let memory = HeadMemory(positions: 100, heads: 1, width: 16, for: form)
        memory.write(keys: k, values: k, first: 0, count: 100)
        var all = [Float](repeating: 0, count: 700), one = [Float](repeating: 0, count: 100)
        memory.scores(head: 0, q, ldq: 16, rows: 7, factor: 0.5, into: &all, stride: 100)
        for row in 0..<7 {
            q.withUnsafeBufferPointer {
                memory.scores(
                    head: 0, $0.baseAddress! + row * 16, ldq: 16, rows: 1, factor: 0.5, into: &one, stride: 100)
            }
            #expect(one == Array(all[row * 100..<(row + 1) * 100]))
        }
    }

    @Test(
        "a part of the keys gives the scores that all give, and where the others weigh nothing the same sums, to the bit",
        arguments: KernelImplementation.available, [0..<1, 5..<40, 180..<200, 300..<650, 650..<701, 0..<701])
    func part(form: KernelImplementation, keys: Range<Int>) {
        let (positions, heads, width) = (701, 2, 40), state = heads * width
        var generator = SeededGenerator(seed: UInt64(keys.lowerBound + 7))
        let k = generator.floats(positions * state, in: -1...1), v = generator.floats(positions * state, in: -1...1)
        let memory = HeadMemory(positions: positions, heads: heads, width: width, for: form)
        memory.write(keys: k, values: v, first: 0, count: positions)
        let part = memory.part(around: keys)
        #expect(
            part.lowerBound <= keys.lowerBound && part.upperBound >= keys.upperBound && part.upperBound <= positions)
        for rows in [1, 7] {
            let q = generator.floats(rows * state, in: -1...1)
            for head in 0..<heads {
                var all = [Float](repeating: 7, count: rows * positions)
                var some = [Float](repeating: 7, count: rows * part.count)
                var sums = [Float](repeating: 7, count: rows * width), partSums = sums
                q.withUnsafeBufferPointer {
                    let q = $0.baseAddress! + head * width
                    memory.scores(head: head, q, ldq: state, rows: rows, factor: 0.5, into: &all, stride: positions)
                    memory.scores(
                        head: head, q, ldq: state, rows: rows, factor: 0.5, keys: part, into: &some, stride: part.count)
                }
                for row in 0..<rows {
                    let first = row * positions + part.lowerBound
                    #expect(
                        Array(some[row * part.count..<(row + 1) * part.count])
                            == Array(all[first..<first + part.count]))
                    for key in 0..<positions where !keys.contains(key) { all[row * positions + key] = 0 }
                    for key in part where !keys.contains(key) { some[row * part.count + key - part.lowerBound] = 0 }
                }
                memory.weighted(head: head, all, stride: positions, rows: rows, into: &sums, ldz: width)
                memory.weighted(
                    head: head, some, stride: part.count, rows: rows, keys: part, into: &partSums, ldz: width)
                #expect(sums == partSums)
            }
        }
    }
}
