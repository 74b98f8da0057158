import Audio
import Foundation
import TestSupport
import Testing

@Suite("Writing sound files")
struct WritingTests {
    @Test("what was written reads back", arguments: SoundFileFormat.allCases)
    func roundTrip(format: SoundFileFormat) throws {
        try withTemporaryFolder { folder in
            var random = SeededGenerator(seed: 14)
            // Multiples of 2⁻¹⁵ are exact in all three formats.
            let samples = random.floats(5000).map { ($0 * 32768).rounded(.towardZero) / 32768 }
            let path = folder.appending(path: "out").path
            try SoundFileWriter.write(samples, as: format, to: path)
            #expect(try SampleBuffer.read(.file(path)).readAll() == samples)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out"])
        }
    }

    @Test("integers are rounded and clipped, floats kept")
    func clipping() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "out").path
            let samples: [Float] = [2, -2, 1, -1, 0.4 / 32768, 0.6 / 32768]
            let clipped: [Float] = [32767, -32768, 32767, -32768, 0, 1].map { $0 / 32768 }
            try SoundFileWriter.write(samples, as: .wav16, to: path)
            #expect(try SampleBuffer.read(.file(path)).readAll() == clipped)
            // What is beyond full scale is brought back where it is read.
            let inside = Array(samples.dropFirst(2))
            try SoundFileWriter.write(inside, as: .wavFloat, to: path)
            #expect(try SampleBuffer.read(.file(path)).readAll() == inside)
        }
    }

    @Test("the same samples give the same bytes", arguments: SoundFileFormat.allCases)
    func reproducible(format: SoundFileFormat) throws {
        try withTemporaryFolder { folder in
            let bytes = try ["a", "b"].map { name in
                let path = folder.appending(path: name).path
                try SoundFileWriter.write([0.25, -0.5, 0.75], sampleRate: 44_100, as: format, to: path)
                return try Data(contentsOf: URL(filePath: path))
            }
            #expect(bytes[0] == bytes[1])
        }
    }

    @Test("a failure leaves what was there and nothing else")
    func failure() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "out.wav").path
            try SoundFileWriter.write([0.5], as: .wav16, to: path)
            let before = try Data(contentsOf: URL(filePath: path))
            let error = #expect(throws: AudioError.self) {
                try SoundFileWriter.write([0, .nan], as: .wavFloat, to: path)
            }
            #expect(error?.message == "\(path): cannot hold sample 1, which is nan")
            #expect(try Data(contentsOf: URL(filePath: path)) == before)

            let taken = folder.appending(path: "folder")
            try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
            #expect(throws: AudioError.self) { try SoundFileWriter.write([0], as: .wav16, to: taken.path) }
            #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["out.wav", "folder"])
        }
    }

    @Test("where there is no folder the message says so")
    func noFolder() {
        let error = #expect(throws: AudioError.self) {
            try SoundFileWriter.write([0], as: .flac16, to: "/nowhere/out.flac")
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "/nowhere/out.flac: cannot be written: No such file or directory")
    }

    @Test("a sample rate that makes no sense is refused", arguments: [-1, 0, 1_000_000])
    func badRate(rate: Int) {
        #expect(throws: AudioError.self) {
            try SoundFileWriter.write([0], sampleRate: rate, as: .wav16, to: "/nowhere/x.wav")
        }
    }
}
