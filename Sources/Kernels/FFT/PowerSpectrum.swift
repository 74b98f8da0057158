import CVectors
import Spectra
import Synchronization

/// The power spectrum |X[k]|², k = 0 … n/2, of windowed real frames that follow each other at a fixed hop: the inner
/// part of a short-time Fourier transform.
///
/// Samples and window are float32 and so is their product, as in torch; the rest is double. A frame's values depend on its own
/// samples only, to the last bit, wherever it stands and however many threads there are.
public struct PowerSpectrum: Sendable {
    public var window: [Float] { plan.window }
    /// Samples of a frame.
    public var size: Int { plan.window.count }
    /// Frequencies of a spectrum: n/2 + 1.
    public var bins: Int { size / 2 + 1 }

    private let plan: SpectrumPlan
    private let implementation: KernelImplementation

    /// Frames of one task: a multiple of every instruction set's lanes, and half a millisecond's part of 30 s.
    private static let block = 96
    /// Of the kernel `bandPower`.
    private static let gatheredFrames = 32

    /// A spectrum of frames of `window.count` samples, each multiplied by `window`.
    public init(window: [Float], using implementation: KernelImplementation = .current) {
        plan = SpectrumPlan(window: window)
        self.implementation = implementation
    }

    /// Spectra of frames `samples[hop·f ..< hop·f + size]`, f < `frames`, in double, row-major `[frames, bins]`.
    public func power(_ samples: [Float], hop: Int, frames: Int) -> [Double] {
        check(samples, hop: hop, frames: frames)
        guard frames > 0 else { return [] }
        guard let table = implementation.spectrumTable else {
            return (0..<frames).flatMap { referencePower(samples[($0 * hop)...]) }
        }
        return plan.withPlan { plan in
            [Double](unsafeUninitializedCapacity: frames * bins) { out, count in
                let out = out.baseAddress!
                Self.withScratch(table, plan) { table.powerSpectra(samples, hop, frames, plan, $0, out, bins) }
                count = frames * bins
            }
        }
    }

    /// The same, rounded: row-major `[frames, bins]`.
    public func spectra(_ samples: [Float], hop: Int, frames: Int) -> Tensor {
        Tensor(shape: [frames, bins], power(samples, hop: hop, frames: frames).map(Float.init))
    }

    /// Weighted sums over the bins of each frame's spectrum, on all threads: `out[band·stride + frame]`, rounded to float32.
    ///
    /// - Parameters:
    ///   - samples: the first frame; frame f starts `hop·f` further on. `hop·(frames − 1) + size` floats are read.
    /// - Returns: the greatest of the values, 0 where none is above.
    public func bandPower(
        _ samples: UnsafePointer<Float>, hop: Int, frames: Int, _ filters: BandFilters,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) -> Float {
        precondition(filters.reach <= bins, "filters over \(filters.reach) bins, spectra of \(bins)")
        guard let table = implementation.spectrumTable else {
            return referenceBandPower(samples, hop, frames, filters, out, stride)
        }
        let bands = filters.bands
        // Powers are not negative, so their bits are in their order.
        let peak = Atomic<UInt32>(0)
        let (samples, out) = (SharedAddress(samples), SharedMutableAddress(out))
        plan.withPlan { plan in
            filters.withFilters { filters in
                let (plan, filters) = (SharedAddress(plan), SharedAddress(filters))
                Parallel.blocks(of: Self.block, in: frames) { block in
                    let blockPeak = FloatMemory.withScratch(bands * Self.gatheredFrames) { gathered in
                        Self.withScratch(table, plan.base) { scratch in
                            table.bandPower(
                                samples.base + block.lowerBound * hop, hop, block.count, plan.base, filters.base,
                                scratch,
                                gathered, out.base + block.lowerBound, stride)
                        }
                    }
                    peak.max(blockPeak.bitPattern, ordering: .relaxed)
                }
            }
        }
        return Float(bitPattern: peak.load(ordering: .relaxed))
    }

    /// Memory of doubles, 64-byte aligned.
    private static func withScratch<R>(
        _ table: SpectrumTable, _ plan: UnsafePointer<spectrum_plan>, _ body: (UnsafeMutablePointer<Double>) -> R
    ) -> R {
        let count = table.spectrumScratch(plan)
        return FloatMemory.withScratch(2 * count) {
            $0.withMemoryRebound(to: Double.self, capacity: count, body)
        }
    }

    private func check(_ samples: [Float], hop: Int, frames: Int) {
        precondition(hop >= 0 && frames >= 0, "\(frames) frames at a hop of \(hop)")
        precondition(frames == 0 || samples.count >= hop * (frames - 1) + size, "\(frames) frames need more samples")
    }
}

extension PowerSpectrum {
    /// The definition, n² operations.
    private func referencePower(_ samples: ArraySlice<Float>) -> [Double] {
        ReferenceDFT.power(zip(samples, window).map { Double($0 * $1) })
    }

    private func referenceBandPower(
        _ samples: UnsafePointer<Float>, _ hop: Int, _ frames: Int, _ filters: BandFilters,
        _ out: UnsafeMutablePointer<Float>, _ stride: Int
    ) -> Float {
        var peak: Float = 0
        for frame in 0..<frames {
            let samples = UnsafeBufferPointer(start: samples + hop * frame, count: size)
            let isSilent = samples.allSatisfy { $0 == 0 }
            let power = isSilent ? [Double](repeating: 0, count: bins) : referencePower(samples[...].map { $0 }[...])
            for (band, value) in filters.applied(to: power).enumerated() {
                out[band * stride + frame] = Float(value)
                peak = max(peak, Float(value))
            }
        }
        return peak
    }
}

/// Sendable: what lies there is read only, by tasks that end before their caller returns.
private struct SharedAddress<Element>: @unchecked Sendable {
    let base: UnsafePointer<Element>
    init(_ base: UnsafePointer<Element>) { self.base = base }
}

/// Sendable: each task writes frames of its own.
private struct SharedMutableAddress: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    init(_ base: UnsafeMutablePointer<Float>) { self.base = base }
}
