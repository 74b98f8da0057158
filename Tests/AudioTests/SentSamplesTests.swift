import Audio
import Foundation
import TestSupport
import Testing

@Suite("Samples that were sent") struct SentSamplesTests {
    private let values: [Int16] = [0, 1, -1, 32767, -32768, 12345]
    private var pcm: [UInt8] { values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }
    private var floats: [Float] { values.map { Float($0) / 32768 } }

    private func bytes(_ floats: [Float]) -> [UInt8] {
        floats.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }

    @Test("raw samples in memory and in a file are the same, whatever their encoding")
    func raw() throws {
        let folder = try TemporaryFolder()
        let sources: [AudioSource] = [
            .pcm(pcm, name: "x"),
            .spooled(path: try folder.write(pcm, to: "a"), encoding: .s16le, name: "x"),
            .spooled(path: try folder.write(bytes(floats), to: "b"), encoding: .f32le, name: "x"),
        ]
        for source in sources {
            #expect(try SampleBuffer.read(source).readAll() == floats)
            #expect(try SampleBuffer.read(source, seconds: 0..<3.0 / 16000).readAll() == Array(floats.prefix(3)))
        }
    }

    @Test("float samples that cross the pieces they are read in stay whole")
    func pieces() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 1)
        let floats = generator.floats(50_001)
        let source = AudioSource.spooled(path: try folder.write(bytes(floats), to: "f"), encoding: .f32le, name: "x")
        #expect(try SampleBuffer.read(source).readAll() == floats)
    }

    @Test("a spooled sound file is read like the file itself, through a descriptor's path as well")
    func soundFile() throws {
        let path = Fixtures.path("audio/voice.wav")
        let expected = try SampleBuffer.read(.file(path)).readAll()
        #expect(try SampleBuffer.read(.spooled(path: path, encoding: .file, name: "x")).readAll() == expected)
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let through = AudioSource.spooled(path: "/proc/self/fd/\(descriptor)", encoding: .file, name: "x")
        for _ in 0..<2 { #expect(try SampleBuffer.read(through).readAll() == expected) }
    }

    @Test("what is wrong with them is told under the name that was given, without the path")
    func errors() throws {
        let folder = try TemporaryFolder()
        let sources: [AudioSource] = [
            .pcm([1], name: "call 7"), .pcm([], name: "call 7"),
            .spooled(path: try folder.write([1, 2, 3], to: "odd"), encoding: .f32le, name: "call 7"),
            .spooled(path: try folder.write(bytes([0, .nan]), to: "nan"), encoding: .f32le, name: "call 7"),
            .spooled(path: try folder.write(bytes([1e30]), to: "big"), encoding: .f32le, name: "call 7"),
            .spooled(path: try folder.write(Array("hello".utf8), to: "text"), encoding: .file, name: "call 7"),
            .spooled(path: try folder.write([UInt8](), to: "empty"), encoding: .file, name: "call 7"),
            .spooled(path: folder("absent"), encoding: .s16le, name: "call 7"),
        ]
        for source in sources {
            let error = #expect(throws: AudioError.self) { try SampleBuffer.read(source) }
            #expect(error?.message.contains("call 7") == true, "\(error.map { "\($0)" } ?? "")")
            #expect(error?.message.contains(folder.path) == false)
        }
    }
}
