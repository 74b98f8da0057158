import Files
import Audio
import Foundation
import TestSupport
import Testing

/// A damaged or senseless file and what must be said about it.
struct BadFile: CustomStringConvertible, Sendable {
    let description: String
    let bytes: [UInt8]
    let code: ErrorCode
    let words: [String]

    init(_ description: String, _ bytes: [UInt8], _ code: ErrorCode, _ words: String...) {
        (self.description, self.bytes, self.code, self.words) = (description, bytes, code, words)
    }

    static func wav(_ change: (inout WAVBytes) -> Void) -> [UInt8] {
        var wav = WAVBytes(samples: [Int16](repeating: 100, count: 1600))
        change(&wav)
        return wav.bytes
    }

    static func floats(_ samples: [Float], rate: UInt32 = 16_000, channels: UInt16 = 1) -> [UInt8] {
        var wav = WAVBytes(floats: samples)
        (wav.rate, wav.channels) = (rate, channels)
        return wav.bytes
    }

    static let all: [BadFile] = [
        BadFile("empty", [], .dataLoss, "is empty (0 bytes)", "expected a sound file"),
        BadFile("text", Array("Call me Ishmael.\n".utf8), .unsupported, "is not a sound file", "expected WAV, FLAC"),
        BadFile("no samples", wav { $0.data = [] }, .dataLoss, "holds no samples"),
        BadFile("0 Hz", wav { $0.rate = 0 }, .dataLoss, "0 samples a second", "1000 to 768000"),
        BadFile("1 Hz", wav { $0.rate = 1 }, .dataLoss, "1 samples a second"),
        BadFile("4 GHz", wav { $0.rate = .max }, .dataLoss, "4294967295 samples a second"),
        BadFile("no channel", wav { $0.channels = 0 }, .unsupported, "0 channels", "1 to 64"),
        BadFile("65 channels", wav { $0.channels = 65 }, .unsupported, "65 channels", "1 to 64"),
        BadFile("0 bits", wav { $0.bitsPerSample = 0 }, .dataLoss, "is damaged"),
        BadFile("unknown encoding", wav { $0.format = 99 }, .dataLoss, "is damaged"),
        BadFile("cut in the header", Array(wav { _ in }[..<30]), .dataLoss, "is damaged"),
        BadFile("not a number", floats([0, 1, .nan, 0]), .dataLoss, "sample 2, at 0.0 s, is nan"),
        BadFile(
            "infinite", floats([Float](repeating: 0, count: 20_003) + [-.infinity], rate: 8000, channels: 2),
            .dataLoss, "sample 10001 of channel 2, at 1.25 s, is -inf"),
        BadFile("absurdly loud", floats([0, 1e30]), .dataLoss, "sample 1", "1e+30", "plausible"),
        BadFile("FLAC header alone", flac { _ in 60 }, .dataLoss, "is damaged"),
    ]

    /// The beginning of a FLAC file of noise, `length` bytes of it.
    private static func flac(_ length: ([UInt8]) -> Int) -> [UInt8] {
        var random = SeededGenerator(seed: 11)
        let samples = random.floats(50_000)
        let bytes = try? withTemporaryFolder { folder in
            let path = folder.appending(path: "whole.flac").path
            try SoundFileWriter.write(samples, as: .flac16, to: path)
            return Array(try Data(contentsOf: URL(filePath: path)))
        }
        return bytes.map { Array($0.prefix(length($0))) } ?? []
    }
}

@Suite("Bad input is refused in words")
struct BadInputTests {
    @Test("as a file and in memory, by name", arguments: BadFile.all)
    func badFile(_ bad: BadFile) throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "bad.wav").path
            try Data(bad.bytes).write(to: URL(filePath: path))
            for source in [AudioSource.file(path), .bytes(bad.bytes, name: "bad.wav")] {
                let error = #expect(throws: AudioError.self) { try SampleBuffer.read(source) }
                #expect(error?.code == bad.code)
                let message = error?.message ?? ""
                #expect(message.hasPrefix("\(source): "))
                for words in bad.words { #expect(message.contains(words), "\(message)") }
            }
        }
    }

    @Test("a file that is not there")
    func missing() {
        let error = #expect(throws: AudioError.self) { try SampleBuffer.read(.file("/nowhere/at.wav")) }
        #expect(error?.code == .notFound)
        #expect(error?.message == "cannot read /nowhere/at.wav: No such file or directory")
    }

    @Test("a directory")
    func directory() {
        let error = #expect(throws: AudioError.self) { try SampleBuffer.read(.file("/")) }
        #expect(error?.message == "/ is a folder; expected a regular file")
    }

    @Test("a device that never ends")
    func device() {
        let error = #expect(throws: AudioError.self) { try SampleBuffer.read(.file("/dev/zero")) }
        #expect(error?.message == "/dev/zero is a device; expected a regular file")
    }

    @Test("a file without permission", .disabled(if: geteuid() == 0, "the superuser may read anything"))
    func unreadable() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "secret.wav").path
            try Data(WAVBytes(samples: [1]).bytes).write(to: URL(filePath: path))
            #expect(chmod(path, 0) == 0)
            let error = #expect(throws: AudioError.self) { try SampleBuffer.read(.file(path)) }
            #expect(error?.code == .unavailable && error?.message.contains("Permission denied") == true)
        }
    }
}
