import Files
import Foundation
import StrictJSON

/// One row of a manifest: what it says, and what nothing is made of.
struct ManifestRow {
    enum Value {
        case text(String)
        case number(Double)
        case list([JSON])
        case object(JSON)
        /// NaN and the infinities, which Python writes and JSON does not have: no value at all.
        case noNumber
    }

    typealias Column = (name: String, value: Value)

    let file: String
    let line: Int

    func error(_ problem: String, _ code: ErrorCode = .dataLoss) -> DataSetError {
        DataSetError(code, file: file, line: line, problem)
    }

    // MARK: - Columns

    func columns(_ fields: [String], _ header: [String]) throws -> [Column] {
        guard fields.count == header.count else {
            throw error("expected \(header.count) columns, as in the header; there are \(fields.count)")
        }
        return zip(header, fields).compactMap { name, value in value.isEmpty ? nil : (name, .text(value)) }
    }

    func columns(parsing text: String) throws -> [Column] {
        do { return try columns(JSON(parsing: text)) } catch let problem as JSONSyntaxError {
            let (numbers, count) = PythonNumbers.quoted(in: text)
            guard count > 0, let object = try? JSON(parsing: numbers) else {
                throw error(
                    "expected a JSON object; it is \(quoted(text)) (\(problem.problem) at column \(problem.column))")
            }
            return try columns(object)
        }
    }

    func columns(_ value: JSON) throws -> [Column] {
        guard let members = value.members else {
            throw error("expected a JSON object; it is \(quoted(value.compactText))")
        }
        // By name: whoever wrote them may have had no order, and runs over the same data are told by it.
        return members.sorted { $0.0 < $1.0 }.compactMap { name, value in
            switch value {
            case .string(let text): (name, text == PythonNumbers.mark ? .noNumber : .text(text))
            case .bool(let flag): (name, .text(flag ? "true" : "false"))
            case .integer, .unsigned, .number: value.double.map { (name, .number($0)) }
            case .array(let list): (name, .list(list))
            case .object: (name, .object(value))
            case .null: nil
            }
        }
    }

    // MARK: - The recording

    /// - Returns: the recording, and keys that nothing is made of with what is to be said about them.
    func item(_ columns: [Column]) throws -> (item: DataSetItem, ignored: [(key: String, problem: String)]) {
        let given = Dictionary(
            columns.compactMap { column in ManifestKey(column.name).map { ($0, column.name) } },
            uniquingKeysWith: { first, _ in first })
        // Of two names of one thing ours comes first, in the order that the table has.
        let chosen = Dictionary(
            uniqueKeysWithValues: given.keys.map { key in
                (key, key.names.first { name in columns.contains { $0.name == name } } ?? "")
            })
        guard let pathName = chosen[.path], let path = try columns.first(where: { $0.name == pathName }).flatMap(path),
            !path.isEmpty
        else { throw error("expected a path; there is none") }
        var item = DataSetItem(name: path, source: .path(resolved(path)))
        var ignored: [(key: String, problem: String)] = []
        var duration: Double?
        for column in columns where column.name != pathName {
            if case .noNumber = column.value {
                ignored.append(
                    (column.name + " NaN", "\(quoted(column.name)) is no number; left out, here and in what follows"))
                continue
            }
            if let key = ManifestKey(column.name), chosen[key] == column.name {
                if key == .duration, isWholeFile(pathName, chosen) {
                    try label(column, &item, &ignored)
                } else if key == .duration {
                    duration = try seconds(column)
                } else {
                    try take(column, as: key, &item)
                }
            } else {
                try label(column, &item, &ignored)
            }
        }
        if let duration, item.end == nil { item.end = (item.start ?? 0) + duration }
        if let start = item.start, let end = item.end, end <= start {
            throw error("expected an end after the start, \(start); it is \(end)")
        }
        return (item, ignored)
    }

    /// A duration beside a path alone says how long the file is. NeMo's, and one with a start, say where a part ends.
    private func isWholeFile(_ pathName: String, _ chosen: [ManifestKey: String]) -> Bool {
        pathName != "audio_filepath" && chosen[.start] == nil
    }

