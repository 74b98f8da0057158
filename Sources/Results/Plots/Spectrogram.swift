import Foundation

/// The power of a clip's frequencies over time, in decibels: what sound looks like beside a player.
///
/// A display, not a feature: Hann windows of about 32 ms, with rows up to 8 kHz and never more than 1200 columns. The
/// transform is the textbook's radix-2 one; it is over in milliseconds, and this program links no numerics.
package enum Spectrogram {
    private static let mostColumns = 1200
    private static let range = 80.0

    package static func of(_ clip: AudioClip) -> NumericArray {
        var size = 64
        while Double(size) < 0.032 * Double(clip.rate) { size *= 2 }
        let hop = max(size / 4, (clip.samples.count + mostColumns - 1) / mostColumns)
        let columns = max((clip.samples.count + hop - 1) / hop, 1)
        let rows = min(size / 2, Int(8000 * Double(size) / Double(clip.rate)) + 1)
        var values = [Double](repeating: 0, count: rows * columns)
        let window = (0..<size).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(size)) }
        for column in 0..<columns {
            let first = column * hop - size / 2
            var frame = window.indices.map { index -> (re: Double, im: Double) in
                let place = first + index
                guard place >= 0, place < clip.samples.count, clip.samples[place].isFinite else { return (0, 0) }
                return (Double(clip.samples[place]) * window[index], 0)
            }
            transform(&frame)
            for row in 0..<rows {
                let power = frame[row].re * frame[row].re + frame[row].im * frame[row].im
                values[row * columns + column] = 10 * log10(max(power, 1e-12))
            }
        }
        // What is far below the loudest is silence.
        let floor = (values.max() ?? 0) - range
        let frequency = Axis(name: "frequency", unit: "Hz", step: Double(clip.rate) / Double(size), count: rows)
        let time = Axis(name: "time", unit: "s", step: Double(hop) / Double(clip.rate), count: columns)
        return NumericArray(values: values.map { max($0, floor) }, axes: [frequency, time], isDouble: false)
    }

    /// In place; `frame.count` is a power of two.
    private static func transform(_ frame: inout [(re: Double, im: Double)]) {
        let count = frame.count
        var reversed = 0
        for index in 1..<count {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed { frame.swapAt(index, reversed) }
        }
        var length = 2
        while length <= count {
            let turns = (0..<length / 2).map { -2 * Double.pi * Double($0) / Double(length) }.map { (cos($0), sin($0)) }
            for start in stride(from: 0, to: count, by: length) {
                for k in 0..<length / 2 {
                    let a = frame[start + k], b = frame[start + k + length / 2]
                    let re = b.re * turns[k].0 - b.im * turns[k].1, im = b.re * turns[k].1 + b.im * turns[k].0
                    frame[start + k] = (a.re + re, a.im + im)
                    frame[start + k + length / 2] = (a.re - re, a.im - im)
                }
            }
            length *= 2
        }
    }
}
