import Files
import Foundation
import Messages
import StrictJSON

/// Results as files in a folder: for each its numbers, its picture, or its sound, and `results.json`, which says what is
/// where.
///
/// A file appears whole or not at all. One that cannot be written does not keep the others from it: the index says
/// what is missing, and ``write(_:)`` throws at the end.
package struct ResultFolder {
    package let path: String
    private var names = SafeNames()
    private var failures: [(name: String, error: any Error)] = []

    /// - Throws: ``Files/FileError`` where the folder cannot be made.
    package init(_ path: String) throws {
        self.path = path
        try DataFolder.create(path)
        for name in ["results", "index"] { _ = names.unused(name) }
    }

    /// - Returns: the names of the files, `results.json` first.
    /// - Throws: the first error of a file, after all that could be written is.
    package mutating func write(_ run: RunResults) throws -> [String] {
        let typed = run.typed()
        let results = typed.compactMap { try? $0.get() }
        var problems: [JSON] = []
        for case .failure(let error) in typed { problems.append(.string(error.description)) }
        var written: [String] = []
        var entries: [JSON] = []
        for result in results {
            let files = files(of: result, among: results)
            written += files.map(\.name)
            entries.append(
                .object(
                    ResultsJSON.identity(result) + Self.value(result)
                        + [("files", .object(files.map { ($0.role, .string($0.name)) }))]))
        }
        let scalars = results.filter { if case .scalar = $0.value { !$0.file.isEmpty } else { false } }
        if !scalars.isEmpty,
            let name = save("\(names.unused("scalars")).csv", Array(CSV.text(ScalarTable(scalars).table).utf8))
        {
            written.append(name)
        }
        let page = ResultsPage.html(run)
        if let name = save("index.html", Array(page.utf8)) { written.append(name) }
        problems += failures.map { .string("\($0.name): \($0.error)") }
        let index = JSON.object(
            ResultsJSON.head(run) + [("results", .array(entries)), ("problems", .array(problems))])
        try PendingFile.write(Data((index.text + "\n").utf8), to: "\(path)/results.json")
        if let failure = failures.first { throw failure.error }
        return ["results.json"] + written
    }

    /// What is small enough to stand in the index itself.
    private static func value(_ result: TypedResult) -> [(String, JSON)] {
        if case .scalar(let number) = result.value { [("value", .number(number))] } else { [] }
    }

    private mutating func files(of result: TypedResult, among others: [TypedResult]) -> [(role: String, name: String)] {
        if case .scalar = result.value { return [] }
        let name = names.name(for: result)
        var files: [(String, String)] = []
        func add(_ role: String, _ ending: String, _ bytes: [UInt8]) {
            if let file = save("\(name).\(ending)", bytes) { files.append((role, file)) }
        }
        switch result.value {
        case .scalar: break
        case .vector(let array), .matrix(let array):
            add("csv", "csv", Array(CSV.text(array).utf8))
            add("npy", "npy", NPY.bytes(array))
        case .table(let table): add("csv", "csv", Array(CSV.text(table).utf8))
        case .events(let events): add("csv", "csv", Array(CSV.text(events).utf8))
        case .audio(let clip): add("wav", "wav", WAV.bytes(clip, .float32))
        case .text(let text): add("text", "txt", Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
        }
        if let plot = Plot(result, among: others) {
            add("svg", "svg", Array(plot.svg.utf8))
            add("png", "png", plot.png)
        }
        return files
    }

    /// Nil where it cannot be written, which is remembered.
    private mutating func save(_ name: String, _ bytes: [UInt8]) -> String? {
        do {
            let file = try PendingFile("\(path)/\(name)")
            try bytes.withUnsafeBytes(file.write)
            try file.commit()
            return name
        } catch {
            failures.append((name, error))
            return nil
        }
    }
}
