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
}
