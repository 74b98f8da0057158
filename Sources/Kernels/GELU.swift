import Foundation

/// The Gaussian error linear unit, x Φ(x), in its exact form (erf, not tanh), as PyTorch's `F.gelu`.
public enum GELU {
    /// Applies it in place to `count` elements.
    public static func apply(
        _ x: UnsafeMutablePointer<Float>, count: Int, using implementation: KernelImplementation = .current
    ) {
        guard let table = implementation.table else { return reference(x, count) }
        table.gelu(x, count)
    }

    private static func reference(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count {
            let value = Double(x[i])
            x[i] = Float(0.5 * value * (1 + erf(value / 2.0.squareRoot())))
        }
    }

    /// Its vector-Jacobian product: replaces each of `count` elements of a gradient by g · (Φ(x) + x φ(x)), φ the normal density.
    ///
    /// - Parameter x: what ``apply(_:count:using:)`` was given.
    public static func backward(
        _ g: UnsafeMutablePointer<Float>, at x: UnsafePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        if let table = implementation.learning { return table.geluBackward(g, x, count) }
        for i in 0..<count {
            let value = Double(x[i])
            let density = exp(-0.5 * value * value) / (2 * Double.pi).squareRoot()
            g[i] = Float(Double(g[i]) * (0.5 * (1 + erf(value / 2.0.squareRoot())) + value * density))
        }
    }
}
