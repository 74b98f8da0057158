import Kernels

// Vector-Jacobian products of the layers. Weights have no gradient here, so what is linear reads nothing of the pass.

extension Linear {
    /// [rows, out] → [rows, in]
    func backward(_ g: Tensor) -> Tensor {
        var h = Tensor(uninitialized: [g.shape[0], weight.depth])
        backward(g, into: &h, accumulating: false)
        return h
    }

    /// The same, added to what other layers that read the same x have given.
    func backward(_ g: Tensor, addingTo h: inout Tensor) { backward(g, into: &h, accumulating: true) }

    private func backward(_ g: Tensor, into h: inout Tensor, accumulating: Bool) {
        let rows = h.shape[0]
        g.withUnsafeBufferPointer { g in
            h.withUnsafeMutableBufferPointer { h in
                guard let g = g.baseAddress, let h = h.baseAddress else { return }
                weight.multiplyBackward(rows: rows, g, into: h, accumulating: accumulating)
            }
        }
    }
}

extension PackedMatrix {
    /// Of the logits, `[tokens, n_vocab]`, with respect to what was unembedded, `[tokens, state]`.
    func unembeddingBackward(_ g: Tensor) -> Tensor {
        var h = Tensor(uninitialized: [g.shape[0], depth])
        let rows = g.shape[0]
        g.withUnsafeBufferPointer { g in
            h.withUnsafeMutableBufferPointer { h in
                guard let g = g.baseAddress, let h = h.baseAddress else { return }
                multiplyBackward(rows: rows, g, into: h)
            }
        }
        return h
    }
}

extension Norm {
    /// [rows, width] → [rows, width]
    /// - Parameter x: what was normalised.
    func backward(_ g: Tensor, at x: Tensor) -> Tensor {
        let rows = g.shape[0], width = g.shape[1]
        var h = Tensor(uninitialized: g.shape)
        g.withUnsafeBufferPointer { g in
            x.withUnsafeBufferPointer { x in
                gain.withUnsafeBufferPointer { gain in
                    h.withUnsafeMutableBufferPointer { h in
                        guard let g = g.baseAddress, let x = x.baseAddress, let gain = gain.baseAddress,
                            let h = h.baseAddress
                        else { return }
                        Parallel.blocks(of: RowBlock.count, in: rows) { block in
                            let at = block.lowerBound * width
                            LayerNorm.backward(
                                g + at, at: x + at, into: h + at, rows: block.count, columns: width, gain: gain)
                        }
                    }
                }
            }
        }
        return h
    }
}

/// Of ``gelu(_:)``, in place where nobody else holds g.
/// - Parameter x: what GELU was given.
func geluBackward(_ g: consuming Tensor, at x: Tensor) -> Tensor {
    var h = g
    let count = h.count
    h.withUnsafeMutableBufferPointer { h in
        x.withUnsafeBufferPointer { x in
            guard let h = h.baseAddress, let x = x.baseAddress else { return }
            Parallel.blocks(of: 1 << 16, in: count) {
                GELU.backward(h + $0.lowerBound, at: x + $0.lowerBound, count: $0.count)
            }
        }
    }
    return h
}
