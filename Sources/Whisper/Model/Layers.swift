import Kernels

/// y = x Wᵀ + b, as `torch.nn.Linear`.
struct Linear: Sendable {
    let weight: Tensor  // [out, in]
    let bias: Tensor?  // [out]

    init(_ weights: any WeightSource, _ name: String, inputs: Int, outputs: Int, bias: Bool = true) throws {
        weight = try weights.tensor("\(name).weight", shape: [outputs, inputs])
        self.bias = bias ? try weights.tensor("\(name).bias", shape: [outputs]) : nil
    }

    /// [rows, in] → [rows, out]
    func callAsFunction(_ x: Tensor) -> Tensor { product(x, weight, bias: bias) }
}

/// Layer normalisation of each row, as `torch.nn.LayerNorm`.
struct Norm: Sendable {
    let gain: Tensor
    let bias: Tensor

    init(_ weights: any WeightSource, _ name: String, width: Int) throws {
        gain = try weights.tensor("\(name).weight", shape: [width])
        bias = try weights.tensor("\(name).bias", shape: [width])
    }

    /// [rows, width] → [rows, width]
    func callAsFunction(_ x: Tensor) -> Tensor {
        let rows = x.shape[0], width = x.shape[1]
        var y = Tensor(uninitialized: x.shape)
        access(x, gain, bias, &y) { x, gain, bias, y in
            Parallel.blocks(of: 64, in: rows) { block in
                let at = block.lowerBound * width
                LayerNorm.rows(x + at, into: y + at, rows: block.count, columns: width, gain: gain, bias: bias)
            }
        }
        return y
    }
}

/// A convolution over time with three taps and one frame of zeros at either end, as `torch.nn.Conv1d(k=3, padding=1)`.
struct Convolution: Sendable {
    let weight: Tensor  // [out, 3 · in], tap-major: the three frames that a row of the product reads lie side by side
    let bias: Tensor
    let stride: Int

    init(_ weights: any WeightSource, _ name: String, inputs: Int, outputs: Int, stride: Int) throws {
        let torch = try weights.tensor("\(name).weight", shape: [outputs, inputs, 3])
        var packed = Tensor(uninitialized: [outputs, 3 * inputs])
        torch.withUnsafeBufferPointer { source in
            packed.withUnsafeMutableBufferPointer { packed in
                for o in 0..<outputs {
                    for c in 0..<inputs {
                        for tap in 0..<3 {
                            packed[o * 3 * inputs + tap * inputs + c] = source[(o * inputs + c) * 3 + tap]
                        }
                    }
                }
            }
        }
        weight = packed
        bias = try weights.tensor("\(name).bias", shape: [outputs])
        self.stride = stride
    }

    /// [frames, in] → [frames / stride, out]. Without im2col: a row of the product begins `stride` frames after the last.
    func callAsFunction(_ x: Tensor) -> Tensor {
        let frames = x.shape[0], inputs = x.shape[1]
        var padded = Tensor(shape: [frames + 2, inputs])
        x.withUnsafeBufferPointer { x in
            padded.withUnsafeMutableBufferPointer { padded in
                padded.baseAddress!.advanced(by: inputs).update(from: x.baseAddress!, count: x.count)
            }
        }
        return product(padded, weight, bias: bias, rows: frames / stride, rowStride: stride * inputs)
    }
}

/// The two layers of a block's MLP; the GELU between them is the block's to apply, for its two sides are hook points.
struct MLP: Sendable {
    let up: Linear  // mlp.0
    let down: Linear  // mlp.2

    init(_ weights: any WeightSource, _ name: String, width: Int) throws {
        up = try Linear(weights, "\(name).0", inputs: width, outputs: 4 * width)
        down = try Linear(weights, "\(name).2", inputs: 4 * width, outputs: width)
    }
}

/// GELU of every element.
func gelu(_ x: Tensor) -> Tensor {
    var y = x
    let count = y.count
    y.withUnsafeMutableBufferPointer { y in
        guard let y = y.baseAddress else { return }
        Parallel.blocks(of: 1 << 15, in: count) { GELU.apply(y + $0.lowerBound, count: $0.count) }
    }
    return y
}

/// x Wᵀ + b, shared out over the threads: by rows where there are many, else by columns.
/// - Parameters:
///   - rows: rows of the result; by default those of x.
///   - rowStride: elements between the beginnings of two rows of x; rows may overlap.
func product(_ x: Tensor, _ weight: Tensor, bias: Tensor?, rows: Int? = nil, rowStride: Int? = nil) -> Tensor {
    let outputs = weight.shape[0], inputs = weight.shape[1]
    let rows = rows ?? x.count / inputs, rowStride = rowStride ?? inputs
    // The blocks are of fixed sizes, so that the result does not depend on the number of threads.
    let rowBlock = rows >= 64 ? 128 : max(rows, 1)
    let columnBlock = rows >= 64 || rows * outputs * inputs < 1 << 18 ? max(outputs, 1) : 512
    let columnBlocks = (outputs + columnBlock - 1) / columnBlock
    var y = Tensor(uninitialized: [rows, outputs])
    access(x, weight, bias ?? weight, &y) { x, w, b, y in
        Parallel.forEach((rows + rowBlock - 1) / rowBlock * columnBlocks) { task in
            let row = task / columnBlocks * rowBlock, column = task % columnBlocks * columnBlock
            let m = min(rowBlock, rows - row), n = min(columnBlock, outputs - column)
            let out = y + row * outputs + column
            MatrixProduct.multiply(
                m: m, n: n, k: inputs, x + row * rowStride, lda: rowStride, w + column * inputs, ldb: inputs, .columns,
                into: out, ldc: outputs)
            if bias != nil { Elementwise.addBias(b + column, to: out, rows: m, columns: n, stride: outputs) }
        }
    }
    return y
}

/// Opens three tensors for reading and one for writing. None of them may be empty.
private func access(
    _ a: Tensor, _ b: Tensor, _ c: Tensor, _ out: inout Tensor,
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
) {
    guard a.count > 0, b.count > 0, out.count > 0 else { return }
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            c.withUnsafeBufferPointer { c in
                out.withUnsafeMutableBufferPointer { out in
                    body(a.baseAddress!, b.baseAddress!, c.baseAddress!, out.baseAddress!)
                }
            }
        }
    }
}
