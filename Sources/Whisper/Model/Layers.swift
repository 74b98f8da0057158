import Kernels

/// y = x Wᵀ + b, as `torch.nn.Linear`. The weights are packed once, when the model is loaded.
struct Linear: Sendable {
    let weight: PackedMatrix  // [out, in]
    let bias: Tensor?  // [out]

    init(
        _ weights: any WeightSource, _ name: String, inputs: Int, outputs: Int, bias: Bool = true, precision: Precision
    ) throws {
        weight = PackedMatrix(try weights.tensor("\(name).weight", shape: [outputs, inputs]), precision: precision)
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
            Parallel.blocks(of: RowBlock.count, in: rows) { block in
                let at = block.lowerBound * width
                LayerNorm.rows(x + at, into: y + at, rows: block.count, columns: width, gain: gain, bias: bias)
            }
        }
        return y
    }
}

/// The two layers of a block's MLP; the GELU between them is the block's to apply, for its two sides are hook points.
struct MLP: Sendable {
    let up: Linear  // mlp.0
    let down: Linear  // mlp.2

    init(_ weights: any WeightSource, _ name: String, width: Int, precision: Precision) throws {
        up = try Linear(weights, "\(name).0", inputs: width, outputs: 4 * width, precision: precision)
        down = try Linear(weights, "\(name).2", inputs: 4 * width, outputs: width, precision: precision)
    }
}

/// GELU of every element, in place where nobody else holds x.
func gelu(_ x: consuming Tensor) -> Tensor {
    var y = x
    let count = y.count
    y.withUnsafeMutableBufferPointer { y in
        guard let y = y.baseAddress else { return }
        Parallel.blocks(of: 1 << 16, in: count) { GELU.apply(y + $0.lowerBound, count: $0.count) }
    }
    return y
}

/// x Wᵀ + b, shared out over the threads: by rows where there are many, else by columns.
/// - Parameters:
///   - rows: rows of the result; by default those of x.
///   - rowStride: elements between the beginnings of two rows of x; rows may overlap.
func product(_ x: Tensor, _ weight: PackedMatrix, bias: Tensor?, rows: Int? = nil, rowStride: Int? = nil) -> Tensor {
    let outputs = weight.columns, inputs = weight.depth
    let rows = rows ?? x.count / inputs, rowStride = rowStride ?? inputs
    // How work is cut changes no number: an element of a product depends on its row and its column alone.
    let rowBlock = rows >= 2 * RowBlock.count ? RowBlock.count : max(rows, 1)
    let isShared = rows < 2 * RowBlock.count && rows * outputs * inputs >= 1 << 19
    let columnBlock = isShared ? 16 * weight.columnStep : max(outputs, 1)
    let columnBlocks = (outputs + columnBlock - 1) / columnBlock
    var y = Tensor(uninitialized: [rows, outputs])
    access(x, bias ?? x, x, &y) { x, b, _, y in
        Parallel.forEach((rows + rowBlock - 1) / rowBlock * columnBlocks) { task in
            let row = task / columnBlocks * rowBlock, column = task % columnBlocks * columnBlock
            weight.multiply(
                rows: min(rowBlock, rows - row), x + row * rowStride, lda: rowStride,
                columns: column..<min(outputs, column + columnBlock), bias: bias == nil ? nil : b + column,
                into: y + row * outputs + column, ldc: outputs)
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
