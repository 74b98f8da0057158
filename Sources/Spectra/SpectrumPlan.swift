import CVectors
import Glibc

/// A root of unity exp(−2πi·k/n).
private func root(_ k: Int, of n: Int) -> [Double] {
    let angle = -2 * Double.pi * Double(k % n) / Double(n)
    return [cos(angle), sin(angle)]
}

/// The constants of a spectrum of windowed frames: what `spectrum_plan` in `CVectors` describes.
///
/// In double, because the reference's bound asks for it. Whisper's clamp keeps mel powers down to 1e-8 of the greatest,
/// amplitudes down to 1e-4, so a frame with one loud tone shows rounding error in its quiet bands. Measured as the
/// greatest difference of the log-mel from torch's float32 result (2.15, CPU), with the transform in float32 and in
/// double: 2.2e-5 and 1.7e-5 on speech, but 1.3e-4 and 6.4e-5 on a bird's song, where 1e-4 is allowed; torch's own
/// distance from the exact value is 6.2e-5 there. (For bare sines near 8 kHz torch is off by up to 4e-4, so
/// no independent implementation can be within 1e-4 of it there.)
public struct SpectrumPlan: Sendable {
    public let window: [Float]
    /// Of the complex transform: n/2 for an even size n, else n.
    public let points: Int
    private let radices: [Int]
    private let twiddles: [Double]
    private let halfTwiddles: [Double]

    /// Of frames of `window.count` samples, one at least, each multiplied by `window`.
    public init(window: [Float]) {
        precondition(!window.isEmpty, "a window of no samples")
        let size = window.count
        self.window = window
        points = size % 2 == 0 ? size / 2 : size
        radices = Self.radices(of: points)
        var n = points
        twiddles = radices.flatMap { radix in
            defer { n /= radix }
            let outputs = (0..<n / radix).flatMap { p in (1..<radix).flatMap { root($0 * p, of: n) } }
            return outputs + (0..<radix).flatMap { root($0, of: radix) }
        }
        halfTwiddles = size % 2 == 0 ? (0...size / 4).flatMap { root($0, of: size) } : []
    }

    /// The periodic Hann window ½ − ½·cos(2πt/n), as `torch.hann_window(n)`.
    public static func hann(_ n: Int) -> [Float] {
        (0..<n).map { Float(0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(n))) }
    }

    /// Factors whose product is `n`: eights first, since they need the fewest passes, then fours and ascending primes. Whisper's
    /// 400 real samples are 8·5·5 complex ones. A prime p is done by its p² definition, so a prime size costs n².
    static func radices(of n: Int) -> [Int] {
        var rest = n
        var radices: [Int] = []
        for radix in [8, 4, 2] { while rest % radix == 0 { radices.append(radix); rest /= radix } }
        var prime = 3
        while rest > 1 {
            while rest % prime == 0 { radices.append(prime); rest /= prime }
            prime += 2
        }
        return radices
    }

    /// Hands the plan to a kernel, which may read it until `body` returns.
    public func withPlan<R>(_ body: (UnsafePointer<spectrum_plan>) -> R) -> R {
        window.withUnsafeBufferPointer { window in
            radices.withUnsafeBufferPointer { radices in
                twiddles.withUnsafeBufferPointer { twiddles in
                    halfTwiddles.withUnsafeBufferPointer { halves in
                        // An array of nothing has no address; what is empty is not read.
                        var plan = spectrum_plan(
                            size: window.count, window: window.baseAddress!, points: points, stages: radices.count,
                            radices: radices.baseAddress ?? UnsafePointer(bitPattern: 8)!,
                            twiddles: twiddles.baseAddress ?? UnsafePointer(bitPattern: 8)!,
                            half_twiddles: halves.baseAddress ?? UnsafePointer(bitPattern: 8)!)
                        return withUnsafePointer(to: &plan, body)
                    }
                }
            }
        }
    }
}
