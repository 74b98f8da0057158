import Foundation
import Kernels
import Spectra
import TestSupport
import Testing

private let forms = KernelImplementation.available

@Suite("Sums over bands of a spectrum")
struct BandPowerTests {
    /// Bands as a mel filter has them: narrow and wide, one of a single bin, one of none.
    private let bands: [(firstBin: Int, weights: [Double])] = {
        var random = SeededGenerator(seed: 5)
        return [(0, 1), (0, 3), (7, 0), (1, 2), (5, 17), (190, 11), (200, 1)].map { first, count in
            (first, random.floats(count, in: 0...1).map(Double.init))
        }
    }()

    @Test(
        "equal the definition, and leave what lies between the rows", arguments: forms, [1, 2, 3, 5, 31, 33, 97, 200])
    func equalDefinition(form: KernelImplementation, frames: Int) {
        var random = SeededGenerator(seed: UInt64(frames))
        let window = SpectrumPlan.hann(400)
        let spectrum = PowerSpectrum(window: window, using: form)
        let stride = frames + 3
        // One sample in, so that loads are unaligned; some of the frames are silent.
        var samples = random.floats(1 + 160 * (frames - 1) + 400, in: -1...1)
        if frames > 20 { for i in 2000..<4500 { samples[i] = 0 } }
        var out = [Float](repeating: -7, count: bands.count * stride)
        let peak = samples.withUnsafeBufferPointer {
            spectrum.bandPower(
                $0.baseAddress! + 1, hop: 160, frames: frames, BandFilters(bands), into: &out, stride: stride)
        }
        var largest: Float = 0
        for frame in 0..<frames {
            let power = ReferenceDFT.power((0..<400).map { Double(samples[1 + 160 * frame + $0] * window[$0]) })
            for (band, filter) in bands.enumerated() {
                let expected = filter.weights.enumerated().reduce(0) {
                    $0 + $1.element * power[filter.firstBin + $1.offset]
                }
                let value = out[band * stride + frame]
                // One rounding to float32; rounding in double, relative to the greatest bin, is far below it here.
                #expect(abs(Double(value) - expected) <= 1e-7 * expected + 1e-11)
                largest = max(largest, value)
            }
        }
        #expect(peak == largest)
        for band in bands.indices { #expect(out[band * stride + frames..<(band + 1) * stride].allSatisfy { $0 == -7 }) }
    }

    @Test("a frame's values do not depend on where it stands, nor on its neighbours", arguments: forms)
    func independent(form: KernelImplementation) {
        var random = SeededGenerator(seed: 8)
        let spectrum = PowerSpectrum(window: SpectrumPlan.hann(400), using: form)
        let filters = BandFilters(bands)
        let samples = random.floats(160 * 120 + 400, in: -1...1)
        var together = [Float](repeating: 0, count: bands.count * 121)
        _ = spectrum.bandPower(samples, hop: 160, frames: 121, filters, into: &together, stride: 121)
        for frame in [0, 1, 31, 32, 33, 95, 96, 97, 120] {
            var alone = [Float](repeating: 0, count: bands.count)
            _ = spectrum.bandPower(
                Array(samples[(160 * frame)...]), hop: 160, frames: 1, filters, into: &alone, stride: 1)
            #expect(alone == bands.indices.map { together[$0 * 121 + frame] })
        }
    }

    @Test("a signal that is not finite spoils its own frames only", arguments: forms)
    func notFinite(form: KernelImplementation) {
        var random = SeededGenerator(seed: 9)
        let spectrum = PowerSpectrum(window: SpectrumPlan.hann(400), using: form)
        var samples = random.floats(160 * 7 + 400, in: -1...1)
        func values() -> ([Float], Float) {
            var out = [Float](repeating: 0, count: bands.count * 8)
            let peak = spectrum.bandPower(samples, hop: 160, frames: 8, BandFilters(bands), into: &out, stride: 8)
            return (out, peak)
        }
        let (sound, _) = values()
        // In frames 3 to 5.
        samples[820] = .nan
        let (spoilt, peak) = values()
        #expect(peak.isFinite)
        for band in bands.indices where !bands[band].weights.isEmpty {
            for frame in 0..<8 {
                let value = spoilt[band * 8 + frame]
                if (3...5).contains(frame) {
                    #expect(!value.isFinite)
                } else {
                    #expect(value == sound[band * 8 + frame])
                }
            }
        }
    }
}

@Suite("Log-mel's scale")
struct MelScaleTests {
    @Test("is (max(log10 x, peak − 8) + 4) / 4 to 1e-7, in place or not", arguments: forms, awkwardLengths)
    func definition(form: KernelImplementation, count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let x = random.floats(count + 1, in: -38...4).map { exp10($0) }
        for peak in [Float(1e4), 1e-3, 0] {
            var y = x
            y.withUnsafeMutableBufferPointer {
                let at = $0.baseAddress! + 1
                MelScale.apply(at, into: at, count: count, peak: peak, using: form)
            }
            var apart = [Float](repeating: -7, count: count + 1)
            x.withUnsafeBufferPointer {
                MelScale.apply($0.baseAddress! + 1, into: &apart, count: count, peak: peak, using: form)
            }
            #expect(Array(y[1...]) == Array(apart[..<count]) && apart[count] == -7)
            let least = log10(max(Double(peak), 1e-10)) - 8
            for (value, power) in zip(y[1...], x[1...]) {
                let expected = (max(log10(max(Double(power), 1e-10)), least) + 4) / 4
                // The logarithm's 2e-7 of up to 10 and the sum's rounding, a quarter of both.
                #expect(abs(Double(value) - expected) <= 5e-7)
            }
        }
    }

    @Test("has the floor for nothing, for negative numbers and for subnormal ones", arguments: forms)
    func floor(form: KernelImplementation) {
        for value in [Float(0), -0.0, 1e-40, -1, 1e-10, 1e-12] {
            var y: [Float] = [value]
            MelScale.apply([value], into: &y, count: 1, peak: 1e-10, using: form)
            #expect(y == [-1.5])
        }
    }

    /// 10^x.
    private func exp10(_ x: Float) -> Float { Float(pow(10, Double(x))) }
}
