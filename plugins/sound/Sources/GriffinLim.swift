import Glibc
import Mel
import PluginDraws

/// A sound whose spectrum has given magnitudes: phases are found by going from the spectrum to the sound and back (Griffin and Lim 1984), with the momentum
/// of Perraudin, Balazs and Søndergaard (2013), *A fast Griffin–Lim algorithm*.
package struct GriffinLim: Sendable {
    private let transform: ShortTimeTransform
    private let steps: Int
    private let momentum: Float

    package init(_ transform: ShortTimeTransform = ShortTimeTransform(), steps: Int = 48, momentum: Float = 0.99) {
        (self.transform, self.steps, self.momentum) = (transform, steps, momentum)
    }

    /// - Parameters:
    ///   - power: `[frames, bins]`, of the frames that a log-mel has; the one behind them is left as it comes.
    ///   - beginning: a sound whose phases are the first ones, of 160 samples a frame; nil for phases by chance.
    /// - Returns: 160 samples a frame.
    package func samples(power: [Float], seed: UInt64, beginning: [Float]? = nil) -> [Float] {
        let bins = ShortTimeTransform.bins, frames = power.count / bins, count = frames * LogMel.hop
        let magnitude = power.map { $0.squareRoot() }
        var spectrum: ShortTimeTransform.Spectrum
        if let beginning, beginning.count == count {
            spectrum = transform.spectrum(beginning)
        } else {
            spectrum = transform.spectrum([Float](repeating: 0, count: count))
            var draws = SplitMix(seed: seed)
            for at in 0..<frames * bins {
                let angle = 2 * Float.pi * Float(Hashing.unit(draws.next()))
                let row = at / bins * 2 * bins + at % bins
                (spectrum.values[row], spectrum.values[row + bins]) = (cos(angle), sin(angle))
            }
        }
        spectrum.take(magnitude)
        var last: [Float]?
        for _ in 0..<steps {
            var next = transform.spectrum(transform.samples(spectrum))
            let heard = next.values
            if let last { for at in heard.indices { next.values[at] += momentum * (heard[at] - last[at]) } }
            last = heard
            next.take(magnitude)
            spectrum = next
        }
        return transform.samples(spectrum)
    }

    /// How far the magnitudes of a sound are from `power`'s, relative to those: ‖|X| − A‖ / ‖A‖.
    package func distance(of samples: [Float], from power: [Float]) -> Double {
        let heard = transform.spectrum(samples).power
        var (difference, whole) = (0.0, 0.0)
        for (at, wanted) in power.enumerated() where at < heard.count {
            let (is_, was) = (Double(heard[at].squareRoot()), Double(wanted.squareRoot()))
            difference += (is_ - was) * (is_ - was)
            whole += was * was
        }
        return whole > 0 ? (difference / whole).squareRoot() : 0
    }
}

extension ShortTimeTransform.Spectrum {
    /// Sets the magnitudes of the first frames, and leaves phases as they are; where there is no phase, it is 0.
    fileprivate mutating func take(_ magnitude: [Float]) {
        let bins = ShortTimeTransform.bins
        for (at, wanted) in magnitude.enumerated() {
            let row = at / bins * 2 * bins + at % bins
            let (re, im) = (values[row], values[row + bins])
            let size = (re * re + im * im).squareRoot()
            (values[row], values[row + bins]) =
                size > 0 ? (re / size * wanted, im / size * wanted) : (wanted, 0)
        }
    }
}
