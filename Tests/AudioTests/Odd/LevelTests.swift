import Foundation
import TestSupport
import Testing

@testable import Audio

/// Samples of another scale do not pass without a notice.
@Suite("Samples of another scale") struct LevelTests {
    static let formats: [OddFiles.Format] = [.wavFloat, .aiffFloat, .auFloat, .cafFloat]

    @Test("a file on the scale of integers is divided by its full scale", arguments: formats)
    func scaled(format: OddFiles.Format) throws {
        let samples = OddFiles.tone()
        for scale in [Float](arrayLiteral: 128, 32_768, 8_388_608) {
            let read = try read(OddFiles.bytes(samples.map { $0 * scale }, format))
            #expect(try read.readAll() == samples)
            #expect(read.codes == [.scaled], "\(read.notices)")
        }
    }

    @Test("a hundred times too loud is a scale, too", arguments: formats)
    func hundredfold(format: OddFiles.Format) throws {
        let read = try read(OddFiles.bytes(OddFiles.tone().map { $0 * 100 }, format))
        let samples = try read.readAll()
        #expect(read.codes == [.scaled] && samples.allSatisfy { abs($0) <= 1 })
    }

    @Test("a few samples beyond full scale are set to it, as ffmpeg does", arguments: formats)
    func clipped(format: OddFiles.Format) throws {
        var samples = OddFiles.tone()
        samples[100] = 1.5
        samples[200] = -3
        let read = try read(OddFiles.bytes(samples, format))
        samples[100] = 1
        samples[200] = -1
        #expect(try read.readAll() == samples)
        #expect(read.codes == [.clipped] && read.notices.first?.text.contains("2 samples") == true)
    }

    @Test("a file on the right scale stays as it is", arguments: formats)
    func right(format: OddFiles.Format) throws {
        let samples = OddFiles.tone()
        let read = try read(OddFiles.bytes(samples, format))
        #expect(try read.readAll() == samples && read.notices.isEmpty)
    }

    @Test(
        "channels that cancel are told, and channels that agree are not",
        arguments: [OddFiles.Format.wav, .flac, .aiff, .w64])
    func channels(format: OddFiles.Format) throws {
        let tone = OddFiles.tone()
        func interleaved(_ right: (Float) -> Float) -> [Float] { tone.flatMap { [$0, right($0)] } }
        let inverted = try read(OddFiles.bytes(interleaved { -$0 }, format, channels: 2))
        #expect(inverted.codes == [.channelsCancel])
        for other in [interleaved { $0 }, interleaved { _ in 0 }] {
            #expect(try read(OddFiles.bytes(other, format, channels: 2)).notices.isEmpty)
        }
    }
}
