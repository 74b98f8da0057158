import Foundation
import Spectra

/// The power of a clip's frequencies over time, in decibels: what sound looks like beside a player.
///
/// A display, not a feature: Hann windows of about 32 ms, with rows up to 8 kHz and never more than 1200 columns.
package enum Spectrogram {
    private static let mostColumns = 1200
    private static let range = 80.0

    package static func of(_ clip: AudioClip) -> NumericArray {
        var size = 64
        while Double(size) < 0.032 * Double(clip.rate) { size *= 2 }
        let hop = max(size / 4, (clip.samples.count + mostColumns - 1) / mostColumns)
        let columns = max((clip.samples.count + hop - 1) / hop, 1)
        let rows = min(size / 2, Int(8000 * Double(size) / Double(clip.rate)) + 1)
        // A column's window lies around its time.
        var samples = [Float](repeating: 0, count: max((columns - 1) * hop + size, size / 2 + clip.samples.count))
        samples.replaceSubrange(size / 2..<size / 2 + clip.samples.count, with: clip.samples)
        let spectrum = PlainSpectrum(window: SpectrumPlan.hann(size))
        let power = spectrum.power(samples, hop: hop, frames: columns)
        var values = [Double](repeating: 0, count: rows * columns)
        for column in 0..<columns {
            for row in 0..<rows {
                values[row * columns + column] = 10 * log10(max(power[column * spectrum.bins + row], 1e-12))
            }
        }
        // What is far below the loudest is silence.
        let floor = (values.max() ?? 0) - range
        let frequency = ArrayAxis(name: "frequency", unit: "Hz", step: Double(clip.rate) / Double(size), count: rows)
        let time = ArrayAxis(name: "time", unit: "s", step: Double(hop) / Double(clip.rate), count: columns)
        return NumericArray(values: values.map { max($0, floor) }, axes: [frequency, time], isDouble: false)
    }
}
