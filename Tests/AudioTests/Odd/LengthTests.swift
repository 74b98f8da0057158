import Foundation
import TestSupport
import Testing

@testable import Audio

/// One policy for wrong lengths, in every container.
@Suite("Lengths that are wrong") struct LengthTests {
    static let formats: [OddFiles.Format] = [.wav, .aiff, .au, .w64, .caf, .flac, .vorbis, .opus, .mp3]

    @Test(
        "what is left of a file that was cut is used, with a notice, and refused by who is strict",
        arguments: formats.filter { $0.name != "ogg" })
    func cut(format: OddFiles.Format) throws {
        let whole = try OddFiles.bytes(OddFiles.tone(seconds: 4), format)
        let part = Array(whole.prefix(whole.count * 2 / 3))
        let read = try read(part)
        #expect((1.5...3.2).contains(read.duration), "\(read.duration)")
        #expect(read.codes.contains(.cutShort) || read.codes.contains(.damaged), "\(read.notices)")
        let error = #expect(throws: AudioError.self) { try AudioTests.read(part, strict: true) }
        #expect(error?.code == .dataLoss)
        // What is there is what is there in the whole.
        if format.isExact {
            #expect(try read.readAll() == Array(OddFiles.tone(seconds: 4).prefix(read.count)))
        }
    }

    @Test("of Vorbis, whose pages hold some seconds, the whole pages are left")
    func cutVorbis() throws {
        var random = SeededGenerator(seed: 3)
        let whole = try OddFiles.bytes(random.floats(60 * 16_000).map { $0 * 0.5 }, .vorbis)
        let read = try read(Array(whole.prefix(whole.count * 2 / 3)))
        #expect((10...41).contains(read.duration), "\(read.duration)")
        #expect(read.codes.contains(.cutShort) || read.codes.contains(.damaged), "\(read.notices)")
    }

    @Test("a whole file is read by who is strict, too", arguments: formats)
    func whole(format: OddFiles.Format) throws {
        #expect(try read(OddFiles.bytes(OddFiles.tone(), format), strict: true).notices.isEmpty)
    }

    /// Where each container has the number of bytes of its samples, and how it writes one.
    static let lengths:
        [(format: OddFiles.Format, place: @Sendable ([UInt8]) -> Int?, number: @Sendable (Int) -> [UInt8])] = [
            (.wav, { $0.place(behind: "data") }, { littleBytes(UInt32($0)) }),
            (.aiff, { $0.place(behind: "SSND") }, { bigBytes(UInt32($0 + 8)) }),
            (.au, { _ in 8 }, { bigBytes(UInt32($0)) }),
            (.w64, { $0.place(behind: "data").map { $0 + 12 } }, { littleBytes(UInt64($0 + 24)) }),
            (.caf, { $0.place(behind: "data") }, { bigBytes(UInt64($0 + 4)) }),
        ]

