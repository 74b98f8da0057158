import Audio
import Foundation
import Mel
import TestSupport
import Testing

@Suite("Long recordings")
struct LongRecordingTests {
    /// A WAV file of `seconds` of silence that takes no room on the disk.
    private func sparseWAV(seconds: Int, rate: Int = 8000, in folder: URL) throws -> String {
        var header = WAVBytes(samples: [])
        header.rate = UInt32(rate)
        header.claimedDataSize = UInt32(seconds * 2 * rate)
        let path = folder.appending(path: "long.wav").path
        try Data(header.bytes).write(to: URL(filePath: path))
        #expect(truncate(path, off_t(44 + seconds * 2 * rate)) == 0)
        return path
    }

    @Test("ten hours are gone through in little memory")
    func tenHours() throws {
        try withTemporaryFolder { folder in
            let path = try sparseWAV(seconds: 36_000, rate: 16_000, in: folder)
            let before = residentBytes()
            let end = try SampleBuffer.read(.file(path), seconds: 35_990..<36_000)
            #expect(end.count == 160_000 && end.notices.isEmpty)
            #expect(residentBytes() - before < 64 << 20)
        }
    }

    private func residentBytes() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }

    @Test("past ten minutes the samples lie in a temporary file, and nothing is left of it")
    func spools() throws {
        try withTemporaryFolder { folder in
            let path = try sparseWAV(seconds: 660, in: folder)
            let spool = SampleSpool(name: "long.wav", directory: folder.path)
            let samples = try SampleBuffer.read(.file(path), into: spool)
            #expect(samples.count == 660 * 16_000 && samples.isSpooled)
            #expect(try samples.read(10_000_000..<10_000_010) == [Float](repeating: 0, count: 10))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["long.wav"])
            let mel = try RecordingMel(samples, bands: 80)
            #expect(mel.contentFrames == 66_000)
            #expect(try mel.window(from: 63_000, count: 3000).elements.allSatisfy { $0 == -1.5 })
        }
    }

    @Test("a spool gives back what went in, at any limit", arguments: [0, 1, 999, 1000, 1001, 2500, 10_000])
    func limits(limit: Int) throws {
        var random = SeededGenerator(seed: 13)
        let blocks = (0..<5).map { _ in random.floats(1000) }
        var spool = SampleSpool(name: "x", memoryLimit: limit)
        for block in blocks { try block.withUnsafeBufferPointer { try spool.append($0) } }
        #expect(spool.count == 5000)
        let buffer = spool.finish()
        #expect(buffer.isSpooled == (limit < 5000))
        let all = blocks.flatMap { $0 }
        #expect(try buffer.readAll() == all)
        for range in [0..<0, 0..<1, 999..<1001, 4999..<5000, 5000..<5000, 123..<4567] {
            #expect(try buffer.read(range) == Array(all[range]))
        }
    }

    @Test("without a place for the temporary file the message names the place")
    func noPlace() {
        var spool = SampleSpool(name: "x.wav", memoryLimit: 0, directory: "/nowhere")
        let error = #expect(throws: AudioError.self) {
            try [Float(1)].withUnsafeBufferPointer { try spool.append($0) }
        }
        #expect(error?.code == .unavailable)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("x.wav: ") && message.contains("/nowhere") && message.contains("$TMPDIR"))
    }
}
