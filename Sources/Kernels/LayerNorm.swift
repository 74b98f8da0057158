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
        for row in 0..<rows {
            let (x, y) = (x + row * columns, y + row * columns)
            if let table = implementation.table {
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
}
