import Foundation

/// How loud samples are, in decibels below full scale.
enum SoundLevel {
    static let silence: Float = -120
    /// Below this, nobody speaks.
    static let threshold: Float = -60

    static func rms(_ samples: some Collection<Int16>) -> Float {
        guard !samples.isEmpty else { return silence }
        let power = samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)
        return decibels(power.squareRoot())
    }

    static func peak(_ samples: some Collection<Int16>) -> Float {
        decibels(samples.reduce(0.0) { max($0, abs(Double($1))) })
    }

    private static func decibels(_ amplitude: Double) -> Float {
        amplitude > 0 ? max(silence, Float(20 * log10(amplitude / 32768))) : silence
    }

    /// Whether each tenth of a second is quieter than ``threshold``: a mean over all would hide a short word.
    static func isSilent(_ samples: ArraySlice<Int16>) -> Bool {
        stride(from: samples.startIndex, to: samples.endIndex, by: 1600).allSatisfy {
            rms(samples[$0..<min($0 + 1600, samples.endIndex)]) < threshold
        }
    }
}
