import Audio
import Foundation
import TestSupport
import Testing

@Suite("Reading recordings")
struct ReadingTests {
    @Test("16-bit samples at 16 kHz come through untouched")
    func exact() throws {
        let samples: [Int16] = [0, 1, -1, 32767, -32768, 12345]
        let read = try SampleBuffer.read(.bytes(WAVBytes(samples: samples).bytes, name: "exact.wav"))
        #expect(try read.readAll() == samples.map { Float($0) / 32768 })
        #expect(!read.isSpooled && read.duration == 6.0 / 16_000)
    }

    @Test("channels are averaged", arguments: [1, 2, 3, 6])
    func mono(channels: Int) throws {
        var random = SeededGenerator(seed: UInt64(channels))
        let samples = random.floats(100 * channels)
        var wav = WAVBytes(floats: samples)
        wav.channels = UInt16(channels)
        let read = try SampleBuffer.read(.bytes(wav.bytes, name: "x.wav")).readAll()
        let expected = (0..<100).map { frame in
            samples[frame * channels..<(frame + 1) * channels].reduce(0, +) / Float(channels)
        }
        #expect(largestDifference(read, expected) <= 1e-7)
    }

    @Test("a file and its bytes read the same")
    func bytesAndFile() throws {
        let url = AudioFixtures.folder.appending(path: "voice.wav")
        let file = try SampleBuffer.read(.file(url.path)).readAll()
        let bytes = try SampleBuffer.read(.bytes(Array(Data(contentsOf: url)), name: "voice")).readAll()
        #expect(file == bytes && file.count == 32_000)
    }

    @Test("compressed files give the signal without delay", arguments: [("mp3", Float(0.3)), ("ogg", 0.3)])
    func compressed(kind: String, limit: Float) throws {
        let original = try AudioFixtures.samples("voice")
        for source in try sources("voice.\(kind)") {
            let decoded = try SampleBuffer.read(source).readAll()
            #expect(decoded.count == original.count)
            let noise = zip(decoded, original).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let energy = original.reduce(0) { $0 + $1 * $1 }
            #expect((noise / energy).squareRoot() < limit)
        }
    }

    private func sources(_ name: String) throws -> [AudioSource] {
        let url = AudioFixtures.folder.appending(path: name)
        return [.file(url.path), .bytes(Array(try Data(contentsOf: url)), name: name)]
    }

    @Test(
        "a real recording, 44.1 kHz stereo FLAC, is 11 s long",
        .enabled(if: AudioFixtures.hasRecordings, "the recordings in ../shared/audio are not there"))
    func recording() throws {
        let path = AudioFixtures.recordings.appending(path: "speech/jfk.flac").path
        let samples = try SampleBuffer.read(.file(path)).readAll()
        #expect(samples.count == 176_000)
        #expect(abs((samples.map(abs).max() ?? 0) - 0.783) < 0.001)
    }

    @Test(
        "a header whose writer did not know the length is read to the end",
        arguments: [
            0xFFFF_FFFF, 0x7FFF_F024, 0x8000_0000,
        ] as [UInt32])
    func unknownLength(claimed: UInt32) throws {
        var wav = WAVBytes(samples: [Int16](repeating: 7, count: 500))
        wav.claimedDataSize = claimed
        #expect(try SampleBuffer.read(.bytes(wav.bytes, name: "pipe.wav")).count == 500)
    }

    @Test("a named pipe is refused at once, and nobody waits for its writer")
    func namedPipe() throws {
        try withTemporaryFolder { folder in
            let pipe = folder.appending(path: "pipe").path
            #expect(mkfifo(pipe, 0o600) == 0)
            for source in [AudioSource.file(pipe), .spooled(path: pipe, encoding: .s16le, name: "sent")] {
                let error = #expect(throws: AudioError.self) { try SampleBuffer.read(source) }
                #expect(error?.code == .invalidArgument && error?.message.contains("is a pipe") == true)
            }
        }
    }

    @Test(
        "a crop holds the samples that cutting afterwards gives",
        arguments: [
            (0.0, 0.5), (0.25, 0.75), (0.5, 100), (0.9999, 1.5), (0.1, 0.1001),
        ])
    func crop(start: Double, end: Double) throws {
        var random = SeededGenerator(seed: 3)
        var wav = WAVBytes(floats: random.floats(22_050))
        wav.rate = 22_050
        let source = AudioSource.bytes(wav.bytes, name: "x.wav")
        let whole = try SampleBuffer.read(source).readAll()
        let part = try SampleBuffer.read(source, seconds: start..<end).readAll()
        let range = Int((start * 16_000).rounded())..<min(Int((end * 16_000).rounded()), whole.count)
        #expect(part == Array(whole[range]))
    }

    @Test(
        "a crop that holds nothing is refused",
        arguments: [
            (1.0, 2.0, "ends at 1.0 s"), (7.0, .infinity, "ends at 1.0 s"), (-1.0, 1.0, "0 or more"),
            (0.5, 0.5, "end after it"),
        ])
    func badCrop(start: Double, end: Double, words: String) {
        let wav = WAVBytes(samples: [Int16](repeating: 1, count: 16_000)).bytes
        let error = #expect(throws: AudioError.self) {
            try SampleBuffer.read(.bytes(wav, name: "x.wav"), seconds: start..<end)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(words) == true && error?.message.contains("x.wav") == true)
    }
}

@Suite("Raw samples")
struct RawSamplesTests {
    @Test("a part of a sample at the end is left out, with a notice", arguments: [1, 3, 40_001])
    func odd(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 100) }
        guard count > 1 else {
            let error = #expect(throws: AudioError.self) { try SampleBuffer.read(.pcm(bytes, name: "x")) }
            #expect(error?.message == "x: holds no samples; expected at least one")
            return
        }
        let read = try SampleBuffer.read(.pcm(bytes, name: "x"))
        #expect(read.count == count / 2 && read.notices.map(\.code) == [.takenForSamples])
    }

    @Test("nothing at all is an error")
    func empty() {
        for source in [AudioSource.pcm([], name: "standard input"), .unknown([], name: "standard input")] {
            let error = #expect(throws: AudioError.self) { try SampleBuffer.read(source) }
            #expect(error?.message == "standard input: holds no samples; expected at least one")
        }
    }
}
