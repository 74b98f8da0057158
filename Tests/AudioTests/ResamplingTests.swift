import Audio
import Foundation
import TestSupport
import Testing

private let rates = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000]

@Suite("Resampling to 16 kHz")
struct ResamplingTests {
    private func read(_ samples: [Float], rate: Int) throws -> [Float] {
        var wav = WAVBytes(floats: samples)
        wav.rate = UInt32(rate)
        return try SampleBuffer.read(.bytes(wav.bytes, name: "x.wav")).readAll()
    }

    private func sine(_ hertz: Double, rate: Int, count: Int) -> [Float] {
        (0..<count).map { Float(0.5 * sin(2 * Double.pi * hertz * Double($0) / Double(rate))) }
    }

    @Test("keeps a tone's level and place in time", arguments: rates)
    func sine(rate: Int) throws {
        let result = try read(sine(1000, rate: rate, count: rate), rate: rate)
        let expected = sine(1000, rate: 16_000, count: 16_000)
        #expect(result.count == 16_000)
        // Away from the ends, where the filter sees the tone begin. 0.01 dB is what the filter promises: 6e-4 of 0.5.
        #expect(largestDifference(result[1000..<15_000], expected[1000..<15_000]) < 6e-4)
    }

    @Test("removes what 16 kHz cannot hold", arguments: [44_100, 48_000])
    func aliases(rate: Int) throws {
        let result = try read(sine(9000, rate: rate, count: rate), rate: rate)
        // 120 dB below, where the tone neither begins nor ends.
        #expect(result[2000..<14_000].allSatisfy { abs($0) < 2e-6 })
    }

    @Test("a click stays where it was", arguments: rates)
    func click(rate: Int) throws {
        var samples = [Float](repeating: 0, count: rate)
        samples[rate / 4] = 1
        let result = try read(samples, rate: rate)
        let loudest = result.indices.max { abs(result[$0]) < abs(result[$1]) }
        let place = Double(rate / 4) / Double(rate) * 16_000
        #expect(abs(Double(loudest ?? -1) - place) <= 1)
    }

    @Test("n samples become round(n·16000/rate)", arguments: rates + [1_000, 12_345, 192_000, 768_000])
    func length(rate: Int) throws {
        for count in [1, 2, 3, 7, 100, 999, 16_383, 16_384, 16_385, 50_001] {
            let expected = Int((Double(count) * 16_000 / Double(rate)).rounded())
            guard expected > 0 else { continue }
            let result = try read([Float](repeating: 0.25, count: count), rate: rate)
            #expect(result.count == expected, "\(count) at \(rate)")
        }
    }
}
