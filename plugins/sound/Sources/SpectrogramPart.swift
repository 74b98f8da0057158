import Kernels
import Mel

/// A part of a recording's spectrogram, to be heard: the rest is taken away, and what stays keeps its own phase.
package struct SpectrogramPart: Sendable {
    private let transform: ShortTimeTransform
    private let whole: ShortTimeTransform.Spectrum
    private let inverse: MelInverse
    /// Of each bin, the sum of the filters over it.
    private let reach: [Float]

    package var bands: Int { inverse.bands }
    /// Mel frames of 10 ms.
    package let frames: Int

    package init(_ samples: [Float], bands: Int, _ transform: ShortTimeTransform = ShortTimeTransform()) {
        self.transform = transform
        whole = transform.spectrum(samples)
        inverse = MelInverse(bands: bands)
        reach = inverse.product([Float](repeating: 1, count: bands), 1)
        frames = samples.count / LogMel.hop
    }

    /// The sound of what a mask leaves: a frequency is left as far as the mel bands that hear it are.
    /// - Parameter mask: 0…1 for each mel cell, `[bands, frames]`.
    package func samples(_ mask: [Float]) -> [Float] {
        let bins = ShortTimeTransform.bins, bands = bands
        guard frames > 0 else { return [Float](repeating: 0, count: whole.samples) }
        let rows = (0..<frames * bands).map { mask[$0 % bands * frames + $0 / bands] }
        let left = inverse.product(rows, frames)
        var spectrum = whole
        for frame in 0..<whole.frames {
            // The frame behind the log-mel's last is masked as that one.
            let from = min(frame, frames - 1) * bins, to = frame * 2 * bins
            for bin in 0..<bins {
                let gain = reach[bin] > 0 ? left[from + bin] / reach[bin] : 0
                spectrum.values[to + bin] *= gain
                spectrum.values[to + bins + bin] *= gain
            }
        }
        return transform.samples(spectrum)
    }
}
