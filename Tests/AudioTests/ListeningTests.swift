import Audio
import Foundation
import TestSupport
import Testing

@Suite("Bringing a moment out") struct ListeningTests {
    /// Half a second of noise, loud enough to be heard and far from full scale.
    private func noise(_ count: Int = 8000, amplitude: Float = 0.5, seed: UInt64 = 3) -> [Float] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float.random(in: -amplitude...amplitude, using: &random) }
    }

    private func excerpt(
        _ samples: [Float], _ seconds: Range<Double>? = nil, _ moment: Moment? = nil, gain: Double = 0
    ) throws -> Excerpt {
        try Excerpt(of: SampleBuffer(samples), name: "a.wav", seconds: seconds, moment: moment, gainDecibels: gain)
    }

    @Test("the window is the samples [320 i − 500, 320 i + 500), bit for bit, and what is far from it is a tenth")
    func window() throws {
        let samples = noise()
        let result = try excerpt(samples, nil, Moment(frame: 12))
        let window = 320 * 12 - 500..<320 * 12 + 500
        #expect(result.window == window && result.range == 0..<8000 && result.limited == 1)
        #expect(Array(result.samples[window]) == Array(samples[window]))
        // 8 ms are 128 samples.
        for index in samples.indices where index < window.lowerBound - 128 || index >= window.upperBound + 128 {
            #expect(abs(result.samples[index] - samples[index] / 10) < 1e-7)
        }
    }

    @Test(
        "the edges are raised cosines outside the window: symmetric, falling, without a step", arguments: [5.0, 8, 10])
    func edges(milliseconds: Double) throws {
        let moment = try Moment(frame: 12, edgeMilliseconds: milliseconds)
        let gains = (0..<8000).map { moment.gain(at: $0) }
        let edge = Int(milliseconds * 16)
        #expect(moment.edge == edge)
        let greatest = zip(gains, gains.dropFirst()).map { abs($0 - $1) }.max() ?? 1
        #expect(greatest <= 0.9 * .pi / 2 / Float(edge + 1) * 1.0001)
        #expect(greatest > 0.9 * .pi / 2 / Float(edge + 1) * 0.99)
        for distance in 1...edge {
            let x = Double(distance) / Double(edge + 1)
            let expected = Float(0.1 + 0.9 * (0.5 + 0.5 * Foundation.cos(.pi * x)))
            #expect(abs(gains[moment.window.lowerBound - distance] - expected) < 1e-6)
            #expect(abs(gains[moment.window.upperBound - 1 + distance] - expected) < 1e-6)
        }
        #expect(gains[moment.window.lowerBound - edge - 1] == moment.surroundings)
        #expect(gains.filter { $0 == 1 }.count == 1000)
    }

    @Test("at the very start, the very end and beyond both, the window is what the recording has of it")
    func borders() throws {
        let samples = noise(3201)
        let first = try excerpt(samples, nil, Moment(frame: 0))
        #expect(first.window == 0..<500 && Array(first.samples[..<500]) == Array(samples[..<500]))
        // Frame 10 begins with the last sample.
        let last = try excerpt(samples, nil, Moment(frame: 10))
        #expect(last.window == 2700..<3201 && Array(last.samples[2700...]) == Array(samples[2700...]))
        let whole = try excerpt(samples, nil, Moment(frame: 5, windowSamples: 480_000))
        #expect(whole.window == 0..<3201 && whole.samples == samples)
        let one = try excerpt([0.25], nil, Moment(frame: 0, windowSamples: 1))
        #expect(one.samples == [0.25] && one.window == 0..<1)
    }

    @Test("a part of a recording is the part of the whole that was brought out")
    func parts() throws {
        let samples = noise()
        let moment = try Moment(frame: 12, surroundingsDecibels: -40)
        let whole = try excerpt(samples, nil, moment)
        let part = try excerpt(samples, 0.15..<0.3, moment)
        #expect(part.range == 2400..<4800 && part.samples == Array(whole.samples[2400..<4800]))
        // It may reach beyond the end.
        #expect(try excerpt(samples, 0.15..<9, moment).range == 2400..<8000)
        #expect(try excerpt(samples).samples == samples)
    }

    @Test(
        "nothing exceeds full scale, however loud it was or is made; without a moment and below it nothing is changed",
        arguments: [0.5, 1, 1.7, 40, 1e6] as [Float], [0.0, 6, 20, 60])
    func limiter(amplitude: Float, gain: Double) throws {
        let samples = noise(4000, amplitude: amplitude, seed: 8)
        let result = try excerpt(samples, nil, Moment(frame: 6), gain: gain)
        #expect(result.peak <= Limiter.fullScale && result.samples.allSatisfy(\.isFinite))
        let factor = Float(Foundation.pow(10, gain / 20))
        let plain = try excerpt(samples, nil, nil, gain: gain)
        #expect(plain.peak <= Limiter.fullScale)
        if amplitude * factor <= Limiter.fullScale {
            #expect(plain.samples == samples.map { $0 * factor } && plain.limited == 1)
        } else if amplitude * factor > 1.1 {
            #expect(plain.limited < 1)
            #expect(plain.peak > 0.5)
        }
    }

    @Test(
        "around a peak the limiter's gain is smooth, is what the peak needs at the peak, and 1 farther than its reach")
    func limiterGain() {
        let level: Float = 0.5
        var samples = [Float](repeating: level, count: 2000)
        samples[1000] = 4
        let limiter = Limiter()
        var limited = samples
        let smallest = limiter.apply(to: &limited)
        let gains = zip(limited, samples).map { $0 / $1 }
        #expect(abs(limited[1000] - Limiter.fullScale) < 1e-5 && abs(smallest - Limiter.fullScale / 4) < 1e-5)
        let steps = zip(gains, gains.dropFirst()).map { abs($0 - $1) }
        // The steepest step of a minimum that is averaged with Hann weights is the largest weight's share.
        #expect(steps.max() ?? 1 <= (1 - Limiter.fullScale / 4) * 1.01 / Float(limiter.reach + 1))
        for (index, gain) in gains.enumerated() where abs(index - 1000) > 2 * limiter.reach {
            #expect(gain == 1, "\(index)")
        }
    }

    @Test("the limiter agrees with its definition, written out", arguments: [1, 7, 80])
    func limiterOracle(reach: Int) {
        let samples = noise(600, amplitude: 1.5, seed: UInt64(reach))
        let limiter = Limiter(ceiling: 0.8, reach: reach)
        var limited = samples
        limiter.apply(to: &limited)
        let needed = samples.map { min(1, 0.8 / abs(Double($0))) }
        let clamp = { (place: Int) in min(max(place, 0), samples.count - 1) }
        let held = samples.indices.map { place in
            (max(0, place - reach)...min(samples.count - 1, place + reach)).map { needed[$0] }.min() ?? 1
        }
        let weights = (-reach...reach).map { 0.5 + 0.5 * Foundation.cos(.pi * Double($0) / Double(reach + 1)) }
        let sum = weights.reduce(0, +)
        for place in samples.indices {
            var gain = 0.0
            for offset in -reach...reach { gain += weights[offset + reach] / sum * held[clamp(place + offset)] }
            #expect(abs(Double(limited[place]) - Double(samples[place]) * gain) < 1e-5, "\(place)")
        }
    }

    @Test("what makes no sense is refused, and named")
    func refusals() throws {
        func refused(_ text: String, _ body: () throws -> Any, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(sourceLocation: sourceLocation) { _ = try body() } throws: { error in
                guard let error = error as? AudioError else { return false }
                #expect(
                    error.code == .invalidArgument && error.message.contains(text), "\(error)",
                    sourceLocation: sourceLocation)
                return true
            }
        }
        refused("frame -1") { try Moment(frame: -1) }
        refused("frame \(Int.max)") { try Moment(frame: .max) }
        refused("0 samples") { try Moment(frame: 0, windowSamples: 0) }
        refused("480001 samples") { try Moment(frame: 0, windowSamples: 480_001) }
        refused("0.0 ms") { try Moment(frame: 0, edgeMilliseconds: 0) }
        refused("nan ms") { try Moment(frame: 0, edgeMilliseconds: .nan) }
        refused("1.0 dB") { try Moment(frame: 0, surroundingsDecibels: 1) }
        refused("nan dB") { try Moment(frame: 0, surroundingsDecibels: .nan) }
        let samples = noise()
        refused("cannot start at 0.5 s; the recording ends at 0.5 s") { try excerpt(samples, 0.5..<1) }
        refused("cannot start at -1.0 s") { try excerpt(samples, -1..<1) }
        refused("has no sample") { try excerpt(samples, 0.1..<0.1) }
        refused("no moment at samples 31500 to 32500; the recording has 8000") {
            try excerpt(samples, nil, Moment(frame: 100))
        }
        refused("is not in the part from 0 to 1600") { try excerpt(samples, 0..<0.1, Moment(frame: 20)) }
        refused("61.0 dB") { try excerpt(samples, nil, nil, gain: 61) }
        refused("lasts 121.0 s; expected at most 120.0 s") { try excerpt([Float](repeating: 0, count: 121 * 16000)) }
        #expect(try excerpt([Float](repeating: 0, count: 120 * 16000)).samples.count == 120 * 16000)
    }

    @Test("as a sound file in memory it is what a file would be", arguments: SoundFileFormat.allCases)
    func bytes(format: SoundFileFormat) throws {
        let samples = try excerpt(noise(), nil, Moment(frame: 12)).samples
        let bytes = try SoundFileWriter.bytes(samples, as: format, name: "a")
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "a").path
            try SoundFileWriter.write(samples, as: format, to: path)
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
        }
        let read = try SampleBuffer.read(.bytes(bytes, name: "a")).readAll()
        #expect(read.count == samples.count)
        #expect(zip(read, samples).allSatisfy { abs($0 - $1) <= 0.5 / 32768 + 1e-7 })
        #expect(throws: AudioError.self) { try SoundFileWriter.bytes([.nan], as: format, name: "a") }
    }
}
