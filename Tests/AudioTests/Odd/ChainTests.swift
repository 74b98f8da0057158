import Foundation
import TestSupport
import Testing

@testable import Audio

/// A library's end is not taken for the file's end.
@Suite("Streams in a row") struct ChainTests {
    static let formats: [OddFiles.Format] = [.vorbis, .opus, .flac, .wav, .aiff, .au, .mp3]

    @Test("each is heard, to the last", arguments: formats)
    func chained(format: OddFiles.Format) throws {
        let first = try OddFiles.bytes(OddFiles.tone(), format)
        let second = try OddFiles.bytes(OddFiles.tone(seconds: 1.3, pitch: 500), format)
        let whole = try read(first + second + first)
        let alone = try [first, second, first].flatMap { try read($0).readAll() }
        #expect(whole.count == alone.count && whole.notices.isEmpty)
        #expect(try whole.readAll() == alone)
    }

    @Test("the second may have another rate and other channels", arguments: formats)
    func another(format: OddFiles.Format) throws {
        let first = try OddFiles.bytes(OddFiles.tone(), format)
        let stereo = OddFiles.tone(seconds: 1, rate: 48_000).flatMap { [$0, $0] }
        let second = try OddFiles.bytes(stereo, format, rate: 48_000, channels: 2)
        let whole = try read(first + second)
        let alone = try [first, second].flatMap { try read($0).readAll() }
        #expect(try whole.readAll() == alone)
        #expect(abs(whole.duration - 3) < 0.2)
    }

    @Test("an MPEG stream of changing bit rate is heard to its end, whatever its first frame lets expect")
    func variable() throws {
        // Silence is cheap: estimated by its first frames, the file would be long; the other way round, short.
        let silence = try OddFiles.bytes([Float](repeating: 0, count: 64_000), .mp3)
        let voice = try OddFiles.bytes(OddFiles.tone(), .mp3)
        // Without the first frame, which says how many follow.
        func frames(_ bytes: [UInt8]) throws -> [UInt8] {
            let start = ID3.end(in: RecordingBytes(bytes), from: 0)
            let first = try #require(MPEGFrame(bytes[start..<start + 4]))
            let hasHeader = XingHeader(RecordingBytes(bytes), at: start, first) != nil
            return Array(bytes[(start + (hasHeader ? first.length : 0))...])
        }
        for parts in [[silence, voice], [voice, silence]] {
            let bytes = try parts.flatMap(frames)
            var plan = SoundPlan()
            _ = try MPEG.walk(RecordingBytes(bytes), 0, "x", &plan)
            #expect(plan.streams.count == 1)
            #expect(try abs(read(bytes).duration - 6) < 0.3)
        }
    }

    @Test("one stream alone is as it was, without a word", arguments: formats)
    func alone(format: OddFiles.Format) throws {
        let samples = OddFiles.tone()
        let read = try read(OddFiles.bytes(samples, format))
        #expect(read.notices.isEmpty)
        if format.isExact { #expect(try read.readAll() == samples) }
    }
}
