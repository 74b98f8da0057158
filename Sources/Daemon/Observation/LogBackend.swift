import Files
import Foundation
import Logging

/// Writes the daemon's log, one line an event, whatever the event contains.
///
/// As text: `2026-01-01T00:00:00.000Z notice connection 3: closed reason=stalled`, where `connection 3` is the logger's
/// label. As JSON: an object with `time`, `level`, `label`, `message` and `metadata`. Under systemd the journal knows
/// the time, and takes the level from a prefix (`<5>`, sd-daemon(3)).
package struct LogBackend: LogHandler {
    /// Takes a finished line with its line break. Called on the thread that logs.
    package typealias Output = @Sendable (String) -> Void

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: LogFormat
    private let isJournal: Bool
    private let now: @Sendable () -> Date
    private let output: Output

    /// - Parameters:
    ///   - isJournal: whether the output is the journal's; ``isJournal(environment:descriptor:)`` tells.
    ///   - now: the time of an event.
    package init(
        label: String, level: Logger.Level, format: LogFormat, isJournal: Bool,
        now: @escaping @Sendable () -> Date = { Date() }, output: @escaping Output = LogBackend.standardError
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.isJournal = isJournal
        self.now = now
        self.output = output
    }

    /// A line in one write where the system takes it, so that the lines of threads do not mix. Where it refuses there
    /// is nowhere left to say so.
    package static let standardError: Output = { line in
        _ = Array(line.utf8).withUnsafeBytes { writeAll($0, to: STDERR_FILENO) }
    }

    /// Whether `descriptor` leads to the journal: `$JOURNAL_STREAM` names its device and inode (systemd.exec(5)). The
    /// variable alone says little, as children with another standard error inherit it.
    package static func isJournal(
        environment: [String: String] = ProcessInfo.processInfo.environment, descriptor: Int32 = STDERR_FILENO
    ) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        let parts = stream.split(separator: ":").map { UInt64($0) }
        var status = stat()
        guard parts.count == 2, fstat(descriptor, &status) == 0 else { return false }
        return parts[0] == UInt64(status.st_dev) && parts[1] == UInt64(status.st_ino)
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let prefix = isJournal ? "<\(event.level.priority)>" : ""
        switch format {
        case .text: output(prefix + text(event, all) + "\n")
        case .json: output(prefix + json(event, all) + "\n")
        }
    }

    private func text(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var line = isJournal ? "" : "\(Self.time(now())) \(event.level.rawValue) "
        line += "\(Self.escaped(label)): \(Self.escaped("\(event.message)"))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.word(key))=\(Self.word("\(value)"))"
        }
        return line
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        struct Line: Encodable {
            let time: String?
            let level: String
            let label: String
            let message: String
            let metadata: [String: String]?
        }
        let line = Line(
            time: isJournal ? nil : Self.time(now()), level: event.level.rawValue, label: label,
            message: "\(event.message)", metadata: metadata.isEmpty ? nil : metadata.mapValues { "\($0)" })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings alone always encode.
        let bytes = (try? encoder.encode(line)) ?? Data("{}".utf8)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 3339 in UTC, to the millisecond.
    private static func time(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// In quotes where it would not read as one word.
    private static func word(_ text: String) -> String {
        let isPlain = !text.isEmpty && !text.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return isPlain ? escaped(text) : "\"" + escaped(text).replacing("\"", with: "\\\"") + "\""
    }

    /// Without what would break the line or steer a terminal: names and messages come from peers.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format:
                out += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension Logger.Level {
    /// syslog(3)'s number.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
