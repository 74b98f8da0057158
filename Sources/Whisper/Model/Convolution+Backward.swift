import Kernels

extension Convolution {
    /// [rows, out] → [frames, in], where the convolution made `rows` of so many frames.
    func backward(_ g: Tensor, frames: Int) -> Tensor {
        // What each row read lies side by side: three frames, the first of them one before its own.
        let rows = g.shape[0], taps = 3
        var windows = Tensor(uninitialized: [rows, taps * inputs])
        var h = Tensor(shape: [frames, inputs])
        g.withUnsafeBufferPointer { g in
            windows.withUnsafeMutableBufferPointer { windows in
                guard let g = g.baseAddress, let windows = windows.baseAddress else { return }
                weight.multiplyBackward(rows: rows, g, into: windows)
            }
        }
        windows.withUnsafeBufferPointer { windows in
            h.withUnsafeMutableBufferPointer { h in
                guard let windows = windows.baseAddress, let h = h.baseAddress else { return }
                Parallel.blocks(of: 64, in: frames) { block in
                    for frame in block {
                        // Rows that read it: their first tap lies at stride · row − 1.
                        for tap in 0..<taps {
                            let at = frame + 1 - tap
                            guard at >= 0, at % stride == 0, at / stride < rows else { continue }
                            Elementwise.add(
                                windows + (at / stride * taps + tap) * inputs, to: h + frame * inputs, count: inputs)
                        }
                    }
                }
            }
        }
        return h
    }
}