    @Test("a length that was never filled in is found out", arguments: 0..<lengths.count)
    func zero(index: Int) throws {
        let (format, place, number) = Self.lengths[index]
        let samples = OddFiles.tone()
        let bytes = try OddFiles.bytes(samples, format)
        let lying = bytes.replacing(at: try #require(place(bytes)), with: number(0))
        let read = try read(lying)
        #expect(try read.readAll() == samples)
        #expect(read.codes == [.wrongLength], "\(read.notices)")
    }

    @Test("a length that is a little too large is passed over", arguments: 0..<lengths.count)
    func slightlyTooLarge(index: Int) throws {
        let (format, place, number) = Self.lengths[index]
        let samples = OddFiles.tone()
        let bytes = try OddFiles.bytes(samples, format)
        let lying = bytes.replacing(at: try #require(place(bytes)), with: number(2 * samples.count + 2))
        let read = try read(lying)
        #expect(try read.readAll() == samples)
        #expect(read.notices.isEmpty, "\(read.notices)")
    }

    @Test("a length that is seconds too large is told", arguments: 0..<lengths.count)
    func tooLarge(index: Int) throws {
        let (format, place, number) = Self.lengths[index]
        let samples = OddFiles.tone()
        let bytes = try OddFiles.bytes(samples, format)
        let lying = bytes.replacing(at: try #require(place(bytes)), with: number(2 * samples.count + 96_000))
        let read = try read(lying)
        #expect(try read.readAll() == samples)
        #expect(read.codes.allSatisfy { $0 == .cutShort } && !read.codes.isEmpty, "\(read.notices)")
    }

    @Test("a WAV whose data chunk is empty, with other chunks behind it, holds no samples")
    func empty() throws {
        var wav = WAVBytes(samples: [])
        wav.data = Array("LIST".utf8) + littleBytes(UInt32(8)) + Array("INFOIART".utf8)
        wav.claimedDataSize = 0
        let bytes = wav.bytes
        let error = #expect(throws: AudioError.self) { try read(bytes) }
        #expect(error?.message.contains("holds no samples") == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test("zeros before the first frame, and rubbish between frames, are passed over with a notice")
    func rubbish() throws {
        let clean = try OddFiles.bytes(OddFiles.tone(), .mp3)
        let expected = try read(clean)
        let late = try read([UInt8](repeating: 0, count: 5000) + clean)
        #expect(try late.readAll() == expected.readAll())
        #expect(late.codes == [.passedOver], "\(late.notices)")
        var random = SeededGenerator(seed: 4)
        let noise = (0..<3000).map { _ in UInt8.random(in: 0..<0xFF, using: &random) }
        // Between two frames, found by walking.
        var place = ID3.end(in: RecordingBytes(clean), from: 0)
        while place < clean.count / 2 { place += try #require(MPEGFrame(clean[place..<place + 4])).length }
        let torn = try read(Array(clean[..<place]) + noise + Array(clean[place...]))
        #expect(try torn.readAll() == expected.readAll())
        #expect(torn.codes == [.passedOver], "\(torn.notices)")
    }

    @Test("a chunk of peaks of another size is passed over with a notice")
    func peaks() throws {
        let samples = OddFiles.tone(seconds: 0.5)
        let wav = WAVBytes(floats: samples).bytes
        let peak = Array("PEAK".utf8) + littleBytes(UInt32(12)) + [UInt8](repeating: 1, count: 12)
        let data = try #require(wav.place(behind: "data")) - 4
        let odd = try read(Array(wav[..<data]) + peak + Array(wav[data...]))
        #expect(try odd.readAll() == samples)
        #expect(odd.codes == [.passedOver], "\(odd.notices)")
    }

    @Test("MPEG in WAV is read, though its header counts a frame that is only part there")
    func mpegInWAV() throws {
        let mp3 = try OddFiles.bytes(OddFiles.tone(), .mp3)
        var wav = WAVBytes(samples: [])
        wav.format = 0x55
        wav.bitsPerSample = 0
        wav.data = Array(mp3[ID3.end(in: RecordingBytes(mp3), from: 0)...])
        // MPEGLAYER3WAVEFORMAT: 14 bytes behind the 16 of plain samples.
        let more =
            littleBytes(UInt16(12)) + littleBytes(UInt16(1)) + littleBytes(UInt32(2)) + [UInt8](repeating: 1, count: 6)
        let plain = wav.bytes
        let format = try #require(plain.place(behind: "fmt "))
        let bytes = Array(plain[..<(format + 20)]) + more + Array(plain[(format + 20)...])
        let read = try read(
            bytes.replacing(at: format, with: littleBytes(UInt32(30)))
                .replacing(at: 4, with: littleBytes(UInt32(bytes.count - 8))))
        #expect(abs(read.duration - 2) < 0.2)
        #expect(read.notices.isEmpty, "\(read.notices)")
    }
}
