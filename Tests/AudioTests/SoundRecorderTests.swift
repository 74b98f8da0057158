import Audio
import Foundation
import TestSupport
import Testing

@Suite("Sound that is written while it comes") struct SoundRecorderTests {
    private let samples = (0..<50_000).map { Int16(truncatingIfNeeded: $0 &* 7919) }

    private func read(_ path: String) throws -> [Int16] {
        try SampleBuffer.read(.file(path)).readAll().map { Int16(($0 * 32768).rounded()) }
    }

    @Test("pieces of any length are read back as they were")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let recorder = try SoundRecorder(folder("sound.flac"))
        var at = 0
        for count in [1, 0, 159, 16_000, 33_840] {
            try recorder.append(Array(samples[at..<at + count]))
            at += count
        }
        try recorder.finish()
        #expect(at == samples.count)
        #expect(try read(folder("sound.flac")) == samples)
        #expect(throws: AudioError.self) { try recorder.append([0]) }
    }

    @Test("a place where no file can be is refused by its name")
    func refused() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: AudioError.self) { try SoundRecorder(folder("nowhere/sound.flac")) }
        #expect("\(error?.message ?? "")".contains("nowhere/sound.flac"))
    }
}
