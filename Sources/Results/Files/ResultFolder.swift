import Audio
import Drawing
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
        let overlays = Overlays(run)
        var problems: [JSON] = []
        var written: [String] = []
        var entries: [JSON] = []
        var scalars: [TypedResult] = []
        for result in run.typed() {
            switch result {
            case .failure(let error): problems.append(.string(error.description))
            case .success(let result):
                if case .scalar = result.value, !result.file.isEmpty { scalars.append(result) }
                let files = files(of: result, among: overlays.others(than: result))
                written += files.map(\.name)
                entries.append(
                    .object(
                        ResultsJSON.identity(result) + Self.value(result)
                            + [("files", .object(files.map { ($0.role, .string($0.name)) }))]))
            }
        }
        if !scalars.isEmpty,
            let name = save("\(names.unused("scalars")).csv", Array(CSV.text(ScalarTable(scalars).table).utf8))
        {
            written.append(name)
        }
        if let name = savePage(run) { written.append(name) }
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
        func add(_ role: String, _ ending: String, _ bytes: @autoclosure () throws -> [UInt8]) {
            let file = "\(name).\(ending)"
            do { if let written = save(file, try bytes()) { files.append((role, written)) } } catch {
                failures.append((file, error))
            }
        }
        switch result.value {
        case .scalar: break
        case .vector(let array), .matrix(let array):
            add("csv", "csv", Array(CSV.text(array).utf8))
            add("npy", "npy", NPY.bytes(array))
        case .table(let table): add("csv", "csv", Array(CSV.text(table).utf8))
        case .events(let events): add("csv", "csv", Array(CSV.text(events).utf8))
        case .audio(let clip):
            add("wav", "wav", try SoundFileWriter.bytes(clip.samples, sampleRate: clip.rate, as: .wavFloat, name: name))
        case .text(let text): add("text", "txt", Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
        }
        if let picture = Plot(result, among: others)?.picture {
            for format in PictureFormat.allCases {
                add(format.rawValue, format.rawValue, try picture.bytes(as: format))
            }
        }
        return files
    }

    private mutating func savePage(_ run: RunResults) -> String? {
        let name = "index.html"
        do {
            let file = try PendingFile("\(path)/\(name)")
            try ResultsPage.write(run) { text in try Array(text.utf8).withUnsafeBytes(file.write) }
            try file.commit()
            return name
        } catch {
            failures.append((name, error))
            return nil
        }
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

/// What lies over spectrograms, and what it may lie over, by recording: found again when a picture needs it.
private struct Overlays {
    private let run: RunResults
    private var places: [String: [Int]] = [:]

    init(_ run: RunResults) {
        self.run = run
        let drawn = run.description.outputs.contains { $0.plot == .spectrogramOverlay }
        guard drawn else { return }
        for (index, result) in run.typed().enumerated() {
            guard case .success(let result) = result else { continue }
            var isAudio = false
            if case .audio = result.value { isAudio = true }
            if isAudio || result.plot == .spectrogramOverlay { places[result.file, default: []].append(index) }
        }
    }

    /// The results of the same recording that its picture may need; none for one that lies alone.
    func others(than result: TypedResult) -> [TypedResult] {
        guard result.plot == .spectrogramOverlay else { return [] }
        let typed = run.typed()
        return (places[result.file] ?? []).compactMap { try? typed[$0].get() }
    }
}
