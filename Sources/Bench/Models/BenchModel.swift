import Files
import Foundation
import Whisper

/// A model that is measured: a checkpoint's folder, released or drawn.
public struct BenchModel {
    /// What tables call it.
    public let name: String
    public let path: String
    public let dimensions: ModelDimensions
    public let isRandom: Bool

    /// A folder that somebody named.
    /// - Throws: what opening it throws.
    init(path: String) throws {
        self.path = path
        name = URL(fileURLWithPath: path).lastPathComponent
        dimensions = try Checkpoint.open(path).dimensions
        isRandom = false
    }

    /// Drawn weights, written below `folder`.
    /// - Throws: what writing them throws.
    init(random name: String, _ dimensions: ModelDimensions, below folder: String) throws {
        path = "\(folder)/random-\(name)"
        self.name = "\(name)'s dimensions, random weights"
        self.dimensions = dimensions
        isRandom = true
        if !FileManager.default.fileExists(atPath: path + "/config.json") {
            try RandomCheckpoint(dimensions).write(to: path)
        }
    }

    /// Released models that this user has downloaded.
    static func downloaded() -> [String] {
        ["whisper-tiny.en", "whisper-tiny", "whisper-base"].map { "\(DataFolder().models)/\($0)" }
            .filter { FileManager.default.fileExists(atPath: $0 + "/model.safetensors") }
    }

    /// The first special token, `<|endoftext|>`: all below it are ordinary. As published vocabularies are.
    var endOfText: Int { dimensions.nVocab == 51864 ? 50256 : 50257 }

    /// `<|startoftranscript|>`, for a multilingual one English and the task, and `<|notimestamps|>`.
    var prompt: [Int] {
        switch dimensions.nVocab {
        case 51864: [50257, 50362]
        case 51866: [50258, 50259, 50360, 50364]
        default: [50258, 50259, 50359, 50363]
        }
    }

    /// Bytes that one process with these weights in float32 holds, with room for what it computes.
    var residentBytes: Double { 4 * ModelCost.weights(dimensions) * 1.3 + 5e8 }
}

/// The system's memory.
enum SystemMemory {
    /// Bytes that can be had without swapping (`MemAvailable`); nil where the system does not say.
    static func available() -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
