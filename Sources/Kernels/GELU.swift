import Foundation

/// The Gaussian error linear unit, x Φ(x), in its exact form (erf, not tanh), as PyTorch's `F.gelu`.
public enum GELU {
    /// Applies it in place to `count` elements.
    public static func apply(
        _ x: UnsafeMutablePointer<Float>, count: Int, using implementation: KernelImplementation = .current
    ) {
        switch implementation {
        case .reference: reference(x, count)
        case .simd: simd(x, count)
        }
    }

    private static func reference(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count {
            let value = Double(x[i])
            x[i] = Float(0.5 * value * (1 + erf(value / 2.0.squareRoot())))
        }
    }

    private static func simd(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        var i = 0
        while i &+ vectorWidth <= count {
            store(gelu(load(x + i)), x + i)
            i &+= vectorWidth
        }
        guard i < count else { return }
        var tail = Vector(repeating: 0)
        for lane in 0..<count - i { tail[lane] = x[i + lane] }
        tail = gelu(tail)
        for lane in 0..<count - i { x[i + lane] = tail[lane] }
    }

    @inline(__always) private static func gelu(_ x: Vector) -> Vector {
        let half = x * 0.5
        return half + half * errorFunction(x * 0.70710678118654752)
    }
}
