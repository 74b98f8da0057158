import Foundation
import TestSupport
import Testing

@testable import Audio

/// Headers of chance: each file is read or refused in words, and nothing worse.
@Suite("Mutated headers") struct MutationTests {
    /// For each container; more by the variable `AUSCULT_MUTATIONS`.
    private static let rounds = ProcessInfo.processInfo.environment["AUSCULT_MUTATIONS"].flatMap { Int($0) } ?? 10_000

    // Not MP3's frames: libmpg123 would fill the log with its own complaints. They are walked below.
    static let formats: [OddFiles.Format] = [.wav, .wavFloat, .aiff, .au, .w64, .caf, .flac, .vorbis, .opus]

    private func mutate(_ seed: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let place = Int.random(in: 0..<min(200, bytes.count), using: &random)
            bytes[place] =
                Bool.random(using: &random)
                ? [0, 0xFF, 0x7F, 0x80].randomElement(using: &random)! : .random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        }
        return bytes
    }

    @Test("are read or refused", arguments: formats)
    func read(format: OddFiles.Format) throws {
        var random = SeededGenerator(seed: 12)
        let seed = try OddFiles.bytes(OddFiles.tone(seconds: 0.05), format)
        for _ in 0..<Self.rounds {
            let bytes = mutate(seed, &random)
            do {
                #expect(try AudioTests.read(bytes, name: "mutated").count > 0)
            } catch let error as AudioError {
                #expect(error.message.hasPrefix("mutated: "))
            }
        }
    }

    @Test("of frames of MPEG are walked to the end")
    func frames() throws {
        var random = SeededGenerator(seed: 13)
        let seed = try OddFiles.bytes(OddFiles.tone(seconds: 0.5), .mp3)
        for _ in 0..<Self.rounds {
            let bytes = RecordingBytes(mutate(seed, &random))
            for stream in try SoundPlan.make(bytes, name: "mutated")?.streams ?? [] {
                for case .range(let range) in stream.pieces {
                    #expect(range.lowerBound >= 0 && range.upperBound <= bytes.size)
                }
            }
        }
    }

    @Test("that promise without end take no memory", arguments: [UInt32(0x7FFF_FFFF), 0xFFFF_FFFE, 0xFFFF_FFFF])
    func promises(claimed: UInt32) throws {
        var wav = WAVBytes(samples: [Int16](repeating: 7, count: 500))
        wav.claimedDataSize = claimed
        #expect(try AudioTests.read(wav.bytes).count == 500)
    }
}
