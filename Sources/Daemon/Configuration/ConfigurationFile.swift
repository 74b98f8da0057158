import Files
import Foundation
import TOMLKit

/// A configuration file: TOML, one flat table whose keys are those of ``Setting``.
struct ConfigurationFile {
    struct Entry {
        let setting: Setting
        let values: [String]
        let source: ValueSource
    }

    let entries: [Entry]

    /// The file that is read where none is named, if it is there: `$XDG_CONFIG_HOME/auscult/auscultd.toml`, or
    /// `~/.config/auscult/auscultd.toml` (XDG Base Directory Specification 0.8).
    static func standardPath(environment: [String: String]) -> String {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return base + "/auscult/auscultd.toml" }
        return homeFolder(environment) + "/.config/auscult/auscultd.toml"
    }

    /// - Throws: ``ConfigurationError``.
    init(path: String) throws {
        let bytes: Data
        do {
            let file = try FileDescriptor(path, O_RDONLY)
            bytes = try Self.contents(file)
        } catch let error as FileError {
            throw ConfigurationError("\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(path) is not UTF-8, which TOML is")
        }
        // The parser below takes a C string, and would take what follows a NUL for absent.
        guard !text.utf8.contains(0), !text.contains("\\u0000"), !text.contains("\\U00000000") else {
            throw ConfigurationError("\(path) contains a NUL character")
        }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        do {
            entries = try TOMLTable(string: text).map { try Self.entry($0.0, $0.1, path, lines) }
        } catch let error as TOMLParseError {
            let line = Int(error.source.begin.line)
            throw ConfigurationError(
                "\(path):\(line): \(error.description.onOneLine)\(Self.expectation(in: lines, at: line))")
        }
    }

    /// Large enough for every configuration, and too small for a device that never ends to fill the memory.
    private static func contents(_ file: FileDescriptor) throws -> Data {
        let most = 1 << 20
        var bytes = Data()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= most else {
                throw FileError(
                    .invalidArgument, "\(file.path) is longer than \(most) bytes, which is too long for a configuration"
                )
            }
        }
    }

    private static func entry(
        _ key: String, _ value: any TOMLValueConvertible, _ path: String, _ lines: [Substring]
    ) throws -> Entry {
        let source = ValueSource.file(path: path, line: line(of: key, in: lines))
        guard let setting = Setting.named(key) else {
            let near = nearestNames(to: key, in: Setting.all.map(\.key), count: 1).first
            throw ConfigurationError(
                "\(source): unknown key '\(key)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        guard let values = texts(value, setting.kind) else {
            throw ConfigurationError(
                "\(source): \(key): expected \(setting.expected), got \(value.debugDescription.onOneLine)")
        }
        return Entry(setting: setting, values: values, source: source)
    }

    /// The value as it would be written in a flag; nil where its type is not one that the key takes.
    private static func texts(_ value: any TOMLValueConvertible, _ kind: Setting.Kind) -> [String]? {
        switch (kind, value.type) {
        case (.text, .string), (.bytes, .string): value.string.map { [$0] }
        case (.integer, .int), (.bytes, .int), (.number, .int): value.int.map { [String($0)] }
        case (.number, .double): value.double.map { [String($0)] }
        case (.list, .array):
            value.array.flatMap { array in
                let texts = array.map { $0.string ?? $0.int.map(String.init) }
                return texts.contains(nil) ? nil : texts.compactMap { $0 }
            }
        default: nil
        }
    }

    /// What the setting expects whose value cannot be read, as "; socket: expected …"; nothing where the line's fault is another.
    private static func expectation(in lines: [Substring], at line: Int) -> String {
        guard lines.indices.contains(line - 1), (try? TOMLTable(string: String(lines[line - 1]))) == nil else {
            return ""
        }
        let key = lines[line - 1].prefix { $0 != "=" }.filter { !" \t\"'".contains($0) }
        guard let setting = Setting.named(key) else { return "" }
        let quotes =
            switch setting.kind {
            case .text: ", in quotes"
            case .bytes: "; what has a unit, in quotes"
            case .list: ", each in quotes, in brackets"
            case .integer, .number: ""
            }
        return "; \(key): expected \(setting.expected)\(quotes)"
    }

    /// Where `key` is set, which the parser does not tell.
    private static func line(of key: String, in lines: [Substring]) -> Int? {
        let index = lines.firstIndex { line in
            let line = line.drop { $0 == " " || $0 == "\t" || $0 == "[" }
            guard
                let rest = [key, "\"\(key)\"", "'\(key)'"].first(where: line.hasPrefix).map({ line.dropFirst($0.count) }
                )
            else { return false }
            return rest.first.map { " \t=.]".contains($0) } ?? false
        }
        return index.map { $0 + 1 }
    }
}

extension String {
    fileprivate var onOneLine: String { split(whereSeparator: \.isNewline).joined(separator: " ") }
}
