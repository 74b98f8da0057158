import Foundation
import TestSupport
import Testing

@testable import Audio

/// Bytes that nobody knows are opened, and only what is left is samples.
@Suite("Bytes of an unknown kind") struct UnknownBytesTests {
    private func sniff(_ bytes: [UInt8]) throws -> SampleBuffer {
        var options = ReadingOptions()
        options.searchPath = ""
        return try SampleBuffer.read(.unknown(bytes, name: "standard input"), options: options)
    }

    private func pcm(_ samples: [Float]) -> [UInt8] { samples.flatMap { littleBytes(Int16($0 * 32_768)) } }

    static let formats: [OddFiles.Format] = [
        .wav, .aiff, .au, .caf, .w64, .flac, .vorbis, .opus, .mp3,
    ]

    @Test("a sound file is read as what it is", arguments: formats)
    func sound(format: OddFiles.Format) throws {
        let bytes = try OddFiles.bytes(OddFiles.tone(), format)
        let sniffed = try sniff(bytes)
        #expect(try sniffed.readAll() == read(bytes).readAll() && sniffed.notices.isEmpty)
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: "upload")
        let spooled = try SampleBuffer.read(.spooled(path: path, encoding: .unknown, name: "standard input"))
        #expect(try spooled.readAll() == sniffed.readAll())
    }

    @Test("samples are samples, however they begin", arguments: 0..<6)
    func samples(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let samples: [Float] =
            switch seed {
            // Such bytes begin a frame of MPEG.
            case 0: [Float](repeating: -1.0 / 32_768, count: 8000)
            case 1: (0..<8000).map { Float(Int16(bitPattern: $0 % 2 == 0 ? 0xFBFF : 0x6490)) / 32_768 }
            case 2: [Float](repeating: 0, count: 8000)
            case 3: random.floats(8000).map { ($0 * 3000).rounded() / 32_768 }
            default: OddFiles.tone(pitch: Double(100 * seed))
            }
        let read = try sniff(pcm(samples))
        #expect(try read.readAll() == samples && read.notices.isEmpty, "\(read.notices)")
    }

    @Test("what looks like something else is told", arguments: ["text", "PDF", "zip", "noise", "odd"])
    func doubts(kind: String) throws {
        var random = SeededGenerator(seed: 9)
        let bytes: [UInt8] =
            switch kind {
            case "text": Array(String(repeating: "Call me Ishmael. ", count: 40).utf8)
            case "PDF": Array("%PDF-1.7\n".utf8) + [UInt8](repeating: 0xE2, count: 999)
            case "zip": Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 9, count: 1000)
            case "noise": (0..<65_536).map { _ in UInt8.random(in: 0...255, using: &random) }
            default: pcm(OddFiles.tone()) + [7]
            }
        let read = try sniff(bytes)
        #expect(read.codes == [.takenForSamples], "\(read.notices)")
        #expect(throws: AudioError.self) {
            try SampleBuffer.read(.unknown(bytes, name: "x"), options: ReadingOptions(strict: true))
        }
    }

    @Test("who says that it is samples gets them, with a notice where it looks like a sound file", arguments: formats)
    func raw(format: OddFiles.Format) throws {
        let bytes = Array(try OddFiles.bytes(OddFiles.tone(), format).prefix(2000))
        let read = try SampleBuffer.read(.pcm(bytes, name: "x"))
        #expect(read.count == 1000)
        if format.name != "mp3", format.name != "w64" { #expect(read.codes == [.takenForSamples], "\(read.notices)") }
    }
}
