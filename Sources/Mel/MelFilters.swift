import Glibc
import Kernels

/// Triangular filters, evenly spaced on Slaney's mel scale from 0 Hz to half the sample rate, each of unit area in
/// hertz: `librosa.filters.mel(sr, n_fft, n_mels)`, from which openai/whisper's own table was saved.
///
/// The scale (M. Slaney, *Auditory Toolbox*, 1998) is linear below 1 kHz, 200/3 Hz a mel, and logarithmic above, with a
/// factor of 6.4 each 27 mels. Computed in double and rounded where librosa rounds.
public struct MelFilters: Sendable {
    public let bands: Int
    /// Frequencies of the power spectrum that the filters apply to.
    public let bins: Int

    /// One filter: `weights` for the bins from `firstBin` on, zero elsewhere.
    struct Filter: Sendable {
        let firstBin: Int
        /// float32 values, as in the reference; double because that is what they multiply.
        let weights: [Double]
    }
    let filters: [Filter]

    /// - Parameters:
    ///   - frameSize: samples of the transform, n_fft; bin k lies at k·sampleRate/frameSize hertz.
    public init(bands: Int, frameSize: Int = LogMel.frameSize, sampleRate: Int = LogMel.sampleRate) {
        precondition(bands >= 1 && frameSize >= 1 && sampleRate >= 1, "\(bands) bands over \(frameSize) points")
        let bins = frameSize / 2 + 1
        let top = Self.mel(hertz: Double(sampleRate) / 2)
        let corners = (0..<bands + 2).map { Self.hertz(mel: top * Double($0) / Double(bands + 1)) }
        self.bands = bands
        self.bins = bins
        filters = (0..<bands).map { band in
            let (low, centre, high) = (corners[band], corners[band + 1], corners[band + 2])
            let row = (0..<bins).map { bin in
                let frequency = Double(bin) * Double(sampleRate) / Double(frameSize)
                let triangle = min((frequency - low) / (centre - low), (high - frequency) / (high - centre))
                return Double(Float(Double(Float(max(0, triangle))) * (2 / (high - low))))
            }
            // A filter narrower than a bin may meet none at all: an empty range then.
            let first = row.firstIndex { $0 > 0 } ?? 0
            let last = row.lastIndex { $0 > 0 } ?? -1
            return Filter(firstBin: first, weights: Array(row[first..<last + 1]))
        }
    }

    /// The filters as `[bands, bins]`.
    public var matrix: Tensor {
        var matrix = Tensor(shape: [bands, bins])
        for (band, filter) in filters.enumerated() {
            for (offset, weight) in filter.weights.enumerated() {
                matrix[band, filter.firstBin + offset] = Float(weight)
            }
        }
        return matrix
    }

    private static let logarithmicFrom = 15.0  // mel, at 1 kHz
    private static let logarithmicStep = log(6.4) / 27

    public static func hertz(mel: Double) -> Double {
        mel < logarithmicFrom ? mel * 200 / 3 : 1000 * exp(logarithmicStep * (mel - logarithmicFrom))
    }

    public static func mel(hertz: Double) -> Double {
        hertz < 1000 ? hertz * 3 / 200 : logarithmicFrom + log(hertz / 1000) / logarithmicStep
    }
}
