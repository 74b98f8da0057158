import Foundation
import TestSupport
import Testing

@testable import Audio

/// What libsndfile does not read goes through ffmpeg; a script in its place tries the wall.
@Suite("Sound through ffmpeg") struct ForeignTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file that begins like MP4.
    private let mp4: [UInt8] =
        Array("\0\0\0\u{18}ftypM4A \0\0\0\0M4A mp42isom".utf8) + [UInt8](repeating: 0, count: 100)

    private func options(_ script: String, patience: Double = 20, longest: Double = 60) throws -> ReadingOptions {
        let path = try folder.write(Array("#!/bin/sh\n\(script)\n".utf8), to: "ffmpeg")
        #expect(chmod(path, 0o755) == 0)
        var options = ReadingOptions()
        options.searchPath = folder.path
        options.patience = patience
        options.longestForeign = longest
        return options
    }

    private func refusal(_ options: ReadingOptions) -> AudioError? {
        #expect(throws: AudioError.self) { try SampleBuffer.read(.bytes(mp4, name: "x.m4a"), options: options) }
    }

    @Test("the samples that it gives are taken, with the file under its number 3")
    func samples() throws {
        let read = try SampleBuffer.read(.bytes(mp4, name: "x.m4a"), options: options("cat /proc/self/fd/3"))
        #expect(read.count == mp4.count / 2 && read.notices.isEmpty)
        let path = try folder.write(mp4, to: "x.m4a")
        let again = try SampleBuffer.read(.file(path), options: options("cat /proc/self/fd/3"))
        #expect(try again.readAll() == read.readAll())
    }

    @Test("what it complains of beside samples is a notice, what it says without any an error")
    func words() throws {
        let options = try options("cat /proc/self/fd/3; echo 'moov is late' >&2")
        let read = try SampleBuffer.read(.bytes(mp4, name: "x.m4a"), options: options)
        #expect(read.codes == [.damaged] && read.notices.first?.text.contains("moov is late") == true)
        let error = refusal(try self.options("echo 'moov atom not found' >&2; exit 1"))
        #expect(error?.code == .dataLoss && error?.message.contains("moov atom not found") == true)
        #expect(refusal(try self.options("exit 3"))?.message.contains("ended with 3") == true)
        #expect(refusal(try self.options("exit 0"))?.message.contains("no sound") == true)
    }

    @Test("one that stands still is ended, and so is one that gives without end, and one that talks without end")
    func hostile() throws {
        let still = refusal(try options("exec sleep 100", patience: 0.3))
        #expect(still?.code == .unavailable && still?.message.contains("gave nothing for 0.3 s") == true)
        let endless = refusal(try options("exec cat /dev/zero", longest: 3))
        #expect(endless?.code == .unsupported)
        let talking = refusal(try options("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1"))
        #expect((talking?.message.utf8.count ?? .max) < 5000)
    }

    @Test("a part that is asked for ends it early")
    func part() throws {
        let options = try options("exec cat /dev/zero")
        let read = try SampleBuffer.read(.bytes(mp4, name: "x.m4a"), seconds: 1..<2, options: options)
        #expect(read.count == 16_000)
    }

    @Test(
        "without it the message names what the file is, and ffmpeg",
        arguments: [
            ("MP4", "\0\0\0\u{18}ftypisom"), ("WebM", "\u{1A}\u{45}\u{DF}\u{A3}"), ("WMA", "\u{30}\u{26}\u{B2}\u{75}"),
            ("AMR", "#!AMR\n"), ("AVI", "RIFF\0\0\0\0AVI LIST"), ("AAC", "\u{FF}\u{F1}\u{50}\u{80}\u{43}\u{FF}\u{FC}"),
        ])
    func absent(kind: String, head: String) throws {
        var options = ReadingOptions()
        options.searchPath = "/nowhere:relative:"
        let bytes = head.unicodeScalars.map { UInt8($0.value) } + [UInt8](repeating: 0, count: 600)
        for source in [AudioSource.bytes(bytes, name: "x"), .unknown(bytes, name: "x")] {
            let error = #expect(throws: AudioError.self) { try SampleBuffer.read(source, options: options) }
            #expect(error?.code == .unsupported)
            #expect(
                error?.message.contains(kind) == true && error?.message.contains("ffmpeg") == true,
                "\(error.map { "\($0)" } ?? "")")
        }
    }

    static let ffmpeg: String? = {
        let places: [String] = ReadingOptions().searchPath.split(separator: ":").map { "\($0)/ffmpeg" }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    @Test(
        "the real one gives the sound of its twin", .enabled(if: ffmpeg != nil, "ffmpeg is not installed"),
        arguments: [["m4a", "aac"], ["webm", "libopus"], ["mkv", "flac"], ["wma", "wmav2"], ["mp4", "aac"]])
    func real(kind: [String]) throws {
        let samples = OddFiles.tone()
        let wav = try folder.write(OddFiles.bytes(samples, .wav), to: "twin.wav")
        let made = folder("made.\(kind[0])")
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.ffmpeg))
        process.arguments = ["-v", "error", "-nostdin", "-i", wav, "-c:a", kind[1], made]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "this ffmpeg has no encoder \(kind[1])")
        let read = try SampleBuffer.read(.file(made))
        #expect(abs(read.duration - 2) < 0.2)
        // Encoders delay by a fraction of a second, so loudness is compared, not samples.
        func loudness(_ samples: [Float]) -> Float {
            (samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)).squareRoot()
        }
        #expect(try abs(loudness(read.readAll()) / loudness(samples) - 1) < 0.15)
    }
}
