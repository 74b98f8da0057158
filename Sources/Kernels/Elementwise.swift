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

    /// y += factor · x, `count` elements.
    public static func addScaled(
        _ x: UnsafePointer<Float>, by factor: Float, to y: UnsafeMutablePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        if let table = implementation.learning { return table.addScaled(x, factor, y, count) }
        for i in 0..<count { y[i] += factor * x[i] }
    }

    /// Σ xᵢ yᵢ.
    public static func dot(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) -> Float {
        if let table = implementation.table {
            var sum: Float = 0
            table.dots(x, y, count, nil, 1, count, &sum)
            return sum
        }
        return Float((0..<count).reduce(0.0) { $0 + Double(x[$1]) * Double(y[$1]) })
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
