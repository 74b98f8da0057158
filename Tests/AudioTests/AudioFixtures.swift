import Audio
import Foundation
import Kernels

/// The golden log-mel values and their signals; `Tests/Fixtures/audio/generate.py` writes them.
enum AudioFixtures {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let folder = package.appending(path: "Tests/Fixtures/audio")
    /// Recordings outside the package, where they are.
    static let recordings = package.appending(path: "../shared/audio").standardizedFileURL
    static var hasRecordings: Bool { FileManager.default.fileExists(atPath: recordings.path) }

    struct MelCase: Decodable, CustomStringConvertible, Sendable {
        let signal: String
        let bands: Int
        /// "none", "window N" or "after N".
        let padding: String
        let frames: Int
        let kept: [Int]
        let offset: Int

        var description: String { "\(signal), \(bands) bands, padding \(padding)" }

        /// N of the padding.
        var paddingCount: Int { padding.split(separator: " ").last.flatMap { Int($0) } ?? 0 }

        /// The reference's values, `[bands, kept.count]`.
        func expected() throws -> [Float] {
            let data = try Data(contentsOf: folder.appending(path: "logmel.f32"))
            let range = 4 * offset..<4 * (offset + bands * kept.count)
            return data[range].withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        }

        /// The columns of `mel`, `[bands, frames]`, that the fixture keeps.
        func keptColumns(_ mel: Tensor) -> [Float] {
            let values = mel.elements
            return (0..<bands).flatMap { band in kept.map { values[band * mel.shape[1] + $0] } }
        }
    }

    static let melCases: [MelCase] = {
        struct Index: Decodable { let cases: [MelCase] }
        let data = (try? Data(contentsOf: folder.appending(path: "logmel.json"))) ?? Data()
        return (try? JSONDecoder().decode(Index.self, from: data).cases) ?? []
    }()

    struct FilterRow: Decodable {
        let bands: Int
        let band: Int
        let weights: [Float]
    }

    static func filterRows() throws -> [FilterRow] {
        try JSONDecoder().decode([FilterRow].self, from: Data(contentsOf: folder.appending(path: "filters.json")))
    }

    static func samples(_ signal: String) throws -> [Float] {
        switch signal {
        case "voice": return try SampleBuffer.read(.file(folder.appending(path: "voice.wav").path)).readAll()
        case "silence": return [Float](repeating: 0, count: 1600)
        case "click": return (0..<4000).map { $0 == 1000 ? 1 : 0 }
        case "square": return (0..<8000).map { $0 % 40 < 20 ? 1 : -1 }
        case "one": return [0.5]
        default: throw AudioError(.notFound, "no signal '\(signal)'")
        }
    }
}

/// A folder that lasts as long as `body`.
func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "auscult-audio-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// A WAV file, byte by byte, so that a test can lie in its header.
struct WAVBytes {
    var rate: UInt32 = 16_000
    var channels: UInt16 = 1
    var bitsPerSample: UInt16 = 16
    /// 1 integers, 3 floats.
    var format: UInt16 = 1
    var data: [UInt8] = []
    /// What the header says; nil for the truth.
    var claimedDataSize: UInt32?

    init(samples: [Int16]) { data = samples.flatMap { Self.little(UInt16(bitPattern: $0)) } }

    init(floats: [Float]) {
        format = 3
        bitsPerSample = 32
        data = floats.flatMap { Self.little($0.bitPattern) }
    }

    var bytes: [UInt8] {
        let frame = UInt32(channels) * UInt32(bitsPerSample) / 8
        let size = claimedDataSize ?? UInt32(data.count)
        var out = Array("RIFF".utf8) + Self.little(size &+ 36) + Array("WAVEfmt ".utf8) + Self.little(UInt32(16))
        out += Self.little(format) + Self.little(channels) + Self.little(rate) + Self.little(rate &* frame)
        out += Self.little(UInt16(truncatingIfNeeded: frame)) + Self.little(bitsPerSample)
        return out + Array("data".utf8) + Self.little(size) + data
    }

    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}
