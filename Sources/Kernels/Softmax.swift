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
        let table = implementation.table
        for row in 0..<rows {
            if let table {
                table.softmax(x + row * stride, columns)
            } else {
                reference(x + row * stride, columns)
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

    /// Its vector-Jacobian product: replaces each of `rows` rows of a gradient by p ∘ (g − Σ pⱼ gⱼ).
    ///
    /// - Parameter p: the softmax, rows `stride` apart like those of `g`. Where it is 0, as of a score of −∞, so is the result.
    public static func backward(
        _ g: UnsafeMutablePointer<Float>, at p: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int,
        using implementation: KernelImplementation = .current
    ) {
        assert(stride >= columns)
        let table = implementation.learning
        for row in 0..<rows {
            let (g, p) = (g + row * stride, p + row * stride)
            if let table {
                table.softmaxBackward(g, p, columns)
            } else {
                let sum = (0..<columns).reduce(0.0) { $0 + Double(p[$1]) * Double(g[$1]) }
                for i in 0..<columns { g[i] = Float(Double(p[i]) * (Double(g[i]) - sum)) }
            }
        }
    }
}
