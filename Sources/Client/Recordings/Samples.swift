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

    /// Whether somebody speaks in it, as far as is known: its text decides, and where that is not known its kind.
    package var maySpeak: Bool {
        if let text = item.text { return !text.isEmpty }
        return label("kind").map { $0 == "speech" } ?? true
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
    /// - Parameter counts: whether one is to be among them.
    package func spoken(most: Int, where counts: (Sample) -> Bool = { _ in true }) -> [Sample] {
        let spoken = samples.filter { $0.maySpeak && counts($0) }
        guard spoken.count > most, most > 0 else { return spoken }
        return (0..<most).map { spoken[$0 * spoken.count / most] }
    }

    /// The different values of a column with how many samples have each.
    package func values(of column: String) -> [String: Int] {
        Dictionary(samples.compactMap { $0.label(column) }.map { ($0, 1) }, uniquingKeysWith: +)
    }
}

extension SampleList {
    /// What the daemon lists for the inputs of a command line.
    /// - Throws: ``CommandError`` for an input that cannot be read twice or is not there; ``Files/FileError``; the daemon's error for a
    ///   data set that cannot be read.
    package init(_ arguments: [String], _ daemon: DaemonConnection) async throws {
        let names = arguments.isEmpty ? [RecordingArgument.clipPrefix] : arguments
        let singles = names.filter { !RecordingArgument.isDataSet($0) }
        single = try await RecordingArgument.all(from: singles, daemon).map { recording in
            switch recording.place {
            case .file(let path): _ = try FileDescriptor(reading: path)
            case .clip: break
            case .pipe, .standardInput:
                throw CommandError(
                    .usage, "\(recording.name) can be read only once, and this reads it often; name a file")
            }
            return try recording.storedSource(nil)
        }
        dataSets = names.filter(RecordingArgument.isDataSet).map {
            $0
        }
        var samples: [Sample] = []
        var problems: [String] = []
        var taken: [String: Int] = [:]
        let request = V1.ListRecordingsRequest(audio: single, dataSets: dataSets, digests: true, alignments: true)
        try await daemon.events(V1.RecordingsRPC.list, request) { message in
            switch message.event {
            case .recording(let recording)?:
                guard let item = DataSetItem(recording) else { return }
                let times = taken[item.name, default: 0] + 1
                taken[item.name] = times
                samples.append(
                    Sample(
                        name: times == 1 ? item.name : "\(item.name) (\(times))", item: item,
                        digest: try item.digest(sound: recording.sha256)))
            case .skipped(let skipped)?: problems.append(skipped.reason)
            case .started?, .notice?, .end?, nil: break
            }
        }
        guard !samples.isEmpty else {
            let reason = problems.first.map { "no recording can be read: \($0)" }
            throw CommandError(.noInput, reason ?? "there is no recording in \(names.joined(separator: ", "))")
        }
        self.samples = samples
        self.problems = problems
        digest = try SHA256.hex(of: Array(samples.map { $0.name + $0.digest }.joined(separator: "\n").utf8))
    }
}

extension DataSetItem {
    /// A recording as the daemon lists it; nil for one that lies nowhere.
    fileprivate init?(_ recording: V1.RecordingInfo) {
        switch recording.source {
        case .path(let path)?: self.init(name: recording.name, source: .path(path))
        case .clip(let clip)?: self.init(name: recording.name, source: .clip(clip))
        case nil: return nil
        }
        index = Int(clamping: recording.number)
        (start, end) = (recording.span?.start, recording.span?.end)
        for label in recording.labels {
            switch label.column {
            case "language": language = label.value
            case "speaker": speaker = label.value
            case "text": text = label.value
            default: labels.append(Label(column: label.column, value: label.value))
            }
        }
        phonemes = recording.phonemes.map { TimedLabel(start: $0.start, end: $0.end, label: $0.label) }
        words = recording.words.map { TimedLabel(start: $0.start, end: $0.end, label: $0.label) }
    }

    /// Of its sound and of all that is known about it.
    /// - Parameter sound: the digest of the file that it lies in.
    fileprivate func digest(sound: String) throws -> String {
        var parts = [name, "\(start ?? -1)", "\(end ?? -1)"]
        switch source {
        case .path: parts.insert(sound, at: 0)
        case .clip(let clip): parts.insert("clip \(clip)", at: 0)
        }
        parts += columns.flatMap { [$0.column, $0.value] }
        parts += (phonemes + words).flatMap { ["\($0.start)", "\($0.end)", $0.label] }
        return try SHA256.hex(of: Array(parts.joined(separator: "\u{1F}").utf8))
    }
}
