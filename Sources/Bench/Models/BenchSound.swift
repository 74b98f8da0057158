import Audio
import Foundation
import Mel
import Whisper

/// What is listened to: speech that the repository has, over and over until it is long enough; and its log-mel.
struct BenchSound {
    private let speech: [Float]
    private let folder: String

    /// - Throws: ``BenchError`` where the clips are not there; what reading them throws.
    init(_ session: Session) throws {
        folder = session.folder
        let clips = FileManager.default.currentDirectoryPath + "/models/demo"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: clips))?.sorted() ?? []
        speech = try names.filter { $0.hasPrefix("en-") && $0.hasSuffix(".flac") }
            .flatMap { try SampleBuffer.read(.file("\(clips)/\($0)")).readAll() }
        guard !speech.isEmpty else {
            throw BenchError("no speech in \(clips): run auscult-bench in the repository's folder")
        }
    }

    /// Samples at 16 kHz.
    func samples(seconds: Double) -> [Float] {
        let count = Int(seconds * Double(SampleBuffer.sampleRate))
        return (0..<count).map { speech[$0 % speech.count] }
    }

    /// A file with them.
    func file(seconds: Double) throws -> String {
        let path = "\(folder)/sound-\(seconds).f32"
        if !FileManager.default.fileExists(atPath: path) { try FloatFile.write(samples(seconds: seconds), to: path) }
        return path
    }

    /// A file with the log-mel of the first `seconds`, `[bands, 100 × seconds]`, the same numbers for everybody.
    func mel(bands: Int, seconds: Double) throws -> (path: String, frames: Int) {
        let path = "\(folder)/mel-\(bands)-\(seconds).f32"
        let frames = Int(seconds * 100)
        if !FileManager.default.fileExists(atPath: path) {
            let mel = LogMel(bands: bands).spectrogram(samples(seconds: seconds))
            try mel.withUnsafeBufferPointer { try FloatFile.write($0, to: path) }
        }
        return (path, frames)
    }
}
