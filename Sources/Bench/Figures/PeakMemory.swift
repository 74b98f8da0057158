import Foundation

/// How much more memory this process has had at most since a moment; `peers.py` measures itself in the same way.
struct PeakMemory {
    private let before: Int

    /// From now on; nil where the system does not say.
    init?() {
        // Linux: the peak is from now on.
        guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return nil }
        guard (try? file.write(contentsOf: Data("5".utf8))) != nil, let before = Self.bytes("VmRSS:") else {
            return nil
        }
        self.before = before
    }

    /// Bytes above what there was.
    var bytesAbove: Int? { Self.bytes("VmHWM:").map { max(0, $0 - before) } }

    private static func bytes(_ name: String) -> Int? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
}
