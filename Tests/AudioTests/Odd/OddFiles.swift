import CSndFile
import Foundation
import TestSupport

@testable import Audio

/// Sound files in many containers, made by the test, so that it can lie in their headers.
enum OddFiles {
    struct Format: Sendable, CustomStringConvertible {
        let name: String
        let code: Int
        /// Whether samples come back as they were.
        var isExact = true
        var description: String { name }

        static let wav = Format(name: "wav", code: SF_FORMAT_WAV | SF_FORMAT_PCM_16)
        static let wavFloat = Format(name: "wav", code: SF_FORMAT_WAV | SF_FORMAT_FLOAT)
        static let aiff = Format(name: "aiff", code: SF_FORMAT_AIFF | SF_FORMAT_PCM_16)
        static let aiffFloat = Format(name: "aifc", code: SF_FORMAT_AIFF | SF_FORMAT_FLOAT)
        static let au = Format(name: "au", code: SF_FORMAT_AU | SF_FORMAT_PCM_16)
        static let auFloat = Format(name: "au", code: SF_FORMAT_AU | SF_FORMAT_FLOAT)
        static let w64 = Format(name: "w64", code: SF_FORMAT_W64 | SF_FORMAT_PCM_16)
        static let caf = Format(name: "caf", code: SF_FORMAT_CAF | SF_FORMAT_PCM_16)
        static let cafFloat = Format(name: "caf", code: SF_FORMAT_CAF | SF_FORMAT_FLOAT)
        static let flac = Format(name: "flac", code: SF_FORMAT_FLAC | SF_FORMAT_PCM_16)
        static let vorbis = Format(name: "ogg", code: SF_FORMAT_OGG | SF_FORMAT_VORBIS, isExact: false)
        static let opus = Format(name: "opus", code: SF_FORMAT_OGG | SF_FORMAT_OPUS, isExact: false)
        static let mp3 = Format(name: "mp3", code: SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, isExact: false)
    }

    /// Two seconds of a gliding tone with pauses, 16-bit, so that every exact container gives it back.
    static func tone(seconds: Double = 2, rate: Int = 16_000, pitch: Double = 220) -> [Float] {
        (0..<Int(seconds * Double(rate))).map { index in
            let time = Double(index) / Double(rate)
            let envelope = 0.5 + 0.5 * sin(2 * .pi * 1.5 * time)
            return Float((0.6 * envelope * sin(2 * .pi * (pitch + 60 * time) * time) * 32767).rounded() / 32768)
        }
    }

    /// The bytes of a file with these samples, channels interleaved.
    static func bytes(_ samples: [Float], _ format: Format, rate: Int = 16_000, channels: Int = 1) throws -> [UInt8] {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "made.\(format.name)").path
            var info = SF_INFO()
            info.samplerate = Int32(rate)
            info.channels = Int32(channels)
            info.format = Int32(format.code)
            guard let handle = sf_open(path, Int32(SFM_WRITE), &info) else {
                throw AudioError(.unsupported, String(cString: sf_strerror(nil)))
            }
            // In pieces: encoders hold a piece as a whole on the stack.
            for start in stride(from: 0, to: samples.count, by: 4096 * channels) {
                let piece = Array(samples[start..<min(start + 4096 * channels, samples.count)])
                if format.code & Int(SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16 {
                    // libsndfile would scale floats by 32767.
                    _ = sf_write_short(handle, piece.map { Int16(($0 * 32768).rounded()) }, Int64(piece.count))
                } else {
                    _ = sf_write_float(handle, piece, Int64(piece.count))
                }
            }
            sf_close(handle)
            return Array(try Data(contentsOf: URL(filePath: path)))
        }
    }
}

extension [UInt8] {
    /// The place behind the first `tag`.
    func place(behind tag: String) -> Int? {
        let tag = Array(tag.utf8)
        return indices.dropLast(tag.count).first { self[$0..<$0 + tag.count].elementsEqual(tag) }.map { $0 + tag.count }
    }

    func replacing(at place: Int, with bytes: [UInt8]) -> [UInt8] {
        Array(self[..<place]) + bytes + Array(self[(place + bytes.count)...])
    }
}

/// Read without ffmpeg, so that no installed program has a part in it.
func read(_ bytes: [UInt8], name: String = "odd", strict: Bool = false) throws -> SampleBuffer {
    var options = ReadingOptions(strict: strict)
    options.searchPath = ""
    return try SampleBuffer.read(.bytes(bytes, name: name), options: options)
}

extension SampleBuffer {
    var codes: [Notice.Code] { notices.map(\.code) }
}
