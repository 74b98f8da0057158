import Audio
import Kernels
import Mel
import TestSupport
import Testing

@Suite("Log-mel")
struct LogMelTests {
    @Test("the golden fixtures are there")
    func fixtures() { #expect(AudioFixtures.melCases.count == 20) }

    @Test("equals openai-whisper's everywhere, padding included, to 1e-4", arguments: AudioFixtures.melCases)
    func equalsReference(_ golden: AudioFixtures.MelCase) throws {
        let mel = try spectrogram(golden)
        #expect(mel.shape == [golden.bands, golden.frames])
        #expect(largestDifference(golden.keptColumns(mel), try golden.expected()) <= 1e-4)
    }

    private func spectrogram(_ golden: AudioFixtures.MelCase) throws -> Tensor {
        let samples = try AudioFixtures.samples(golden.signal)
        let mel = LogMel(bands: golden.bands)
        if golden.padding.hasPrefix("window") { return mel.window(samples, windowSamples: golden.paddingCount) }
        return mel.spectrogram(samples + [Float](repeating: 0, count: golden.paddingCount))
    }

    @Test("silence is exactly −1.5")
    func silence() {
        let mel = LogMel(bands: 80).window([], windowSamples: 3200)
        #expect(mel.shape == [80, 20])
        #expect(mel.elements.allSatisfy { $0 == -1.5 })
    }

    @Test("has n/160 frames, down to none", arguments: [0, 1, 159, 160, 161, 200, 201, 320, 4001])
    func frameCount(samples: Int) {
        var random = SeededGenerator(seed: 4)
        let mel = LogMel(bands: 80).spectrogram(random.floats(samples, in: -1...1))
        #expect(mel.shape == [80, samples / 160])
        #expect(mel.elements.allSatisfy { $0.isFinite })
    }

    @Test("a window cuts what is longer and fills up what is shorter")
    func window() {
        var random = SeededGenerator(seed: 5)
        let samples = random.floats(5000, in: -1...1)
        let mel = LogMel(bands: 128)
        let cut = mel.window(samples, windowSamples: 3200)
        #expect(cut.elements == mel.spectrogram(Array(samples[..<3200])).elements)
        let filled = mel.window(samples, windowSamples: 6400)
        #expect(filled.elements == mel.spectrogram(samples + [Float](repeating: 0, count: 1400)).elements)
    }

    @Test(
        "the first frames of a window are those of the whole window, to the bit", arguments: [1, 160, 3199, 3200, 5000])
    func firstFrames(samples: Int) {
        var random = SeededGenerator(seed: 6)
        let samples = random.floats(samples, in: -1...1)
        let mel = LogMel(bands: 80)
        let frames = 34
        let whole = mel.window(samples, windowSamples: 48_000)
        let first = mel.window(samples, firstFrames: frames)
        #expect(first.shape == [80, frames])
        for band in 0..<80 {
            #expect(
                Array(first.elements[band * frames..<(band + 1) * frames])
                    == Array(whole.elements[band * 300..<band * 300 + frames]))
        }
    }

    @Test(
        "encoder frames are 320 samples, and a part of one counts",
        arguments: [
            (0, 0), (1, 1), (319, 1), (320, 1), (321, 2), (480_000, 1500), (Int.max, Int.max / 320 + 1),
        ])
    func validFrames(samples: Int, frames: Int) {
        #expect(EncoderFrames.valid(sampleCount: samples) == frames)
    }
}

@Suite("Mel filters")
struct MelFilterTests {
    @Test("equal the table that librosa made for openai-whisper")
    func equalTable() throws {
        for row in try AudioFixtures.filterRows() {
            let filters = MelFilters(bands: row.bands).matrix.rows(row.band..<row.band + 1).elements
            // One unit in the last place of the largest weights, about 0.025.
            #expect(largestDifference(filters, row.weights) <= 2e-9, "\(row.bands) bands, band \(row.band)")
        }
    }

    @Test("follow librosa's formula for any size", arguments: [(40, 512, 22_050), (64, 400, 16_000), (10, 64, 8_000)])
    func formula(bands: Int, frameSize: Int, rate: Int) {
        let matrix = MelFilters(bands: bands, frameSize: frameSize, sampleRate: rate).matrix
        let top = MelFilters.mel(hertz: Double(rate) / 2)
        let corner = (0..<bands + 2).map { MelFilters.hertz(mel: top * Double($0) / Double(bands + 1)) }
        for band in 0..<bands {
            for bin in 0...frameSize / 2 {
                let f = Double(bin * rate) / Double(frameSize)
                let rising = (f - corner[band]) / (corner[band + 1] - corner[band])
                let falling = (corner[band + 2] - f) / (corner[band + 2] - corner[band + 1])
                let weight = max(0, min(rising, falling)) * 2 / (corner[band + 2] - corner[band])
                #expect(abs(Double(matrix[band, bin]) - weight) <= 1e-8)
            }
        }
    }

    @Test("the scale is linear to 1 kHz, logarithmic above, and inverts", arguments: [0.0, 200, 999, 1000, 1001, 8000])
    func scale(hertz: Double) {
        #expect(abs(MelFilters.hertz(mel: MelFilters.mel(hertz: hertz)) - hertz) < 1e-9)
        #expect(abs(MelFilters.mel(hertz: 1000) - 15) < 1e-12 && abs(MelFilters.mel(hertz: 6400) - 42) < 1e-12)
    }
}
