import Foundation
import PluginDraws
import PluginKit
import TestHost
import TestSupport

/// The library that was built, through the C interface alone.
func featuresPlugin(_ folder: TemporaryFolder) throws -> TestPlugin {
    try TestPlugin.built("features", in: folder.path)
}

/// A table of a run, put together from its pieces, with cells by their columns' names.
struct ResultTable {
    let columns: [String]
    let rows: [[Cell]]

    init(_ id: String, of instance: TestInstance) throws {
        let pieces = instance.results.filter { $0.output == id }.compactMap { result -> ([String], [[Cell]])? in
            if case .table(let columns, let rows) = result.value { (columns, rows) } else { nil }
        }
        guard let first = pieces.first else { throw TestFailure("there is no table \(id)") }
        columns = first.0
        rows = pieces.flatMap(\.1)
    }

    /// Rows whose cells are `wanted`.
    func rows(where wanted: [String: Cell]) -> [[Cell]] {
        rows.filter { row in wanted.allSatisfy { column, cell in self.cell(row, column) == cell } }
    }

    func cell(_ row: [Cell], _ column: String) -> Cell? { columns.firstIndex(of: column).map { row[$0] } }

    func number(_ row: [Cell], _ column: String) throws -> Double {
        guard case .number(let number)? = cell(row, column) else {
            throw TestFailure("\(column) is no number in \(row)")
        }
        return number
    }

    func text(_ row: [Cell], _ column: String) throws -> String {
        guard case .text(let text)? = cell(row, column) else { throw TestFailure("\(column) is no text in \(row)") }
        return text
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ message: String) { description = message }
}

/// Made-up recordings of a made-up language: each frame hears one of `sounds`, and `activation` says what each feature
/// does with it.
struct MadeUpSpeech {
    static let hook = "encoder.blocks.0.mlp.1"
    var hook = Self.hook
    var sounds = ["a", "b", "s", "t", "m"]
    var framesOfSound = 4
    var features = 6
    var speakers = 4
    var seed: UInt64 = 1
    /// Values of the features in a frame, from the sound in it and in the frames before (nearest first).
    var activation: @Sendable (_ heard: [String], _ draws: inout SplitMix) -> [Float]

    func clip(_ recording: Int, frames: Int = 100) -> TestClip {
        var draws = SplitMix(seed: Hashing.key(seed: seed, recording: UInt64(recording), frame: 0))
        var clip = TestClip()
        clip.recording = UInt64(recording)
        clip.name = "r\(recording).wav"
        clip.duration = Double(frames) / 50
        clip.validFrames = frames
        // Drawn: labels that repeat in a period are as they were when they are rotated by it.
        let language = draws.next() % 3 == 0 ? "fr" : "en"
        clip.labels = ["speaker": "s\(draws.next() % UInt64(speakers))", "language": language]
        var heard: [String] = []
        var values: [Float] = []
        for frame in 0..<frames {
            if frame % framesOfSound == 0 {
                let sound = sounds[Int(draws.next() % UInt64(sounds.count))]
                clip.phonemes.append((Double(frame) / 50, Double(min(frame + framesOfSound, frames)) / 50, sound))
            }
            heard.insert(clip.phonemes[clip.phonemes.count - 1].label, at: 0)
            values += activation(heard, &draws)
        }
        clip.tensors = [
            TestTensor(hook, axes: ["frame", "neuron"], shape: [frames, features], values: values)
        ]
        return clip
    }
}

extension SplitMix {
    /// Uniform in [−1, 1).
    mutating func noise() -> Float { Float(Hashing.unit(next()) * 2 - 1) }
}

extension Cell {
    init(_ number: Int) { self = .number(Double(number)) }
    init(_ number: Double) { self = .number(number) }
    init(_ text: String) { self = .text(text) }
}
