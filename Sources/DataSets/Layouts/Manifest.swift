import Files
import Foundation
import StrictJSON

/// A manifest: a recording a row, as JSON or as a table under a header. MANIFESTS.md beside this module has every key
/// with its other names and examples.
enum Manifest {
    enum Form {
        /// An object a line, or one list of objects.
        case json
        /// Columns divided by tabs, taken as they are.
        case tabs
        /// Columns divided by commas or semicolons, where a field may be in quotes.
        case commas

        init?(path: String) {
            switch ending(of: path) {
            case "jsonl", "ndjson", "json": self = .json
            case "tsv", "tab": self = .tabs
            case "csv": self = .commas
            default: return nil
            }
        }
    }

    /// - Parameter broken: told of rows that describe no recording, and of keys that nothing is made of.
    static func forEach(
        in path: String, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        var rows = try Rows(path)
        var unused: Set<String> = []
        while true {
            let item: DataSetItem
            do {
                guard let (columns, line) = try rows.next() else { return }
                let row = ManifestRow(file: path, line: line)
                let read = try row.item(columns)
                item = read.item
                for (key, problem) in read.ignored where unused.insert(key).inserted {
                    try broken(DataSetError(.ignored, file: path, line: line, problem))
                }
            } catch let error as DataSetError where error.code != .invalidArgument {
                try broken(error)
                continue
            }
            try body(item)
        }
    }

    /// The rows of a manifest of any form, one after another.
    private struct Rows {
        private let path: String
        private let form: Form
        private var lines: LineReader
        private var header: [String] = []
        private var separator: Character = "\t"
        /// What is left of a manifest that is one list.
        private var list: ArraySlice<JSON>?

        init(_ path: String) throws {
            self.path = path
            form = Form(path: path) ?? .json
            lines = try LineReader(path)
            guard form != .json else {
                if try Self.isList(path) { list = try Self.list(path)[...] }
                return
            }
            guard let first = try lines.next() else { return }
            if form == .commas { separator = first.contains(",") || !first.contains(";") ? "," : ";" }
            header = try Self.header(fields(first), path, separator)
        }

        /// The columns of the next row with the line, or the place in the list, from 1.
        mutating func next() throws -> (columns: [ManifestRow.Column], line: Int)? {
            if let first = list?.popFirst() {
                let number = (list?.startIndex ?? 0)
                return (try ManifestRow(file: path, line: number).columns(first), number)
            }
            guard list == nil else { return nil }
            while let line = try lines.next() {
                if line.allSatisfy(\.isWhitespace) { continue }
                let number = lines.number
                let row = ManifestRow(file: path, line: number)
                guard form != .json else { return (try row.columns(parsing: line), number) }
                return (try row.columns(try whole(line), header), number)
            }
            return nil
        }

        /// The fields of a row, which goes on in the next lines where a quote is open.
        private mutating func whole(_ line: String) throws -> [String] {
            guard form == .commas else { return fields(line) }
            var text = line
            var joined = 0
            while !CSVLine.isComplete(text) {
                joined += 1
                guard joined <= 1000, let next = try lines.next() else {
                    throw DataSetError(
                        .dataLoss, file: path, line: lines.number, "expected a closing quote; the row does not end")
                }
                text += "\n" + next
            }
            return fields(text)
        }

        private func fields(_ line: String) -> [String] {
            form == .commas
                ? CSVLine.fields(line, separator)
                : line.split(separator: separator, omittingEmptySubsequences: false).map { String($0).trimmed }
        }

        private static func header(_ columns: [String], _ path: String, _ separator: Character) throws -> [String] {
            guard columns.contains(where: { ManifestKey($0) == .path }) else {
                let divided = separator == "\t" ? "tabs" : "'\(separator)'"
                throw DataSetError(
                    .invalidArgument, file: path, line: 1,
                    "expected a header with a column called path (or \(ManifestKey.path.names.dropFirst().joined(separator: ", "))), "
                        + "divided by \(divided); it is \(quoted(columns.joined(separator: " | ")))")
            }
            guard Set(columns).count == columns.count else {
                throw DataSetError(.invalidArgument, file: path, line: 1, "a column of the header comes twice")
            }
            return columns
        }

        /// Whether a JSON file is one list and not an object a line.
        private static func isList(_ path: String) throws -> Bool {
            var lines = try LineReader(path)
            while true {
                // A first line that is too long is a list on one line, or none at all: `list` says which.
                guard let line = try lines.next() else { return false }
                if let first = line.first(where: { !$0.isWhitespace }) { return first == "[" }
            }
        }

        private static func list(_ path: String) throws -> [JSON] {
            let text = try TextFile.read(path)
            func refuse(_ why: String) -> DataSetError {
                DataSetError(
                    .invalidArgument, file: path, "begins like a list of objects, and is no JSON of that kind\(why)")
            }
            do {
                guard let list = try JSON(parsing: text).array else { throw refuse("") }
                return list
            } catch let problem as JSONSyntaxError {
                throw refuse(": \(problem.problem) at line \(problem.line), column \(problem.column)")
            }
        }
    }
}

/// Comma-separated values as RFC 4180 has them.
enum CSVLine {
    /// Whether no quote is open at the end.
    static func isComplete(_ line: String) -> Bool { line.utf8.count { $0 == UInt8(ascii: "\"") } % 2 == 0 }

    static func fields(_ line: String, _ separator: Character) -> [String] {
        var fields: [String] = []
        var field = ""
        var (isQuoted, wasQuote) = (false, false)
        for character in line {
            if character == "\"" {
                // A quote in quotes is written twice.
                if wasQuote, !isQuoted { field.append(character) }
                isQuoted.toggle()
                wasQuote = !wasQuote
                continue
            }
            wasQuote = false
            if character == separator, !isQuoted {
                fields.append(field.trimmed)
                field = ""
            } else {
                field.append(character)
            }
        }
        return fields + [field.trimmed]
    }
}
