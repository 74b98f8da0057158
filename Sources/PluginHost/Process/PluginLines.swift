import CDescriptors
import Files
import Foundation
import Messages

/// The lines of a plugin's log, its stdout and its stderr: bounded in length and in number.
struct PluginLines {
    enum Stream { case output, errors }

    static let longestLine = 4096
    /// Bytes that are read of a stream at once, before other things have their turn.
    private static let atOnce = 64 << 10

    private let most: Int
    private var count = 0
    private var pending: [Stream: [UInt8]] = [:]
    private(set) var outputEnded = false
    private(set) var errorsEnded = false
    private(set) var outputBytes = 0

    init(most: Int) { self.most = most }

    mutating func add(_ line: V1.PluginLog, _ log: (V1.PluginLog) -> Void) {
        guard count <= most else { return }
        count += 1
        guard count <= most else {
            return log(
                V1.PluginLog(level: "warning", message: "it wrote \(most) lines; further ones are dropped"))
        }
        let level = ["debug", "info", "warning", "error"].contains(line.level) ? line.level : "info"
        log(V1.PluginLog(level: level, message: Self.printable(DescriptionCheck.shown(line.message, Self.longestLine))))
    }

    /// Takes in what `descriptor`, which does not block, has.
    mutating func read(_ descriptor: FileDescriptor, _ stream: Stream, _ log: (V1.PluginLog) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: Self.atOnce, alignment: 16) { buffer in
            let count = Foundation.read(descriptor.number, buffer.baseAddress, buffer.count)
            guard count > 0 else {
                guard count == 0 else { return }
                if stream == .output { outputEnded = true } else { errorsEnded = true }
                return
            }
            if stream == .output { outputBytes += count }
            var line = pending[stream] ?? []
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") || line.count >= Self.longestLine {
                    add(line, stream, log)
                    line = []
                    if byte == UInt8(ascii: "\n") { continue }
                }
                line.append(byte)
            }
            pending[stream] = line
        }
    }

    /// Hands over lines that have no end.
    mutating func flush(_ log: (V1.PluginLog) -> Void) {
        for (stream, line) in pending where !line.isEmpty { add(line, stream, log) }
        pending = [:]
    }

    private mutating func add(_ line: [UInt8], _ stream: Stream, _ log: (V1.PluginLog) -> Void) {
        let text = String(decoding: line, as: UTF8.self)
        add(V1.PluginLog(level: "info", message: "\(stream == .output ? "stdout" : "stderr"): \(text)"), log)
    }

    /// Without what would move a terminal's cursor.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control && $0 != "\t" ? "\u{FFFD}" : $0 }))
    }
}
