import Kernels
import TestSupport
import Testing

/// Products in fewer bits: of every form that runs here, against the plain one.
@Suite struct PrecisionTests {
    static let sizes = [
        (1, 1, 1), (1, 300, 64), (2, 1, 9), (3, 17, 5), (5, 51, 384), (33, 70, 128), (50, 32, 192), (4, 33, 64),
        (17, 33, 15), (13, 64, 150), (7, 130, 1537),
    ]
    static let cases = KernelImplementation.available.flatMap { form in sizes.map { (form, $0) } }

    private struct Problem {
        let rows: Int, columns: Int, depth: Int
        var a: [Float], weight: [Float], bias: [Float]

        init(_ size: (Int, Int, Int), seed: UInt64 = 1) {
            (rows, columns, depth) = size
            var generator = SeededGenerator(seed: seed + UInt64(rows * 1000 + columns * 10 + depth))
            // Rows and columns of very different size: each has a scale of its own.
            let a = generator.floats(rows * depth), weight = generator.floats(columns * depth)
            self.a = a.indices.map { a[$0] * Float(1 << ($0 / size.2 % 11)) }
            self.weight = weight.indices.map { weight[$0] / Float(1 << ($0 / size.2 % 7)) }
            bias = generator.floats(columns)
        }

        func product(_ precision: Precision, _ form: KernelImplementation, lda: Int? = nil) -> [Float] {
            var c = [Float](repeating: .nan, count: rows * columns)
            PackedMatrix(Tensor(shape: [columns, depth], weight), precision: precision, for: form).multiply(
                rows: rows, a, lda: depth, bias: bias, into: &c, ldc: columns)
            return c
        }
    }

    @Test("every form gives the plain form's numbers in int8, to the bit", arguments: cases)
    func sameBits(form: KernelImplementation, size: (Int, Int, Int)) {
        let problem = Problem(size)
        #expect(problem.product(.int8, form).map(\.bitPattern) == problem.product(.int8, .reference).map(\.bitPattern))
    }

    @Test("int8 is near the exact product", arguments: cases)
    func near(form: KernelImplementation, size: (Int, Int, Int)) {
        let problem = Problem(size)
        let exact = problem.product(.exact, form), rounded = problem.product(.int8, form)
        for row in 0..<problem.rows {
            for column in 0..<problem.columns {
                let a = problem.a[row * problem.depth..<(row + 1) * problem.depth]
                let b = problem.weight[column * problem.depth..<(column + 1) * problem.depth]
                // Each factor is off by at most half a step of its scale.
                let (x, y) = (a.map(\.magnitude).max()!, b.map(\.magnitude).max()!)
                let bound = zip(a, b).reduce(Float(1e-5)) {
                    $0 + ($1.0.magnitude * y + $1.1.magnitude * x) / 254 + x * y / 254 / 254
                }
                let place = row * problem.columns + column
                #expect((exact[place] - rounded[place]).magnitude <= bound)
            }
        }
    }

