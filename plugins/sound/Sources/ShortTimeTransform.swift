import Glibc
import Kernels
import Mel
import Spectra

/// The short-time Fourier transform whose power the log-mel is made of, and its way back.
///
/// Frames are those of ``Mel/LogMel``: 400 samples under a periodic Hann window, frame t centred on sample 160·t. There is one frame more than the
/// log-mel has, so that every sample lies under some window; beyond both ends there is silence, where the log-mel has a reflection, so that
/// the first two frames and the last three differ from its own.
///
/// Both ways are a product with the matrix of the transform, which has the window in it: power alone is what ``Spectra`` has, and a product of
/// these few hundred frames costs no more.
package struct ShortTimeTransform: Sendable {
    /// Frequencies, 40 Hz apart.
    package static let bins = LogMel.frameSize / 2 + 1

    /// X, complex.
    package struct Spectrum: Sendable {
        package let frames: Int
        /// Samples of the sound that it is of.
        package let samples: Int
        /// `[frames, 2 · bins]`: a frame's real parts, then its imaginary ones.
        package var values: [Float]

        /// |X|², `[frames, bins]`.
        package var power: [Float] {
            let bins = ShortTimeTransform.bins
            return [Float](unsafeUninitializedCapacity: frames * bins) { out, count in
                for frame in 0..<frames {
                    let row = frame * 2 * bins
                    for bin in 0..<bins {
                        let (re, im) = (values[row + bin], values[row + bins + bin])
                        out[frame * bins + bin] = re * re + im * im
                    }
                }
                count = frames * bins
            }
        }
    }

    private let window: [Float]
    /// `[400, 2 · bins]`, and `[2 · bins, 400]`.
    private let forward: [Float], backward: [Float]

    package init() {
        let size = LogMel.frameSize, bins = Self.bins
        let window = SpectrumPlan.hann(size)
        var forward = [Float](repeating: 0, count: size * 2 * bins), backward = forward
        for sample in 0..<size {
            for bin in 0..<bins {
                // The product modulo the size: angles stay small, and exact.
                let angle = 2 * Double.pi * Double(sample * bin % size) / Double(size)
                let (cosine, sine) = (cos(angle) * Double(window[sample]), sin(angle) * Double(window[sample]))
                let share = (bin == 0 || 2 * bin == size ? 1 : 2) / Double(size)
                forward[sample * 2 * bins + bin] = Float(cosine)
                forward[sample * 2 * bins + bins + bin] = Float(-sine)
                backward[bin * size + sample] = Float(cosine * share)
                backward[(bins + bin) * size + sample] = Float(-sine * share)
            }
        }
        (self.window, self.forward, self.backward) = (window, forward, backward)
    }

    /// Frames of a sound of so many samples.
    package static func frames(of samples: Int) -> Int { samples / LogMel.hop + 1 }

    /// The transform of a sound, at 16 kHz.
    package func spectrum(_ samples: [Float]) -> Spectrum {
        let size = LogMel.frameSize, width = 2 * Self.bins, frames = Self.frames(of: samples.count)
        var padded = [Float](repeating: 0, count: max((frames - 1) * LogMel.hop + size, samples.count + size / 2))
        padded.replaceSubrange(size / 2..<size / 2 + samples.count, with: samples)
        let values = [Float](unsafeUninitializedCapacity: frames * width) { out, count in
            if let out = out.baseAddress {
                MatrixProduct.multiplyOnAllThreads(
                    m: frames, n: width, k: size, padded, lda: LogMel.hop, forward, ldb: width, .rows, into: out,
                    ldc: width)
            }
            count = frames * width
        }
        return Spectrum(frames: frames, samples: samples.count, values: values)
    }

    /// The sound whose transform is nearest to `spectrum`, by least squares: frames are windowed again, laid over each other, and divided by the sum
    /// of the squared windows (Griffin and Lim 1984). Of the transform of a sound it is that sound.
    package func samples(_ spectrum: Spectrum) -> [Float] {
        let size = LogMel.frameSize, width = 2 * Self.bins, hop = LogMel.hop
        let pieces = [Float](unsafeUninitializedCapacity: spectrum.frames * size) { out, count in
            if let out = out.baseAddress {
                MatrixProduct.multiplyOnAllThreads(
                    m: spectrum.frames, n: size, k: width, spectrum.values, lda: width, backward, ldb: size, .rows,
                    into: out, ldc: size)
            }
            count = spectrum.frames * size
        }
        let length = max((spectrum.frames - 1) * hop + size, spectrum.samples + size / 2)
        var sum = [Float](repeating: 0, count: length), weight = sum
        for frame in 0..<spectrum.frames {
            for sample in 0..<size {
                sum[frame * hop + sample] += pieces[frame * size + sample]
                weight[frame * hop + sample] += window[sample] * window[sample]
            }
        }
        return (size / 2..<size / 2 + spectrum.samples).map { weight[$0] > 1e-6 ? sum[$0] / weight[$0] : 0 }
    }
}
