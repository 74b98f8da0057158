import Glibc

/// The power spectrum |X[k]|², k = 0 … n/2, of windowed real frames that follow each other at a fixed hop: the inner
/// part of a short-time Fourier transform.
///
/// An even size n is done as a complex transform of n/2 points, z[t] = x[2t] + i·x[2t+1], whose spectrum Z gives
/// X[k] = ½(Z[k] + Z̄[h−k]) − ½i·exp(−2πi·k/n)·(Z[k] − Z̄[h−k]), h = n/2 (Sorensen et al. 1987); an odd size as a
/// complex transform with no imaginary part. Packing two *frames* into one complex transform would be as fast, but then
/// a loud frame's rounding error leaks into a quiet one, and a frame's value depends on where its block starts.
///
/// Samples and window are float32 and so is their product, as in torch; the rest is double.
public struct PowerSpectrum: Sendable {
    public let window: [Float]
    /// Samples of a frame.
    public var size: Int { window.count }
    /// Frequencies of a spectrum: n/2 + 1.
    public var bins: Int { size / 2 + 1 }

    /// Frames that one call of ``lanes(_:hop:frames:into:)`` can take.
    public static let laneCount = SignalLanes.scalarCount

    private let transform: ComplexFFT
    /// exp(−2πi·k/n), k ≤ n/4, for even sizes.
    private let halfTwiddles: [Twiddle]

    /// A spectrum of frames of `window.count` samples, each multiplied by `window`.
    public init(window: [Float]) {
        precondition(!window.isEmpty, "a window of no samples")
        let n = window.count
        self.window = window
        transform = ComplexFFT(size: n % 2 == 0 ? n / 2 : n)
        halfTwiddles = n % 2 == 0 ? (0...n / 4).map { Twiddle($0, of: n) } : []
    }

    /// The periodic Hann window ½ − ½·cos(2πt/n), as `torch.hann_window(n)`.
    public static func hann(_ n: Int) -> [Float] {
        (0..<n).map { Float(0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(n))) }
    }

    /// Spectra of frames `samples[hop·f ..< hop·f + size]`, f < `frames`: row-major `[frames, bins]`.
    public func spectra(_ samples: [Float], hop: Int, frames: Int) -> Tensor {
        precondition(hop >= 0 && frames >= 0, "\(frames) frames at a hop of \(hop)")
        precondition(frames == 0 || samples.count >= hop * (frames - 1) + size, "\(frames) frames need more samples")
        var out = Tensor(uninitialized: [frames, bins])
        out.withUnsafeMutableBufferPointer { out in
            samples.withUnsafeBufferPointer { samples in
                withUnsafeTemporaryAllocation(of: SignalLanes.self, capacity: bins) { power in
                    for first in Swift.stride(from: 0, to: frames, by: Self.laneCount) {
                        let count = min(Self.laneCount, frames - first)
                        lanes(samples.baseAddress! + first * hop, hop: hop, frames: count, into: power.baseAddress!)
                        for lane in 0..<count {
                            for bin in 0..<bins { out[(first + lane) * bins + bin] = Float(power[bin][lane]) }
                        }
                    }
                }
            }
        }
        return out
    }

    /// Spectra of up to ``laneCount`` frames: `power[k]` receives bin k, frame f in lane f, zero in the lanes left over.
    ///
    /// - Parameters:
    ///   - samples: the first frame; frame f starts `hop·f` further on. `hop·(frames − 1) + size` floats are read.
    ///   - power: room for ``bins`` vectors.
    public func lanes(
        _ samples: UnsafePointer<Float>, hop: Int, frames: Int, into power: UnsafeMutablePointer<SignalLanes>
    ) {
        assert((1...Self.laneCount).contains(frames))
        let n = transform.size
        withUnsafeTemporaryAllocation(of: LaneComplex.self, capacity: 2 * n) { buffer in
            let (input, scratch) = (buffer.baseAddress!, buffer.baseAddress! + n)
            let zero = LaneComplex(re: .zero, im: .zero)
            input.initialize(repeating: zero, count: n)
            load(samples, hop: hop, frames: frames, into: input)
            let spectrum = transform.transform(input, scratch: scratch)
            if size % 2 == 0 {
                unpack(spectrum, into: power)
            } else {
                for k in 0..<bins { power[k] = Self.squared(spectrum[k]) }
            }
        }
    }

    /// Windows the frames and transposes them, a frame a lane.
    private func load(
        _ samples: UnsafePointer<Float>, hop: Int, frames: Int, into input: UnsafeMutablePointer<LaneComplex>
    ) {
        let lanes = SignalLanes.scalarCount
        let target = UnsafeMutableRawPointer(input).assumingMemoryBound(to: Double.self)
        // A complex number is `lanes` real parts, then as many imaginary ones.
        let imaginary = size % 2 == 0
        window.withUnsafeBufferPointer { window in
            for frame in 0..<frames {
                let from = samples + hop * frame
                let to = target + frame
                for t in 0..<size {
                    to[(imaginary ? t : 2 &* t) &* lanes] = Double(from[t] * window[t])
                }
            }
        }
    }

    /// Splits the half-size transform of the packed signal; k and h − k come out of the same two values.
    private func unpack(_ z: UnsafeMutablePointer<LaneComplex>, into power: UnsafeMutablePointer<SignalLanes>) {
        let h = size / 2
        let (even, odd) = (z[0].re, z[0].im)
        power[0] = (even + odd) * (even + odd)
        power[h] = (even - odd) * (even - odd)
        for k in 1..<max(h / 2 + 1, 1) {
            let (a, b) = (z[k], LaneComplex(re: z[h &- k].re, im: -z[h &- k].im))
            let even = (a + b) * 0.5
            let odd = ((a - b) * 0.5).timesMinusI * halfTwiddles[k]
            // X[k] = even + odd and X[h−k] is the conjugate of even − odd.
            power[k] = Self.squared(even + odd)
            power[h &- k] = Self.squared(even - odd)
        }
    }

    @inline(__always) private static func squared(_ x: LaneComplex) -> SignalLanes { x.re * x.re + x.im * x.im }
}
