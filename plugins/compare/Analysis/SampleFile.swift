import Foundation
import PluginKit
import TensorFiles

/// An ``ActivationSample`` as a safetensors file, float32:
///
/// - `<hook>` [rows, width]: activations.
/// - `rows` [rows, 8]: the digest of the window's samples in four parts of 16 bits, the frame in two, and places in `names` of the label and of
///   the speaker; all are whole numbers that float32 holds.
/// - `__metadata__`: `format` ("auscult-compare/1"), `names` (a JSON array of strings), `hooks` (the same), `label`, `model`, `model_sha256`,
///   `precision`.
enum SampleFile {
    static let format = "auscult-compare/1"

    static func write(_ sample: ActivationSample, facts: [String: String], to path: String) throws {
        var facts = facts
        facts["format"] = format
        facts["names"] = "[\(sample.names.map(JSONValue.quoted).joined(separator: ","))]"
        facts["hooks"] = "[\(sample.hooks.map(JSONValue.quoted).joined(separator: ","))]"
        var tensors = zip(sample.hooks, sample.widths).map { SafetensorsOutput.Declaration($0, [sample.count, $1]) }
        tensors.append(.init("rows", [sample.count, 8]))
        let file = try SafetensorsOutput(path: path, tensors, metadata: facts)
        for values in sample.values { try file.append(values) }
        try file.append(
            (0..<sample.count).flatMap { row -> [Float] in
                let digest = UInt(bitPattern: sample.digests[row])
                return (0..<4).map { Float(digest >> (16 * UInt($0)) & 0xffff) }
                    + [
                        Float(sample.frames[row] & 0xffff), Float(sample.frames[row] >> 16), Float(sample.labels[row]),
                        Float(sample.speakers[row]),
                    ]
            })
        try file.finish()
    }

    /// - Returns: the sample, and what the file says of itself.
    static func read(_ path: String) throws -> (sample: ActivationSample, facts: [String: String]) {
        let file = try SafetensorsFile(path: path), facts = file.metadata
        guard facts["format"] == format, let names = strings(facts["names"]), let hooks = strings(facts["hooks"]),
            let shape = file.shape(of: "rows"), shape.count == 2, shape[1] == 8
        else {
            throw PluginError(
                .invalidArgument,
                "with: \(path) is no file of sampled activations (format '\(facts["format"] ?? "none")', expected \(format)); "
                    + "out= writes one")
        }
        let count = shape[0]
        var (widths, values) = ([Int](), [[Float]]())
        for hook in hooks {
            guard let shape = file.shape(of: hook), shape.count == 2, shape[0] == count else {
                throw PluginError(.invalidArgument, "with: \(path) has no activations of \(hook) for its \(count) rows")
            }
            widths.append(shape[1])
            values.append(try file.tensor(named: hook).withUnsafeBufferPointer(Array.init))
        }
        let rows: [Float] = try file.tensor(named: "rows").withUnsafeBufferPointer { Array($0) }
        guard rows.allSatisfy({ $0 >= 0 && $0 < 16_777_216 && $0 == $0.rounded() }) else {
            throw PluginError(.invalidArgument, "with: \(path) has rows of what is no whole number")
        }
        func number(_ row: Int, _ column: Int) -> Int { Int(rows[row * 8 + column]) }
        let sample = ActivationSample(
            hooks: hooks, widths: widths, values: values,
            digests: (0..<count).map { row in
                Int(bitPattern: (0..<4).reduce(UInt(0)) { $0 | UInt(number(row, $1)) << (16 * UInt($1)) })
            },
            frames: (0..<count).map { number($0, 4) | number($0, 5) << 16 }, labels: (0..<count).map { number($0, 6) },
            speakers: (0..<count).map { number($0, 7) }, names: names)
        guard sample.isSound else {
            throw PluginError(.invalidArgument, "with: \(path) is damaged: its rows have other sizes than it says")
        }
        return (sample, facts)
    }

    private static func strings(_ text: String?) -> [String]? {
        text.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
    }
}
