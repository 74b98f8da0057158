import Client
import Digests
import Files
import Foundation
import Messages
import Results
import StrictJSON
import Wire

/// How a recording is written down.
package struct WrittenText: Sendable, Equatable {
    package var text: String
    package var language: String
    /// Seconds of sound.
    package var seconds: Double
    /// Empty where their times were not asked for.
    package var words: [HeardWord] = []

    package static func == (a: WrittenText, b: WrittenText) -> Bool { (a.text, a.language) == (b.text, b.language) }
}

/// A sample under one condition, and as it is.
struct ChangedTranscript: Sendable {
    let sample: Sample
    let plain: WrittenText
    let condition: Condition
    let changed: WrittenText
}

/// Writes samples down, once each: what was written under the same changes of the same model is kept in a file of JSON
/// lines, a line a transcript, and read from there the next time.
///
/// Greedy, at temperature 0 and without the text of the window before, so that a transcript depends on nothing but the
/// sound, the model and the changes.
package actor TranscriptCache {
    private let daemon: DaemonConnection
    private let model: V1.ModelRef
    private let info: V1.ModelInfo
    private let path: String
    private let line: ProgressLine
    private var known: [String: WrittenText] = [:]
    /// Samples that could not be written down, and why.
    package private(set) var failures: [String: String] = [:]
    /// How many were written anew, since the start.
    package private(set) var written = 0

    /// - Parameter path: the file of what is kept; a line in it that makes no sense is as if it were not there.
    package init(
        _ daemon: DaemonConnection, _ model: V1.ModelRef, _ info: V1.ModelInfo, path: String, line: ProgressLine
    ) throws {
        self.daemon = daemon
        self.model = model
        self.info = info
        self.path = path
        self.line = line
        guard let bytes = FileManager.default.contents(atPath: path) else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let value = try? JSON(parsing: Array(line)), case .string(let key)? = value["key"],
                let text = WrittenText(value)
            else { continue }
            known[key] = text
        }
    }

    /// Samples as they are, and under what a part says of each. A sample that cannot be read is left out.
    /// - Throws: the first error where none can be written down.
    func transcriptions(
        of samples: [Sample], _ label: String, _ part: TranscriptPart
    ) async throws -> [ChangedTranscript] {
        var all: [ChangedTranscript] = []
        for (index, sample) in samples.enumerated() {
            line.show(label, done: index, total: samples.count) { "\($0) recordings" }
            guard let plain = try await plain(sample, isTimed: part.isTimed, isOnly: samples.count == 1) else {
                continue
            }
            for condition in part.conditions(sample, plain) {
                let changed = try await transcript(sample, condition.interventions, language: plain.language)
                all.append(ChangedTranscript(sample: sample, plain: plain, condition: condition, changed: changed))
            }
        }
        line.clear()
        return all
    }

    /// A sample without any change; nil where it cannot be written down.
    /// - Parameters:
    ///   - isTimed: with the times of its words. They decide where the next window of a long recording begins, so its text may then be
    ///     another one.
    ///   - isOnly: whether an error is then everybody's.
    package func plain(_ sample: Sample, isTimed: Bool = true, isOnly: Bool = false) async throws -> WrittenText? {
        if failures[sample.name] != nil { return nil }
        do {
            let given = sample.item.language ?? ""
            return try await transcript(
                sample, [], language: info.languages.contains(given) ? given : "", wantsWords: isTimed)
        } catch let error as WireError where !isOnly {
            switch ExitStatus(of: error) {
            case .usage, .badData, .noInput, .inputOutput: break
            default: throw error
            }
            // The same sentence for a second recording is not about the recordings.
            guard !failures.values.contains(error.message) || error.message.contains(sample.name) else { throw error }
            failures[sample.name] = error.message
            return nil
        }
    }

    private func transcript(
        _ sample: Sample, _ interventions: [String], language: String, wantsWords: Bool = false
    ) async throws -> WrittenText {
        let parts =
            ["transcript 1", info.sha256, sample.digest, language, "\(wantsWords)"] + interventions
            + (info.precision == .exact ? [] : ["precision \(info.precision.name)"])
        let key = try SHA256.hex(of: Array(parts.joined(separator: "\u{1F}").utf8))
        if let text = known[key] { return text }
        var options = V1.DecodingOptions(language: language, wordTimestamps: wantsWords)
        options.temperatures = [0]
        options.noConditionOnPreviousText = true
        let transcript = try await daemon.call(
            V1.TranscribeRPC.transcribe,
            V1.TranscribeRequest(
                model: model, audio: sample.source, options: options,
                interventions: interventions.map { V1.Intervention(text: $0) }))
        let text = WrittenText(transcript)
        known[key] = text
        written += 1
        try keep(text, key, sample, interventions)
        return text
    }

    private func keep(_ text: WrittenText, _ key: String, _ sample: Sample, _ interventions: [String]) throws {
        let line = JSON.object(
            [("key", .string(key)), ("recording", .string(sample.name)), ("interventions", JSON(interventions))]
                + text.members)
        // A line that was cut off by an interruption ends here, and makes no sense.
        let file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_APPEND)
        try Array(("\n" + line.compactText + "\n").utf8).withUnsafeBytes(file.write)
    }
}

extension WrittenText {
    fileprivate init(_ transcript: V1.Transcript) {
        self.init(
            text: transcript.oneLine, language: transcript.language, seconds: transcript.duration,
            words: transcript.segments.flatMap(\.words).map {
                HeardWord(text: $0.word.trimmingCharacters(in: .whitespaces), start: $0.start, end: $0.end)
            })
    }

    fileprivate init?(_ json: JSON) {
        guard case .string(let text)? = json["text"], case .string(let language)? = json["language"],
            let seconds = json["seconds"]?.double, case .array(let words)? = json["words"]
        else { return nil }
        self.init(text: text, language: language, seconds: seconds)
        for word in words {
            guard case .string(let text)? = word["word"], let start = word["start"]?.double,
                let end = word["end"]?.double
            else { return nil }
            self.words.append(HeardWord(text: text, start: start, end: end))
        }
    }

    fileprivate var members: [(String, JSON)] {
        [
            ("language", .string(language)), ("seconds", .number(seconds)), ("text", .string(text)),
            (
                "words",
                .array(
                    words.map {
                        ["word": .string($0.text), "start": .number($0.start), "end": .number($0.end)]
                    })
            ),
        ]
    }
}
