import DataSets
import Digests
import Files
import Foundation
import Messages

/// One recording of the samples, with what is known about it.
package struct Sample: Sendable {
    /// Unique among the samples, and what plugins' results call it.
    package let name: String
    package let item: DataSetItem
    /// Of its bytes and of everything that is known about it.
    package let digest: String

    /// What the daemon is to listen to.
    package var source: V1.AudioSource {
        var span: V1.Span?
        if item.start != nil || item.end != nil { span = V1.Span(start: item.start ?? 0, end: item.end) }
        switch item.source {
        case .path(let path): return V1.AudioSource(source: .path(path), name: name, span: span)
        case .clip(let clip): return V1.AudioSource(source: .clip(clip), name: name, span: span)
        }
    }

    /// The value of a column; nil where it has none.
    package func label(_ column: String) -> String? {
        item.columns.first { $0.column == column && !$0.value.isEmpty }?.value
    }

    /// What is said in it, where that is known.
    package var text: String? { item.text.flatMap { $0.isEmpty ? nil : $0 } }

    /// Whether somebody speaks in it, as far as is known: no where its kind says so, or where its text is empty.
    package var maySpeak: Bool {
        if let kind = label("kind") { return kind == "speech" }
        return item.text != ""
    }
}

/// All samples, as the command line named them.
package struct SampleList: Sendable {
    package let samples: [Sample]
    /// Single recordings among them, for a plugin's request.
    package let single: [V1.AudioSource]
    /// Data sets, for a plugin's request, which reads their labels itself.
    package let dataSets: [String]
    /// Lines of manifests that describe no recording.
    package let problems: [String]
    package let digest: String

    /// At most so many of those in which somebody may speak, spread evenly over all of them.
    package func spoken(most: Int) -> [Sample] {
        let spoken = samples.filter(\.maySpeak)
        guard spoken.count > most, most > 0 else { return spoken }
        return (0..<most).map { spoken[$0 * spoken.count / most] }
    }

    /// The different values of a column with how many samples have each.
    package func values(of column: String) -> [String: Int] {
        Dictionary(samples.compactMap { $0.label(column) }.map { ($0, 1) }, uniquingKeysWith: +)
    }
}

extension SampleList {
    /// - Throws: ``CommandError`` for an input that cannot be read twice or is not there; ``DataSets/DataSetError``,
    ///   ``Files/FileError`` for a data set that cannot be read.
    package init(_ arguments: [String], _ daemon: DaemonConnection) async throws {
        let names = arguments.isEmpty ? [RecordingArgument.clipPrefix] : arguments
        let clips =
            names.contains { $0.hasPrefix(RecordingArgument.clipPrefix) }
            ? try await daemon.call(V1.AudioRPC.clips, .init()).clips : []
        let known = Dictionary(clips.map { ($0.name, $0.item) }) { first, _ in first }
        var items: [DataSetItem] = []
        var problems: [String] = []
        let singles = names.filter { !RecordingArgument.isDataSet($0) }
        for recording in try await RecordingArgument.all(from: singles, daemon) {
            switch recording.place {
            case .clip(let clip): items.append(known[clip] ?? DataSetItem(name: recording.name, source: .clip(clip)))
            case .file(let path):
                items.append(DataSetItem(name: recording.name, source: .path(absolutePath(path))))
            case .pipe, .standardInput:
                throw CommandError(
                    .usage, "\(recording.name) can be read only once, and this reads it often; name a file")
            }
        }
        single = try items.map { try Sample(name: $0.name, item: $0, digest: "").checkedSource }
        dataSets = names.filter(RecordingArgument.isDataSet).map { $0 == DataSet.demo ? $0 : absolutePath($0) }
        for place in dataSets {
            let set = try DataSet(place, clips: { clips.map(\.item) })
            try set.forEach(broken: { problems.append("\($0)") }) { items.append($0) }
        }
        guard !items.isEmpty else {
            throw CommandError(.noInput, "there is no recording in \(names.joined(separator: ", "))")
        }
        var taken: [String: Int] = [:]
        var samples: [Sample] = []
        for item in items {
            do {
                let item = try item.aligned()
                let digest = try item.digest
                let times = taken[item.name, default: 0] + 1
                taken[item.name] = times
                samples.append(
                    Sample(name: times == 1 ? item.name : "\(item.name) (\(times))", item: item, digest: digest))
            } catch let error as FileError where !dataSets.isEmpty {
                problems.append(error.message)
            } catch let error as DataSetError {
                problems.append("\(error)")
            }
        }
        guard !samples.isEmpty else {
            throw CommandError(.noInput, "no recording can be read: \(problems.first ?? "there is none")")
        }
        self.samples = samples
        self.problems = problems
        digest = try SHA256.hex(of: Array(samples.map { $0.name + $0.digest }.joined(separator: "\n").utf8))
    }
}

extension Sample {
    /// - Throws: ``Files/FileError`` where a file is not there or cannot be opened.
    fileprivate var checkedSource: V1.AudioSource {
        get throws {
            if case .path(let path) = item.source { _ = try FileDescriptor(reading: path) }
            return source
        }
    }
}

extension DataSetItem {
    /// Of its sound and of all that is known about it.
    fileprivate var digest: String {
        get throws {
            let sound =
                switch source {
                case .path(let path): try SHA256.hex(ofFiles: [path])
                case .clip(let clip): "clip \(clip)"
                }
            var parts = [sound, name, "\(start ?? -1)", "\(end ?? -1)"]
            parts += columns.flatMap { [$0.column, $0.value] }
            parts += (phonemes + words).flatMap { ["\($0.start)", "\($0.end)", $0.label] }
            return try SHA256.hex(of: Array(parts.joined(separator: "\u{1F}").utf8))
        }
    }
}

extension V1.DemoClip {
    /// The clip as a recording of a data set, as the daemon's own `demo:` has it.
    fileprivate var item: DataSetItem {
        var item = DataSetItem(name: RecordingArgument.clipPrefix + name, source: .clip(name))
        item.text = text
        item.language = language.isEmpty ? nil : language
        item.speaker = voice.isEmpty ? nil : voice
        item.labels = [("kind", kind), ("voice", voice), ("engine", engine)].filter { !$0.1.isEmpty }
            .map { DataSetItem.Label(column: $0.0, value: $0.1) }
        item.phonemes = phonemes.map { TimedLabel(start: $0.start, end: $0.end, label: $0.label) }
        item.words = words.map { TimedLabel(start: $0.start, end: $0.end, label: $0.label) }
        return item
    }
}
