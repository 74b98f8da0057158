import Mel
import PluginKit

/// A log-mel, or numbers of its cells, as a heat map: frequencies upwards, seconds to the right.
package struct MelPicture {
    /// Row-major, the highest band first.
    package let values: [Double]
    package let frames: Int
    package let axes: [Axis]

    /// - Parameters:
    ///   - mel: `[bands, frames]`.
    ///   - start: seconds that the first frame stands at.
    package init(_ mel: [Float], bands: Int, start: Double = 0) {
        let frames = bands > 0 ? mel.count / bands : 0
        self.frames = frames
        values = (0..<bands).reversed().flatMap { mel[$0 * frames..<($0 + 1) * frames].map(Double.init) }
        // Centres of the bands, evenly spaced on the mel scale.
        let top = MelFilters.mel(hertz: Double(LogMel.sampleRate) / 2)
        let labels = (0..<bands).reversed().map { band in
            "\(Int(MelFilters.hertz(mel: top * Double(band + 1) / Double(bands + 1)).rounded())) Hz"
        }
        axes = [
            Axis("frequency", labels: labels),
            Axis("time", unit: "s", first: start, step: Double(LogMel.hop) / Double(LogMel.sampleRate)),
        ]
    }
}
