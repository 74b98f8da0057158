import PluginKit
import TestHost
import TestSupport

/// A recording of noise, different for each number, with what is known of it.
func recording(
    _ number: UInt64, _ text: String = "", seconds: Double = 1, labels: [String: String] = [:],
    words: [(start: Double, end: Double, label: String)] = []
) -> TestClip {
    var clip = TestClip()
    clip.recording = number
    clip.name = "\(number).wav"
    clip.duration = seconds
    clip.validFrames = Int(seconds * 50)
    var generator = SeededGenerator(seed: number + 1)
    clip.samples = generator.floats(Int(seconds * 16_000), in: -0.1...0.1)
    clip.labels = labels
    if !text.isEmpty { clip.labels["text"] = text }
    clip.words = words
    return clip
}

/// Tables by their columns, of the results of an instance.
extension TestInstance {
    func rows(_ output: String, recording: String = "") throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = try result(output, recording: recording) else { throw NoTable() }
        return rows.map { Dictionary(uniqueKeysWithValues: zip(columns, $0)) }
    }

    func matrix(_ output: String, recording: String = "") throws -> (values: [Double], shape: [Int]) {
        guard case .array(let values, let shape) = try result(output, recording: recording) else { throw NoTable() }
        return (values, shape)
    }

    func text(_ output: String, recording: String = "") throws -> String {
        guard case .text(let text) = try result(output, recording: recording) else { throw NoTable() }
        return text
    }

    /// Rows as text, for comparing: a NaN is one.
    func lines(_ output: String, recording: String = "") throws -> [String] {
        guard case .table(_, let rows) = try result(output, recording: recording) else { throw NoTable() }
        return rows.map { $0.map { "\($0)" }.joined(separator: " ") }
    }

    func has(_ output: String) -> Bool { results.contains { $0.output == output } }
}

struct NoTable: Error {}

extension [String: Cell] {
    func number(_ column: String) -> Double { if case .number(let number) = self[column] { number } else { .nan } }
    func text(_ column: String) -> String { if case .text(let text) = self[column] { text } else { "" } }
}
