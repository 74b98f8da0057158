import Client
import Files
import Foundation
import Messages
import Results

/// The results of a part in a file, so that a second call need not run it again.
///
/// A line with the format, the key of what was run and the seconds that it took; then the plugin's events, each behind
/// its length as four little-endian bytes. What is not exactly that is as if it were not there.
struct KeptResults {
    let key: String
    let run: RunResults
    let seconds: Double

    private static let format = "auscult-kept/1"

    init(key: String, run: RunResults, seconds: Double) {
        self.key = key
        self.run = run
        self.seconds = seconds
    }

    /// What is kept at `path` under `key`; nil where there is nothing of that key.
    init?(at path: String, key: String) {
        guard let bytes = FileManager.default.contents(atPath: path).map(Array.init),
            let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ").map(String.init)
        guard head.count == 3, head[0] == Self.format, head[1] == key, let seconds = Double(head[2]) else { return nil }
        var run = RunResults()
        var rest = bytes[(end + 1)...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count, let event = try? V1.PluginEvent(serialized: Array(rest.prefix(length)))
            else { return nil }
            rest = rest.dropFirst(length)
            switch event.event {
            case .description(let description)?: run.description = description
            case .result(let result)?: run.results.append(result)
            case .skipped(let skipped)?: run.skipped.append(skipped)
            case .end(let end)?: run.end = end
            default: return nil
            }
        }
        // Without its end it is not whole.
        guard run.end != nil else { return nil }
        self.init(key: key, run: run, seconds: seconds)
    }

    func write(to path: String) throws {
        var out = Array("\(Self.format) \(key) \(seconds)\n".utf8)
        func append(_ event: V1.PluginEvent.Event) {
            let bytes = V1.PluginEvent(event: event).serialized()
            withUnsafeBytes(of: UInt32(clamping: bytes.count).littleEndian) { out.append(contentsOf: $0) }
            out += bytes
        }
        append(.description(run.description))
        for skipped in run.skipped { append(.skipped(skipped)) }
        for result in run.results { append(.result(result)) }
        append(.end(run.end ?? .init()))
        try PendingFile.write(out, to: path)
    }
}
