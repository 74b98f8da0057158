import Glibc
import Kernels
import Mel
import TestSupport
import Testing

@testable import PluginSound

@Suite("From log-mels to sound") struct SoundTests {
    /// A second of two voices' worth of partials over a little noise.
    static func sound(_ count: Int = 16_000, seed: UInt64 = 3) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let noise: [Float] = generator.floats(count, in: -0.01...0.01)
        return (0..<count).map { at in
            let t: Float = Float(at) / 16_000
            var value: Float = noise[at]
            for partial in 1...8 {
                let pitch: Float = 140 + 40 * t
                value += 0.1 / Float(partial) * sinf(2 * Float.pi * pitch * Float(partial) * t)
            }
            return value
        }
    }

    @Test(
        "the transform's power, through the mel filters, is the log-mel but for the ends, and its inverse is the sound")
    func transform() {
        let sound = Self.sound(), transform = ShortTimeTransform()
        let spectrum = transform.spectrum(sound)
        #expect(spectrum.frames == 101)
        let inverse = MelInverse(bands: 80)
        let heard: [Float] = inverse.melPower(spectrum.power, spectrum.frames)
        let expected: [Float] = MelInverse.power(ofLogMel: LogMel(bands: 80).spectrogram(sound).elements, bands: 80)
        var worst: Float = 0
        for at in 2 * 80..<97 * 80 {
            let difference: Float = abs(heard[at] - expected[at]) / expected[at]
            worst = max(worst, difference)
        }
        #expect(worst < 2e-3)
        let back: [Float] = transform.samples(spectrum)
        #expect(back.count == sound.count)
        #expect(largestDifference(back, sound) < 1e-5)
    }

    @Test("sounds of any length come back, none and one sample too", arguments: [0, 1, 159, 160, 399, 1601])
    func lengths(count: Int) {
        let transform = ShortTimeTransform(), sound = Self.sound(count)
        let back: [Float] = transform.samples(transform.spectrum(sound))
        #expect(back.count == count)
        #expect(largestDifference(back, sound) < 1e-5)
    }

    @Test("power that is found for a log-mel is not negative, and its log-mel is that one; more steps come nearer")
    func nonNegative() {
        let mel: [Float] = MelInverse.power(ofLogMel: LogMel(bands: 80).spectrogram(Self.sound()).elements, bands: 80)
        let inverse = MelInverse(bands: 80)
        func error(_ steps: Int) -> Double {
            let power = inverse.powerSpectra(mel, steps: steps)
            #expect(power.allSatisfy { $0 >= 0 && $0.isFinite })
            let heard: [Float] = inverse.melPower(power, 100)
            var sum: Double = 0
            for at in mel.indices {
                let relative: Double = Double((heard[at] - mel[at]) / mel[at])
                sum += relative * relative
            }
            return (sum / Double(mel.count)).squareRoot()
        }
        let errors: [Double] = [1, 10, 100].map(error)
        #expect(errors[0] > errors[1] && errors[1] > errors[2])
        #expect(errors[2] < 0.05)
        #expect(inverse.powerSpectra([]).isEmpty)
    }

    @Test("phases that are found make magnitudes agree, the more steps the better, and seeds make them the same again")
    func phases() {
        let sound = Self.sound(8_000), transform = ShortTimeTransform()
        let power: [Float] = Array(transform.spectrum(sound).power.prefix(50 * ShortTimeTransform.bins))
        let few = GriffinLim(transform, steps: 1), many = GriffinLim(transform, steps: 60)
        let first: [Float] = few.samples(power: power, seed: 1), last: [Float] = many.samples(power: power, seed: 1)
        #expect(last.count == 8_000)
        let before = many.distance(of: first, from: power), after = many.distance(of: last, from: power)
        #expect(after < before && after < 0.2)
        #expect(many.samples(power: power, seed: 1) == last)
        // The sound's own phases are a fixed point.
        let own: [Float] = many.samples(power: power, seed: 1, beginning: sound)
        #expect(many.distance(of: own, from: power) < 0.01)
    }

    @Test("a log-mel goes to sound and back")
    func roundTrip() {
        let logMel = LogMel(bands: 80), mel = logMel.window(Self.sound(), firstFrames: 100).elements
        let power = MelInverse(bands: 80).powerSpectra(MelInverse.power(ofLogMel: mel, bands: 80))
        let sound: [Float] = GriffinLim().samples(power: power, seed: 5)
        let back: [Float] = logMel.window(sound, firstFrames: 100).elements
        var sum: Double = 0
        for at in mel.indices { sum += Double(abs(back[at] - mel[at])) }
        let mean: Double = sum / Double(mel.count)
        #expect(mean < 0.12)
    }

    @Test("all of a spectrogram is the sound, none is silence, and a half has its own half of it")
    func parts() {
        let sound = Self.sound(), part = SpectrogramPart(sound, bands: 80)
        #expect(part.frames == 100)
        let all: [Float] = part.samples([Float](repeating: 1, count: 8_000))
        // The lowest and the highest frequency are in no filter.
        #expect(largestDifference(all, sound) < 0.02)
        #expect(part.samples([Float](repeating: 0, count: 8_000)).allSatisfy { $0 == 0 })
        let early: [Float] = part.samples((0..<8_000).map { $0 % 100 < 50 ? 1 : 0 })
        #expect(early[9_000...].allSatisfy { abs($0) < 1e-6 })
        #expect(largestDifference(Array(early[..<7_000]), Array(all[..<7_000])) < 1e-5)
    }

    @Test("a picture has its frequencies upwards and its seconds to the right")
    func picture() {
        let picture = MelPicture((0..<160).map { Float($0) }, bands: 80, start: 2)
        #expect(picture.frames == 2 && picture.values.first == 158 && picture.values.last == 1)
        #expect(picture.axes[1].first == 2 && picture.axes[1].step == 0.01)
        #expect(picture.axes[0].labels.count == 80 && picture.axes[0].labels.last == "37 Hz")
    }
}