    @Test("whole numbers up to 127 are multiplied exactly, at the ends of the range too", arguments: cases)
    func wholeNumbers(form: KernelImplementation, size: (Int, Int, Int)) {
        var problem = Problem(size)
        var generator = SeededGenerator(seed: 9)
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map {
                // Every row and column has the largest number, so that its scale is 1; many are at an end.
                $0 % size.2 == 0 ? 127 : [127, -127, 0, Float(Int.random(in: -127...127, using: &generator))][$0 % 4]
            }
        }
        problem.a = numbers(problem.rows * problem.depth)
        problem.weight = numbers(problem.columns * problem.depth)
        problem.bias = problem.bias.map { _ in 0 }
        let found = problem.product(.int8, form)
        for place in found.indices {
            let (row, column) = (place / problem.columns, place % problem.columns)
            let sum = (0..<problem.depth).reduce(0) {
                $0 + Int(problem.a[row * problem.depth + $1]) * Int(problem.weight[column * problem.depth + $1])
            }
            #expect(found[place] == Float(sum))
        }
    }

    @Test("the longest sums of the largest numbers have room", arguments: KernelImplementation.available)
    func largestSums(form: KernelImplementation) {
        let depth = 20480
        for sign in [Float(1), -1] {
            let weight = Tensor(shape: [2, depth], repeatElement(sign, count: 2 * depth))
            var c: [Float] = [0, 0]
            PackedMatrix(weight, precision: .int8, for: form).multiply(
                rows: 1, [Float](repeating: 1, count: depth), lda: depth, bias: nil, into: &c, ldc: 2)
            let scale = Float(1) / 127
            #expect(c.allSatisfy { $0 == sign * Float(127 * 127 * depth) * scale * scale })
        }
    }

    @Test(
        "rows and columns of zeros, or of numbers next to nothing, give the bias",
        arguments: KernelImplementation.available)
    func zeros(form: KernelImplementation) {
        for tiny in [Float(0), -0, 1e-38, .leastNonzeroMagnitude] {
            var problem = Problem((3, 20, 37))
            for k in 0..<37 { problem.a[37 + k] = tiny }
            for k in 0..<37 { problem.weight[5 * 37 + k] = tiny }
            let found = problem.product(.int8, form)
            #expect(Array(found[20..<40]) == problem.bias)
            #expect((0..<3).allSatisfy { found[$0 * 20 + 5] == problem.bias[5] })
        }
    }

    @Test(
        "what is not a number, or infinite, makes its row not a number, and no other",
        arguments: KernelImplementation.available)
    func notANumber(form: KernelImplementation) {
        for strange in [Float.nan, .infinity, -.infinity] {
            for place in [0, 20, 36] {
                var problem = Problem((3, 20, 37))
                let before = problem.product(.int8, form)
                problem.a[37 + place] = strange
                let found = problem.product(.int8, form)
                #expect(found[20..<40].allSatisfy { $0.isNaN })
                #expect(found[..<20] == before[..<20] && found[40...] == before[40...])
            }
        }
    }

    @Test("some columns, and one row of many, give the numbers of the whole", arguments: KernelImplementation.available)
    func parts(form: KernelImplementation) {
        // A processor may have VNNI and not bfloat16.
        let hasBF16 = ![.avx512vnni, .avx512amx].contains(form) || Precision.bf16.refusal == nil
        for precision in hasBF16 ? [Precision.int8, .bf16] : [.int8] {
            let problem = Problem((9, 150, 96))
            let matrix = PackedMatrix(Tensor(shape: [150, 96], problem.weight), precision: precision, for: form)
            let whole = problem.product(precision, form), step = matrix.columnStep
            let columns = 2 * step..<min(150, 3 * step + step / 2 + 1)
            var c = [Float](repeating: 0, count: columns.count)
            for row in 0..<9 {
                problem.a.withUnsafeBufferPointer { a in
                    problem.bias.withUnsafeBufferPointer { bias in
                        matrix.multiply(
                            rows: 1, a.baseAddress! + row * 96, lda: 96, columns: columns,
                            bias: bias.baseAddress! + columns.lowerBound, into: &c, ldc: columns.count)
                    }
                }
                #expect(c == Array(whole[row * 150 + columns.lowerBound..<row * 150 + columns.upperBound]))
            }
        }
    }

    @Test(
        "weights are read back within half a step, from a quarter of the memory",
        arguments: KernelImplementation.available)
    func weights(form: KernelImplementation) {
        let problem = Problem((1, 70, 96))
        let matrix = PackedMatrix(Tensor(shape: [70, 96], problem.weight), precision: .int8, for: form)
        var row = [Float](repeating: 0, count: 96)
        for column in [0, 31, 69] {
            matrix.copyWeights(ofColumn: column, into: &row)
            let given = problem.weight[column * 96..<(column + 1) * 96]
            let largest = given.map(\.magnitude).max()!
            #expect(largestDifference(row, given) <= largest / 253)
        }
        guard form != .reference else { return }
        let exact = PackedMatrix(Tensor(shape: [70, 96], problem.weight), for: form).byteCount
        #expect(matrix.byteCount < exact / 3, "\(matrix.byteCount) of \(exact)")
    }

    @Test("bfloat16 multiplies the nearest numbers of bfloat16, ties to even, and sums in float32", arguments: cases)
    func bf16(form: KernelImplementation, size: (Int, Int, Int)) {
        // A processor without the instruction has the same arithmetic in others; what it is for is refused elsewhere.
        guard ![.avx512vnni, .avx512amx].contains(form) || Precision.bf16.refusal == nil else { return }
        let problem = Problem(size)
        func nearest(_ x: Float) -> Double {
            let step = Float(sign: .plus, exponent: x.exponent - 7, significand: 1)
            return Double((x / step).rounded(.toNearestOrEven) * step)
        }
        let found = problem.product(.bf16, form)
        for place in found.indices {
            let (row, column) = (place / problem.columns, place % problem.columns)
            var (sum, size) = (Double(problem.bias[column]), 1.0)
            for k in 0..<problem.depth {
                let term =
                    nearest(problem.a[row * problem.depth + k]) * nearest(problem.weight[column * problem.depth + k])
                (sum, size) = (sum + term, size + term.magnitude)
            }
            #expect((Double(found[place]) - sum).magnitude < 2e-6 * size)
        }
    }

    @Test(
        "keys in int8 give every form's scores to the bit, near the exact ones",
        arguments: KernelImplementation.available)
    func scores(form: KernelImplementation) {
        var generator = SeededGenerator(seed: 4)
        let k = generator.floats(97 * 24), v = generator.floats(97 * 24), q = generator.floats(5 * 24)
        func scores(_ precision: Precision, _ form: KernelImplementation) -> [Float] {
            let memory = HeadMemory(positions: 97, heads: 2, width: 12, precision: precision, for: form)
            // In blocks that end within panels.
            for first in stride(from: 0, to: 97, by: 3 * form.rowStep) {
                let rows = first..<min(97, first + 3 * form.rowStep)
                memory.write(
                    keys: Array(k[rows.lowerBound * 24..<rows.upperBound * 24]),
                    values: Array(v[rows.lowerBound * 24..<rows.upperBound * 24]), first: first, count: rows.count)
            }
            var all: [Float] = []
            for head in 0..<2 {
                var out = [Float](repeating: 0, count: 5 * 97)
                q.withUnsafeBufferPointer {
                    memory.scores(
                        head: head, $0.baseAddress! + head * 12, ldq: 24, rows: 5, factor: 0.25, into: &out, stride: 97)
                }
                all += out
            }
            return all
        }
        let found = scores(.int8, form)
        #expect(found == scores(.int8, .reference))
        #expect(largestDifference(found, scores(.exact, form)) < 0.03)
    }

    @Test("bf16 is refused with what is missing; exact and int8 never")
    func refusal() {
        #expect(Precision.bf16.refusal(hasBF16: false, form: .avx2)?.contains("avx512_bf16") == true)
        #expect(Precision.bf16.refusal(hasBF16: true, form: .avx2)?.contains("avx2") == true)
        #expect(Precision.bf16.refusal(hasBF16: true, form: .avx512vnni) == nil)
        #expect(Precision.bf16.refusal(hasBF16: true, form: .avx512amx) == nil)
        for precision in [Precision.exact, .int8] {
            #expect(precision.refusal(hasBF16: false, form: .reference) == nil && precision.refusal == nil)
        }
        #expect(Precision.available.contains(.bf16) == (Precision.bf16.refusal == nil))
    }
}
