/// Layer normalisation of rows: (x − mean) / √(variance + ε) · gain + bias, the variance over n (not n − 1).
///
/// The variance is taken in a second pass over the centred row: E[x²] − E[x]² loses half the digits
/// where the mean is large, as it is in Whisper's residual stream.
public enum LayerNorm {
    /// PyTorch's default, and Whisper's.
    public static let epsilon: Float = 1e-5

    /// Normalises `rows` contiguous rows of `columns` elements from `x` into `y` (which may be `x`).
    public static func rows(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
        gain: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        using implementation: KernelImplementation = .current
    ) {
        guard columns > 0 else { return }
        let table = implementation.table
        for row in 0..<rows {
            let (x, y) = (x + row * columns, y + row * columns)
            if let table {
                table.layerNorm(x, y, columns, epsilon, gain, bias)
            } else {
                reference(x, y, columns, gain, bias)
            }
        }
    }

    private static func reference(
        _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ n: Int,
        _ gain: UnsafePointer<Float>, _ bias: UnsafePointer<Float>
    ) {
        var mean = 0.0, variance = 0.0
        for i in 0..<n { mean += Double(x[i]) }
        mean /= Double(n)
        for i in 0..<n { variance += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
        let scale = 1 / (variance / Double(n) + Double(epsilon)).squareRoot()
        for i in 0..<n { y[i] = Float((Double(x[i]) - mean) * scale * Double(gain[i]) + Double(bias[i])) }
    }

    /// Its vector-Jacobian product, row by row: with h = gain ∘ g, s = √(variance + ε) and x̂ = (x − mean) / s,
    /// (h − mean(h) − x̂ mean(h ∘ x̂)) / s.
    ///
    /// - Parameters:
    ///   - x: what was normalised, contiguous rows of `columns` elements like `g` and `out`.
    ///   - out: gets the result; may be `g`.
    public static func backward(
        _ g: UnsafePointer<Float>, at x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, rows: Int,
        columns: Int, gain: UnsafePointer<Float>, using implementation: KernelImplementation = .current
    ) {
        guard columns > 0 else { return }
        let table = implementation.learning
        for row in 0..<rows {
            let (g, x, out) = (g + row * columns, x + row * columns, out + row * columns)
            if let table {
                table.layerNormBackward(g, x, out, columns, epsilon, gain)
            } else {
                referenceBackward(g, x, out, columns, gain)
            }
        }
    }

    private static func referenceBackward(
        _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ n: Int,
        _ gain: UnsafePointer<Float>
    ) {
        let mean = (0..<n).reduce(0.0) { $0 + Double(x[$1]) } / Double(n)
        let slope = (0..<n).reduce(0.0) { $0 + Double(g[$1]) * Double(gain[$1]) } / Double(n)
        var variance = 0.0, product = 0.0
        for i in 0..<n {
            let centred = Double(x[i]) - mean
            variance += centred * centred
            product += centred * Double(g[i]) * Double(gain[i])
        }
        variance = variance / Double(n) + Double(epsilon)
        let along = product / Double(n) / variance, scale = 1 / variance.squareRoot()
        for i in 0..<n {
            out[i] = Float((Double(g[i]) * Double(gain[i]) - slope - (Double(x[i]) - mean) * along) * scale)
        }
    }
}
