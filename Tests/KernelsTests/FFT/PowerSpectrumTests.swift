import Glibc
import Kernels
import Spectra
import TestSupport
import Testing

private let forms = KernelImplementation.available

/// Sizes with every radix, products of them, primes, and the smallest.
private let sizes = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 20, 25, 30, 31, 32, 49, 50, 64, 77, 97, 100, 101, 121, 128, 200,
    210, 256, 360, 400, 401, 512, 1000,
]

@Suite("Power spectrum")
struct PowerSpectrumTests {
    /// Rounding in double grows with log n and the radix: 1e-13 of the frame's energy times n leaves room for both.
    private func limit(_ frame: [Double]) -> Double {
        1e-13 * Double(frame.count) * frame.reduce(0) { $0 + $1 * $1 } + 1e-300
    }

    @Test("equals the definition of the Fourier transform at every size", arguments: sizes, forms)
    func equalsReference(size: Int, form: KernelImplementation) {
        var random = SeededGenerator(seed: UInt64(size))
        for scale in [Float(1), 1e-6, 1e6] {
            let window = random.floats(size, in: 0...1)
            let samples = random.floats(size + 3 * 7, in: -scale...scale)
            let spectrum = PowerSpectrum(window: window, using: form)
            let lanes = power(spectrum, samples, hop: 7, frames: 4)
            for (lane, result) in lanes.enumerated() {
                let frame = (0..<size).map { Double(samples[7 * lane + $0] * window[$0]) }
                let expected = ReferenceDFT.power(frame)
                #expect(result.count == expected.count)
                for (a, b) in zip(result, expected) {
                    #expect(abs(a - b) <= limit(frame), "size \(size), lane \(lane)")
                }
            }
        }
    }

    @Test("a frame's spectrum is the same to the last bit in any lane, beside any neighbours", arguments: forms)
    func lanesAreIndependent(form: KernelImplementation) {
        var random = SeededGenerator(seed: 1)
        let spectrum = PowerSpectrum(window: SpectrumPlan.hann(400), using: form)
        let samples = random.floats(160 * 10 + 400, in: -1...1)
        for frames in [1, 2, 3, 7, 8, 9, 11] {
            let together = power(spectrum, samples, hop: 160, frames: frames)
            #expect(together.count == frames)
            for frame in 0..<frames {
                let alone = power(spectrum, Array(samples[(160 * frame)...]), hop: 160, frames: 1)
                #expect(alone == [together[frame]])
            }
        }
    }

    @Test("energy is kept (Parseval)", arguments: [400, 401, 512], forms)
    func parseval(size: Int, form: KernelImplementation) {
        var random = SeededGenerator(seed: 2)
        let samples = random.floats(size, in: -1...1)
        let spectrum = PowerSpectrum(window: [Float](repeating: 1, count: size), using: form)
        let bins = power(spectrum, samples, hop: 1, frames: 1)[0]
        // Bins other than the first and, at even sizes, the last stand for two.
        let total = bins.enumerated().reduce(0) { sum, bin in
            sum + bin.element * (bin.offset == 0 || 2 * bin.offset == size ? 1 : 2)
        }
        let energy = samples.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(total / Double(size) - energy) <= 1e-12 * energy)
    }

    @Test("a cosine of whole periods fills its own bin only", arguments: [0, 1, 7, 100, 199, 200])
    func cosine(bin: Int) {
        let samples = (0..<400).map { Float(cos(2 * Double.pi * Double(bin * $0) / 400)) }
        let bins = power(PowerSpectrum(window: [Float](repeating: 1, count: 400)), samples, hop: 1, frames: 1)[0]
        let amplitude: Double = bin == 0 || bin == 200 ? 400 : 200
        #expect(abs(bins[bin] / (amplitude * amplitude) - 1) < 1e-6)
        // What is left is the samples' own rounding to float32.
        for other in 0...200 where other != bin { #expect(bins[other] < 1e-8) }
    }

    @Test("zeros give exact zeros")
    func zeros() {
        let spectrum = PowerSpectrum(window: SpectrumPlan.hann(400))
        let bins = power(spectrum, [Float](repeating: 0, count: 400), hop: 0, frames: 1)[0]
        #expect(bins.allSatisfy { $0 == 0 })
    }

    @Test("spectra of many frames are laid out a frame a row", arguments: [0, 1, 3, 4, 5, 9])
    func rows(frames: Int) {
        var random = SeededGenerator(seed: 3)
        let spectrum = PowerSpectrum(window: random.floats(30, in: 0...1))
        let samples = random.floats(30 + 10 * max(frames - 1, 0), in: -1...1)
        let all = spectrum.spectra(samples, hop: 10, frames: frames)
        #expect(all.shape == [frames, 16])
        for frame in 0..<frames {
            let alone = spectrum.spectra(Array(samples[(10 * frame)..<(10 * frame + 30)]), hop: 10, frames: 1)
            #expect(all.rows(frame..<frame + 1).elements == alone.elements)
        }
    }

    @Test("the Hann window is periodic: its second half mirrors the first around the middle sample")
    func hann() {
        let window = SpectrumPlan.hann(400)
        #expect(window[0] == 0 && window[200] == 1 && window[100] == 0.5)
        for t in 1..<200 { #expect(window[t] == window[400 - t]) }
    }

    /// `[frames][bins]`.
    private func power(_ spectrum: PowerSpectrum, _ samples: [Float], hop: Int, frames: Int) -> [[Double]] {
        let all = spectrum.power(samples, hop: hop, frames: frames)
        return (0..<frames).map { Array(all[$0 * spectrum.bins..<($0 + 1) * spectrum.bins]) }
    }
}
