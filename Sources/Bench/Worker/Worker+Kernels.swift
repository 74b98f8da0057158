import Foundation
import Kernels

extension Worker {
    /// One kernel on the calling thread, again and again for a twentieth of a second; the time of one call. What it works
    /// on is put back before each call, outside the time: GELU of GELU of … would end among denormals.
    func kernel(_ work: Work) throws -> WorkReply {
        let name = try needed(work.kernel, "kernel"), sizes = try needed(work.sizes, "sizes")
        guard sizes.allSatisfy({ (1...1 << 20).contains($0) }), sizes.reduce(1.0, { $0 * Double($1) }) < 1e11 else {
            throw BenchError("a kernel of the sizes \(sizes)")
        }
        guard let operation = Operation(rawValue: name), sizes.count == operation.rank else {
            throw BenchError("no kernel '\(name)' of \(sizes.count) extents")
        }
        var bench = KernelBench(operation, sizes)
        return WorkReply(seconds: bench.time())
    }

    enum Operation: String {
        /// C[m, n] = A[m, k] · B with B [n, k], as weights lie; sizes m, n, k.
        case product
        /// The same with B [k, n].
        case productRows = "product_rows"
        /// The same as `product` with weights that were packed before, and that are kept in 16 bits where the form does that.
        case packed
        /// Rows and columns.
        case gelu, softmax
        case layerNorm = "layer_norm"

        var rank: Int { [.product, .productRows, .packed].contains(self) ? 3 : 2 }
    }
}

/// The memory of one kernel, and its calls.
private struct KernelBench {
    let operation: Worker.Operation
    let sizes: [Int]
    private let source: [Float]
    private let other: [Float]
    private var target: [Float]
    private let packed: PackedMatrix?

    init(_ operation: Worker.Operation, _ sizes: [Int]) {
        self.operation = operation
        self.sizes = sizes
        let counts =
            operation.rank == 3
            ? (sizes[0] * sizes[2], sizes[1] * sizes[2], sizes[0] * sizes[1])
            : (sizes[0] * sizes[1], sizes[1], sizes[0] * sizes[1])
        // −1 … 1, no two neighbours alike, each a number of half precision, as released weights are.
        func numbers(_ count: Int) -> [Float] { (0..<count).map { Float(($0 &* 7919) % 1009 - 504) / 512 } }
        source = numbers(counts.0)
        other = numbers(counts.1)
        target = [Float](repeating: 0, count: counts.2)
        packed = operation == .packed ? PackedMatrix(Tensor(shape: [sizes[1], sizes[2]], other)) : nil
    }

    mutating func time() -> Double {
        var total = 0.0, calls = 0
        once()
        while total < 0.05, calls < 10_000 {
            restore()
            total += seconds { once() }
            calls += 1
        }
        return total / Double(calls)
    }

    private mutating func restore() {
        guard operation == .gelu || operation == .softmax else { return }
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                guard let from = source.baseAddress else { return }
                target.baseAddress?.update(from: from, count: target.count)
            }
        }
    }

    private mutating func once() {
        let (rows, columns) = (sizes[0], sizes[1])
        source.withUnsafeBufferPointer { a in
            other.withUnsafeBufferPointer { b in
                target.withUnsafeMutableBufferPointer { c in
                    guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
                    switch operation {
                    case .product:
                        MatrixProduct.multiply(
                            m: rows, n: columns, k: sizes[2], a, lda: sizes[2], b, ldb: sizes[2], .columns, into: c,
                            ldc: columns)
                    case .productRows:
                        MatrixProduct.multiply(
                            m: rows, n: columns, k: sizes[2], a, lda: sizes[2], b, ldb: columns, .rows, into: c,
                            ldc: columns)
                    case .packed:
                        packed?.multiply(rows: rows, a, lda: sizes[2], bias: nil, into: c, ldc: columns)
                    case .gelu: GELU.apply(c, count: rows * columns)
                    case .softmax: Softmax.rows(c, rows: rows, columns: columns, stride: columns)
                    case .layerNorm: LayerNorm.rows(a, into: c, rows: rows, columns: columns, gain: b, bias: b)
                    }
                }
            }
        }
    }
}
