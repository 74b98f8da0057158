import Audio
import Kernels
import Mel
import TestSupport
import Testing

@Suite("Log-mel of sound that comes in pieces")
struct StreamingMelTests {
    /// Sounds with silence in between, and a loud moment.
    private func sound(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return random.floats(count, in: -1...1).enumerated().map { i, value in
            switch i / 3000 % 4 {
            case 0: value * 0.01
            case 1: 0
            case 2: value
            default: value * 0.2
            }
        }
    }

    @Test(
        "a window of what came is the window of the same samples, to the bit, whatever the pieces",
        arguments: [1, 7, 159, 160, 161, 777, 8000, 30_000])
    func window(piece: Int) {
        let samples = sound(piece < 100 ? 2000 : 30_000, seed: UInt64(piece))
        let whole = LogMel(bands: 80)
        var mel = StreamingMel(bands: 80)
        for start in stride(from: 0, to: samples.count, by: piece) {
            mel.append(samples[start..<min(start + piece, samples.count)])
            let come = Array(samples[..<min(start + piece, samples.count)])
            #expect(mel.samples == come)
            guard piece >= 100 || start % 97 == 0 else { continue }
            let window = mel.window(windowSamples: 32_000)
            #expect(window.elements == whole.window(come, windowSamples: 32_000).elements, "\(come.count) samples")
        }
    }

    @Test("complete frames are the whole spectrogram's, scaled by the range's own maximum")
    func ranges() {
        let samples = sound(40_000, seed: 2)
        var mel = StreamingMel(bands: 128)
        for start in stride(from: 0, to: samples.count, by: 1000) { mel.append(samples[start..<start + 1000]) }
        // The last frame needs the sample 200 behind its centre.
        #expect(mel.frames == 0..<(40_000 - 201) / 160 + 1)
        let whole = LogMel(bands: 128).spectrogram(samples)
        let all = mel.spectrogram(of: mel.frames)
        // The loudest moment lies in both.
        for frame in mel.frames {
            for band in [0, 1, 64, 127] { #expect(all[band, frame] == whole[band, frame]) }
        }
        #expect(mel.spectrogram(of: 7..<7).shape == [128, 0])
        // In a range of soft sound alone, its own maximum counts.
        let soft = mel.spectrogram(of: 2..<15).elements
        #expect(soft.max()! < whole.elements.max()!)
        #expect(soft.min()! >= soft.max()! - 2)
    }

    @Test("what is let go changes nothing of what is kept", arguments: [1, 2, 3, 50, 100])
    func letGo(frames: Int) {
        let samples = sound(48_000, seed: 3)
        let whole = LogMel(bands: 80)
        var (mel, kept) = (StreamingMel(bands: 80), StreamingMel(bands: 80))
        var first = 0
        for start in stride(from: 0, to: samples.count, by: 1600) {
            let piece = samples[start..<start + 1600]
            mel.append(piece)
            kept.append(piece)
            if start % 8000 == 4800 {
                let gone = min(frames, mel.samples.count / 160)
                mel.removeFirst(frames: gone)
                first += gone
            }
            #expect(mel.firstFrame == first && mel.frames.upperBound >= kept.frames.upperBound)
            let rest = Array(samples[160 * first..<start + 1600])
            #expect(mel.samples == rest)
            #expect(mel.window(windowSamples: 48_000).elements == whole.window(rest, windowSamples: 48_000).elements)
            // The sound that was let go is still what the first frames see.
            let both = mel.frames.clamped(to: kept.frames)
            #expect(mel.spectrogram(of: both).elements == kept.spectrogram(of: both).elements)
        }
    }

    @Test("everything can be let go, frames that are not complete as well")
    func letAllGo() {
        let samples = sound(12_000, seed: 4)
        var (mel, kept) = (StreamingMel(bands: 80), StreamingMel(bands: 80))
        mel.append(samples[..<4800])
        mel.removeFirst(frames: 30)
        #expect(mel.samples.isEmpty && mel.frames.isEmpty && mel.firstFrame == 30)
        #expect(mel.window(windowSamples: 1600).elements.allSatisfy { $0 == -1.5 })
        mel.append(samples[4800...])
        kept.append(samples)
        let both = 30..<kept.frames.upperBound
        #expect(mel.frames == both)
        #expect(mel.spectrogram(of: both).elements == kept.spectrogram(of: both).elements)
    }

    @Test("nothing gives nothing")
    func nothing() {
        var mel = StreamingMel(bands: 80)
        mel.append([])
        mel.removeFirst(frames: 0)
        #expect(mel.frames.isEmpty && mel.window(windowSamples: 0).shape == [80, 0])
    }
}
