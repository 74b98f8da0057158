import Kernels

/// A convolution over time with three taps and one frame of zeros at either end, as `torch.nn.Conv1d(k=3, padding=1)`.
struct Convolution: Sendable {
    let weight: PackedMatrix  // [out, 3 · in], tap-major: the three frames that a row reads lie side by side
    private let bias: Tensor
    let stride: Int
    let inputs: Int
    var outputs: Int { weight.columns }

    init(_ weights: any WeightSource, _ name: String, inputs: Int, outputs: Int, stride: Int, precision: Precision)
        throws
    {
        let torch = try weights.tensor("\(name).weight", shape: [outputs, inputs, 3])
        var tapMajor = Tensor(uninitialized: [outputs, 3 * inputs])
        torch.withUnsafeBufferPointer { source in
            tapMajor.withUnsafeMutableBufferPointer { packed in
                for o in 0..<outputs {
                    for c in 0..<inputs {
                        for tap in 0..<3 {
                            packed[o * 3 * inputs + tap * inputs + c] = source[(o * inputs + c) * 3 + tap]
                        }
                    }
                }
            }
        }
        weight = PackedMatrix(tapMajor, precision: precision)
        bias = try weights.tensor("\(name).bias", shape: [outputs])
        self.stride = stride
        self.inputs = inputs
    }

    /// Rows `rows` of the result, `[rows, out]`, from all frames with the zeros around them, `[1 + frames + 1, in]`. Without
    /// im2col: a row of the product begins `stride` frames after the last.
    func callAsFunction(_ padded: FrameBuffer, rows: Range<Int>) -> Tensor {
        var y = Tensor(uninitialized: [rows.count, outputs])
        bias.withUnsafeBufferPointer { bias in
            y.withUnsafeMutableBufferPointer { y in
                Parallel.blocks(of: RowBlock.count, in: rows.count) { block in
                    weight.multiply(
                        rows: block.count, padded.row((rows.lowerBound + block.lowerBound) * stride),
                        lda: stride * inputs, bias: bias.baseAddress!,
                        into: y.baseAddress! + block.lowerBound * outputs, ldc: outputs)
                }
            }
        }
        return y
    }
}

/// Frames for a convolution to read, with a frame of zeros at either end: `[1 + count + 1, width]`.
final class FrameBuffer: @unchecked Sendable {
    // Sendable: tasks write rows of their own, and read when all have been written.
    private var memory: Tensor
    private let base: UnsafeMutablePointer<Float>
    private let width: Int

    init(count: Int, width: Int) {
        memory = Tensor(uninitialized: [count + 2, width])
        // The tensor is this object's alone, so its memory stays where it is.
        base = memory.withUnsafeMutableBufferPointer { $0.baseAddress! }
        self.width = width
        base.update(repeating: 0, count: width)
        (base + (count + 1) * width).update(repeating: 0, count: width)
    }

    /// Row `index` of those with the zeros: row 0 is zeros, row 1 the first frame.
    func row(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(base + index * width) }

    /// Puts `frames`, `[n, width]`, where the first of them is frame `first`.
    func write(_ frames: Tensor, first: Int) {
        frames.withUnsafeBufferPointer { frames in
            guard let from = frames.baseAddress else { return }
            (base + (first + 1) * width).update(from: from, count: frames.count)
        }
    }

    /// Puts the columns of a log-mel, `[n_mels, count]`, where the frames go.
    func write(transposing mel: Tensor) {
        let columns = mel.shape[1]
        mel.withUnsafeBufferPointer { mel in
            guard let mel = mel.baseAddress else { return }
            Parallel.blocks(of: 500, in: columns) { frames in
                for frame in frames {
                    let to = base + (frame + 1) * width
                    for band in 0..<width { to[band] = mel[band * columns + frame] }
                }
            }
        }
    }
}
