import Files
import Foundation

/// A manifest: a recording a line, as JSON, or as columns divided by tabs under a header.
///
/// `path` is relative to the manifest's folder; `start`, `end` (seconds), `text`, `language` and `speaker` have their
/// place; `alignment`, `phonemes` and `words` name files or, in JSON, hold the labels themselves; every other column is
/// a label.
enum Manifest {
    enum Form {
        case json, tabs

        init?(path: String) {
            switch ending(of: path) {
            case "jsonl", "ndjson", "json": self = .json
            case "tsv", "tab": self = .tabs
            default: return nil
            }
        }
    }

    static func forEach(
        in path: String, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        var lines = try LineReader(path)
        var header: [String]?
        let isTable = Form(path: path) == .tabs
        if isTable {
            guard let first = try lines.next() else { return }
            header = try Self.header(first, path)
        }
        while true {
            let item: DataSetItem
            do {
                guard let line = try lines.next() else { return }
                if line.allSatisfy(\.isWhitespace) { continue }
                let row = Row(file: path, line: lines.number)
                item = try row.item(header.map { try row.fields(line, $0) } ?? row.object(line))
            } catch let error as DataSetError where error.code != .invalidArgument {
                try broken(error)
                continue
            }
            try body(item)
        }
    }

    private static func header(_ line: String, _ path: String) throws -> [String] {
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).trimmed }
        guard columns.contains(where: Row.pathColumns.contains) else {
            throw DataSetError(
                .invalidArgument, file: path, line: 1,
                "expected a header with a column called path, divided by tabs; it is \(quoted(line))")
        }
        guard Set(columns).count == columns.count else {
            throw DataSetError(.invalidArgument, file: path, line: 1, "a column of the header comes twice")
        }
        return columns
    }
}

/// One line of a manifest.
private struct Row {
    /// What the column of the paths may be called.
    static let pathColumns = ["path", "file", "audio", "audio_filepath"]

    enum Value {
        case text(String)
        case number(Double)
        case labels([Any])
    }

    typealias Column = (name: String, value: Value)

    let file: String
    let line: Int

    func error(_ problem: String, _ code: ErrorCode = .dataLoss) -> DataSetError {
        DataSetError(code, file: file, line: line, problem)
    }

    // MARK: - Columns

    func fields(_ text: String, _ header: [String]) throws -> [Column] {
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == header.count else {
            throw error("expected \(header.count) columns, as in the header; there are \(fields.count)")
        }
        return zip(header, fields).compactMap { name, field in
            let value = String(field).trimmed
            return value.isEmpty ? nil : (name, .text(value))
        }
    }

    func object(_ text: String) throws -> [Column] {
        let parsed = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        guard let object = parsed as? [String: Any] else {
            throw error("expected a JSON object; it is \(quoted(text))")
        }
        // A dictionary has no order of its own.
        return try object.keys.sorted().compactMap { name in
            switch object[name] {
            case let text as String: return (name, .text(text))
            case let number as NSNumber: return (name, value(number))
            case let list as [Any]: return (name, .labels(list))
            case is NSNull, nil: return nil
            default: throw error("expected a text, a number or a list under \(quoted(name)); it is an object")
            }
        }
    }

    private func value(_ number: NSNumber) -> Value {
        // Foundation keeps true and false as numbers of C's type char, which no JSON number becomes.
        if String(cString: number.objCType) == "c" { return .text(number.boolValue ? "true" : "false") }
        return .number(number.doubleValue)
    }

    // MARK: - The recording

    func item(_ columns: [Column]) throws -> DataSetItem {
        guard
            let path = try Self.pathColumns.lazy.compactMap({ name in try columns.first { $0.name == name }.map(text) })
                .first, !path.isEmpty
        else { throw error("expected a path; there is none") }
        var item = DataSetItem(name: path, source: .path(resolved(path)))
        let pathColumn = Self.pathColumns.first { name in columns.contains { $0.name == name } }
        for column in columns where column.name != pathColumn { try take(column, &item) }
        if let start = item.start, let end = item.end, end <= start {
            throw error("expected an end after the start, \(start); it is \(end)")
        }
        return item
    }

    private func take(_ column: Column, _ item: inout DataSetItem) throws {
        switch column.name {
        case "start": item.start = try seconds(column)
        case "end": item.end = try seconds(column)
        case "text", "sentence": item.text = try text(column)
        case "language", "locale": item.language = try text(column).nonEmpty
        case "speaker", "client_id": item.speaker = try text(column).nonEmpty
        case "alignment": item.alignments.append(try alignment(column, .both, item))
        case "phonemes":
            if case .labels(let list) = column.value {
                item.phonemes = try list.map { try label($0, "phonemes") }
            } else {
                item.alignments.append(try alignment(column, .phonemes, item))
            }
        case "words":
            if case .labels(let list) = column.value {
                item.words = try list.map { try label($0, "words") }
            } else {
                item.alignments.append(try alignment(column, .words, item))
            }
        default:
            // A list under another name is a matter between the manifest and others.
            guard case .labels = column.value else {
                item.labels.append(DataSetItem.Label(column: column.name, value: try text(column)))
                return
            }
        }
    }

    private func alignment(
        _ column: Column, _ content: AlignmentFile.Content, _ item: DataSetItem
    ) throws -> AlignmentFile {
        let path = try text(column)
        guard AlignmentFile.endings.contains(ending(of: path)) else {
            throw error(
                "expected a file ending in .TextGrid, .ctm, .phn or .wrd in \(column.name); it is \(quoted(path))")
        }
        let stem = withoutEnding(item.name)
        let last = stem.split(separator: "/").last.map(String.init) ?? stem
        return AlignmentFile(path: resolved(path), content: content, utterance: [last, stem, item.name])
    }

    /// `{"start": …, "end": …, "label" | "word" | "phoneme" | "text": …}` or `[start, end, label]`.
    private func label(_ value: Any, _ column: String) throws -> TimedLabel {
        var parts: [Any?] = []
        if let object = value as? [String: Any] {
            let name = ["label", "word", "phoneme", "text"].lazy.compactMap { object[$0] }.first
            parts = [object["start"], object["end"], name]
        } else if let list = value as? [Any], list.count == 3 {
            parts = list
        }
        guard parts.count == 3, let start = (parts[0] as? NSNumber)?.doubleValue,
            let end = (parts[1] as? NSNumber)?.doubleValue, let label = parts[2] as? String,
            start.isFinite, end.isFinite, start >= 0, start <= end
        else {
            throw error("expected start, end and label of each of the \(column); one is \(quoted("\(value)"))")
        }
        return TimedLabel(start: start, end: end, label: label)
    }

    // MARK: - Values

    private func text(_ column: Column) throws -> String {
        switch column.value {
        case .text(let text): return text
        case .number(let number): return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
        case .labels: throw error("expected a text in \(column.name); it is a list")
        }
    }

    private func seconds(_ column: Column) throws -> Double? {
        var number: Double?
        switch column.value {
        case .text(let text):
            if text.isEmpty { return nil }
            number = finiteNumber(text)
        case .number(let value): number = value
        case .labels: break
        }
        guard let number, number.isFinite, number >= 0 else {
            throw error("expected seconds in \(column.name); it is \(quoted((try? text(column)) ?? "a list"))")
        }
        return number
    }

    /// Relative to the manifest; Common Voice keeps its recordings in `clips`.
    private func resolved(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let plain = "\(folder)/\(path)", clip = "\(folder)/clips/\(path)"
        return !path.contains("/") && !DataSet.exists(plain) && DataSet.exists(clip) ? clip : plain
    }
}
