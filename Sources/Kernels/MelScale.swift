import Glibc

/// From mel power to what Whisper's encoder sees: y = log10(max(x, 1e-10)), no lower than the peak's − 8, then (y + 4)/4.
public enum MelScale {
    /// Scales `count` values of `x` into `y`, which may be `x`, on all threads; a value's result does not depend on its place.
    ///
    /// The logarithm is within 2e-7 of the exact one or of its last digit, whichever is more.
    ///
    /// - Parameter peak: the greatest power of the whole spectrogram, of which `x` may be a part.
    public static func apply(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, peak: Float,
        using implementation: KernelImplementation = .current
    ) {
        guard let table = implementation.spectrumTable else { return reference(x, y, count, peak) }
        let (from, to) = (MelAddress(x), MelMutableAddress(y))
        Parallel.blocks(of: 16_384, in: count) { block in
            table.melScale(from.base + block.lowerBound, to.base + block.lowerBound, block.count, peak)
        }
    }

    private static func reference(
        _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ peak: Float
    ) {
        let least = log10(max(Double(peak), 1e-10)) - 8
        for i in 0..<count { y[i] = Float((max(log10(max(Double(x[i]), 1e-10)), least) + 4) / 4) }
    }
}

/// Sendable: each task reads and writes values of its own.
private struct MelAddress: @unchecked Sendable {
    let base: UnsafePointer<Float>
    init(_ base: UnsafePointer<Float>) { self.base = base }
}

/// Sendable: see ``MelAddress``.
private struct MelMutableAddress: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    init(_ base: UnsafeMutablePointer<Float>) { self.base = base }
}
