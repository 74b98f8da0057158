/// Sums and products of elements.
public enum Elementwise {
    /// y += x, `count` elements.
    public static func add(
        _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        if let table = implementation.table { return table.add(x, y, count) }
        for i in 0..<count { y[i] += x[i] }
    }

    /// y = x · factor, `count` elements; y may be x.
    public static func scale(
        _ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        if let table = implementation.table { return table.scale(x, factor, y, count) }
        for i in 0..<count { y[i] = x[i] * factor }
    }

    /// Adds `bias` (`columns` elements) to each of `rows` rows of y, `stride` apart.
    public static func addBias(
        _ bias: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int,
        using implementation: KernelImplementation = .current
    ) {
        for row in 0..<rows { add(bias, to: y + row * stride, count: columns, using: implementation) }
    }
}

extension Tensor {
    /// Adds `other` in place, element by element.
    public mutating func add(_ other: Tensor) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let count = count
        withUnsafeMutableBufferPointer { y in
            other.withUnsafeBufferPointer { x in
                guard let x = x.baseAddress, let y = y.baseAddress else { return }
                Elementwise.add(x, to: y, count: count)
            }
        }
    }
}
