import Foundation

/// Softmax of rows: exp(xᵢ − max) / Σ exp(xⱼ − max). An element of −∞ becomes exactly 0.
public enum Softmax {
    /// Replaces each of `rows` rows of `columns` elements, `stride` apart, by its softmax.
    /// A row that is −∞ throughout becomes zeros: nothing may be attended to.
    public static func rows(
        _ x: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int,
        using implementation: KernelImplementation = .current
    ) {
        assert(stride >= columns)
        guard columns > 0 else { return }
        for row in 0..<rows {
            switch implementation {
            case .reference: reference(x + row * stride, columns)
            case .simd: simd(x + row * stride, columns)
            }
        }
    }

    private static func reference(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        var largest = -Float.infinity
        for i in 0..<count { largest = max(largest, x[i]) }
        guard largest > -.infinity else { return x.update(repeating: 0, count: count) }
        var sum = 0.0
        for i in 0..<count { sum += exp(Double(x[i]) - Double(largest)) }
        for i in 0..<count { x[i] = Float(exp(Double(x[i]) - Double(largest)) / sum) }
    }

    private static func simd(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        let body = count & ~(vectorWidth - 1)
        var maxima = Vector(repeating: -.infinity)
        var i = 0
        while i < body {
            maxima = maximum(maxima, load(x + i))
            i &+= vectorWidth
        }
        let tail = loadTail(x + body, count - body)
        let largest = horizontalMaximum(maximum(maxima, tail))
        guard largest > -.infinity else { return x.update(repeating: 0, count: count) }

        let shift = Vector(repeating: largest)
        var sums = Vector(repeating: 0)
        i = 0
        while i < body {
            let e = exponential(load(x + i) - shift)
            store(e, x + i)
            sums += e
            i &+= vectorWidth
        }
        let tailExp = exponential(tail - shift)
        let scale = 1 / horizontalSum(sums + tailExp)
        i = 0
        while i < body {
            store(load(x + i) * scale, x + i)
            i &+= vectorWidth
        }
        for lane in 0..<count - body { x[body + lane] = tailExp[lane] * scale }
    }

    /// The last `count` < `vectorWidth` elements, filled up with −∞, whose exponential is 0.
    @inline(__always) private static func loadTail(_ x: UnsafePointer<Float>, _ count: Int) -> Vector {
        var tail = Vector(repeating: -.infinity)
        for lane in 0..<count { tail[lane] = x[lane] }
        return tail
    }
}
