import CVectors
import KernelsPortable

/// Power spectra by the form of the transform that every processor has, on the calling thread: for who draws a few of them.
///
/// `Kernels.PowerSpectrum` gives the same by the processor's fastest form, on all threads.
public struct PlainSpectrum: Sendable {
    private let plan: SpectrumPlan
    /// Samples of a frame.
    public var size: Int { plan.window.count }
    /// Frequencies of a spectrum: n/2 + 1.
    public var bins: Int { size / 2 + 1 }

    /// A spectrum of frames of `window.count` samples, one at least, each multiplied by `window`.
    public init(window: [Float]) { plan = SpectrumPlan(window: window) }

    /// |X[k]|² of frames `samples[hop·f ..< hop·f + size]`, f < `frames`: row-major `[frames, bins]`.
    public func power(_ samples: [Float], hop: Int, frames: Int) -> [Double] {
        precondition(
            frames == 0 || (frames > 0 && hop >= 0 && samples.count >= hop * (frames - 1) + size),
            "\(frames) frames of \(size) samples at a hop of \(hop) in \(samples.count) samples")
        return plan.withPlan { plan in
            withUnsafeTemporaryAllocation(
                byteCount: KernelsPortable.spectrumScratch(plan) * MemoryLayout<Double>.stride, alignment: 64
            ) { scratch in
                [Double](unsafeUninitializedCapacity: frames * bins) { out, count in
                    if let out = out.baseAddress, let scratch = scratch.baseAddress {
                        KernelsPortable.powerSpectra(
                            samples, hop: hop, frames: frames, plan,
                            scratch: scratch.assumingMemoryBound(to: Double.self), into: out, stride: bins)
                    }
                    count = frames * bins
                }
            }
        }
    }
}