    private func take(_ column: Column, as key: ManifestKey, _ item: inout DataSetItem) throws {
        switch key {
        case .path, .duration: break
        case .start: item.start = try seconds(column)
        case .end: item.end = try seconds(column)
        case .text: item.text = try text(column)
        case .language: item.language = try text(column).nonEmpty
        case .speaker: item.speaker = try text(column).nonEmpty
        case .alignment: item.alignments.append(try alignment(column, .both, item))
        case .phonemes:
            if case .list(let list) = column.value {
                item.phonemes = try list.map { try timed($0, "phonemes") }
            } else {
                item.alignments.append(try alignment(column, .phonemes, item))
            }
        case .words:
            if case .list(let list) = column.value {
                item.words = try list.map { try timed($0, "words") }
            } else {
                item.alignments.append(try alignment(column, .words, item))
            }
        }
    }

    private func label(
        _ column: Column, _ item: inout DataSetItem, _ ignored: inout [(key: String, problem: String)]
    ) throws {
        switch column.value {
        case .text, .number:
            item.labels.append(DataSetItem.Label(column: column.name, value: try text(column)))
        case .list, .object:
            let kind = if case .list = column.value { "a list" } else { "an object" }
            ignored.append(
                (
                    column.name,
                    "nothing is made of \(quoted(column.name)): it is \(kind), and a label is a text or a number; "
                        + "left out, here and in what follows"
                ))
        case .noNumber: break
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
    private func timed(_ value: JSON, _ column: String) throws -> TimedLabel {
        var parts: [JSON?] = []
        if case .object = value {
            let name = ["label", "word", "phoneme", "text"].lazy.compactMap { value[$0] }.first
            parts = [value["start"], value["end"], name]
        } else if let list = value.array, list.count == 3 {
            parts = list
        }
        guard parts.count == 3, let start = parts[0]?.double, let end = parts[1]?.double, let label = parts[2]?.string,
            start.isFinite, end.isFinite, start >= 0, start <= end
        else {
            throw error("expected start, end and label of each of the \(column); one is \(quoted(value.compactText))")
        }
        return TimedLabel(start: start, end: end, label: label)
    }

    // MARK: - Values

    /// The text of a column, or, as Hugging Face's `audio` has it, the path in an object.
    private func path(_ column: Column) throws -> String? {
        if case .object(let object) = column.value { return object["path"]?.string }
        if case .noNumber = column.value { return nil }
        return try text(column)
    }

    private func text(_ column: Column) throws -> String {
        switch column.value {
        case .text(let text): return text
        case .number(let number): return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
        case .list: throw error("expected a text in \(column.name); it is a list")
        case .object: throw error("expected a text in \(column.name); it is an object")
        case .noNumber: return ""
        }
    }

    private func seconds(_ column: Column) throws -> Double? {
        var number: Double?
        switch column.value {
        case .text(let text):
            if text.isEmpty { return nil }
            number = finiteNumber(text)
        case .number(let value): number = value
        case .list, .object, .noNumber: break
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

/// `NaN`, `Infinity` and `-Infinity`, as Python's json writes them.
enum PythonNumbers {
    /// What stands for one of them in JSON: no text that somebody writes.
    static let mark = "\u{E000}no number\u{E000}"

    /// The JSON with each of them, outside texts, as the text ``mark``.
    static func quoted(in json: String) -> (json: String, count: Int) {
        var result = ""
        var (count, isText, rest) = (0, false, json[...])
        while let character = rest.first {
            if character == "\"" { isText.toggle() }
            if !isText, let word = ["NaN", "-Infinity", "Infinity"].first(where: { rest.hasPrefix($0) }) {
                result += "\"\(mark)\""
                count += 1
                rest.removeFirst(word.count)
                continue
            }
            result.append(character)
            rest.removeFirst()
            // What is escaped in a text is no quote.
            if isText, character == "\\", let next = rest.first {
                result.append(next)
                rest.removeFirst()
            }
        }
        return (result, count)
    }
}
