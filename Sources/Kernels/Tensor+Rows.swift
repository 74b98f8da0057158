// Parts of tensors: rows, positions along an axis, and what is put behind them.

extension Tensor {
    /// Rows `range` along the first axis, copied: `[rows, …]` to `[range.count, …]`.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(rank >= 1 && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
        let stride = shape.dropFirst().reduce(1, *)
        var out = Tensor(uninitialized: [range.count] + shape.dropFirst())
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { destination in
                guard !range.isEmpty, stride > 0 else { return }
                destination.baseAddress!.update(
                    from: source.baseAddress! + range.lowerBound * stride, count: range.count * stride)
            }
        }
        return out
    }

    /// The rows `indices`, in that order: `[n, width]` to `[indices.count, width]`.
    public func gathered(_ indices: [Int]) -> Tensor {
        let width = shape[1]
        var out = Tensor(uninitialized: [indices.count, width])
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { out in
                for (row, index) in indices.enumerated() {
                    precondition((0..<shape[0]).contains(index), "row \(index) of \(shape)")
                    (out.baseAddress! + row * width).update(from: source.baseAddress! + index * width, count: width)
                }
            }
        }
        return out
    }

    /// The first `count` columns of a matrix, and zeros in place of the others: `[rows, n]` as it was.
    public func zeroed(afterColumn count: Int) -> Tensor {
        precondition(rank == 2 && (0...shape[1]).contains(count), "\(count) columns of \(shape)")
        guard count < shape[1] else { return self }
        return prefix(count, axis: 1).padded(columns: shape[1])
    }

    /// A matrix with zeros behind each row: `[rows, n]` to `[rows, columns]`.
    public func padded(columns: Int) -> Tensor {
        precondition(rank == 2 && shape[1] <= columns, "\(shape) padded to \(columns) columns")
        guard shape[1] < columns else { return self }
        let width = shape[1]
        var out = Tensor(shape: [shape[0], columns])
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { out in
                for row in 0..<shape[0] {
                    for column in 0..<width { out[row * columns + column] = source[row * width + column] }
                }
            }
        }
        return out
    }
}

// MARK: - Positions along an axis

extension Tensor {
    /// The first `count` positions along `axis`, the other axes whole.
    public func prefix(_ count: Int, axis: Int) -> Tensor {
        if count == shape[axis] { return self }
        var shape = shape
        shape[axis] = count
        return positions(count, axis: axis, into: shape) { from, to, inner in
            to.update(from: from, count: count * inner)
        }
    }

    /// The greatest of the first `count` positions along `axis`, which goes; 0 where there are none.
    public func maximum(ofFirst count: Int, axis: Int) -> Tensor {
        reduced(count, axis: axis) { out, next, width in
            for i in 0..<width where next[i] > out[i] { out[i] = next[i] }
        }
    }

    /// The mean of the first `count` positions along `axis`, which goes; 0 where there are none.
    public func mean(ofFirst count: Int, axis: Int) -> Tensor {
        var out = reduced(count, axis: axis) { out, next, width in for i in 0..<width { out[i] += next[i] } }
        guard count > 0 else { return out }
        out.withUnsafeMutableBufferPointer { out in for i in out.indices { out[i] /= Float(count) } }
        return out
    }

    /// Takes the positions together, one after another.
    private func reduced(
        _ count: Int, axis: Int,
        _ add: (_ out: UnsafeMutablePointer<Float>, _ next: UnsafePointer<Float>, _ width: Int) -> Void
    ) -> Tensor {
        var shape = shape
        shape.remove(at: axis)
        return positions(count, axis: axis, into: shape) { from, to, inner in
            to.update(from: from, count: inner)
            for row in 1..<count { add(to, from + row * inner, inner) }
        }
    }

    /// A tensor of `shape` filled from the first `count` positions along `axis`, at least one, for each index of the axes before it.
    private func positions(
        _ count: Int, axis: Int, into shape: [Int],
        _ body: (_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ inner: Int) -> Void
    ) -> Tensor {
        precondition((0...self.shape[axis]).contains(count), "\(count) positions along axis \(axis) of \(self.shape)")
        let outer = self.shape[..<axis].reduce(1, *), inner = self.shape[(axis + 1)...].reduce(1, *)
        var out = Tensor(shape: shape)
        guard count > 0, inner > 0 else { return out }
        let stride = self.shape[axis] * inner, written = out.count / max(1, outer)
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { out in
                for index in 0..<outer {
                    body(source.baseAddress! + index * stride, out.baseAddress! + index * written, inner)
                }
            }
        }
        return out
    }
}
