import Client
import Digests
import Files
import Foundation
import Messages
import Receipts
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

/// What was written down for a part, and how each transcript of it came about.
struct WrittenSamples: Sendable {
    var changed: [ChangedTranscript] = []
    var entries: [TranscriptsReceipt.Entry] = []
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
    private var known: [String: KeptTranscript] = [:]
    /// The daemon, as transcripts depend on it; asked once.
    private var askedProgram: ComputingProgram?
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
                let transcript = KeptTranscript(value)
            else { continue }
            known[key] = transcript
        }
    }

    /// Samples as they are, and under what a part says of each. A sample that cannot be read is left out.
    /// - Throws: the first error where none can be written down.
    func transcriptions(
        of samples: [Sample], _ label: String, _ part: TranscriptPart
    ) async throws -> WrittenSamples {
        var all = WrittenSamples()
        for (index, sample) in samples.enumerated() {
            line.show(label, done: index, total: samples.count) { "\($0) recordings" }
            guard let (plain, entry) = try await unchanged(sample, isTimed: part.isTimed, isOnly: samples.count == 1)
            else { continue }
            all.entries.append(entry)
            for condition in part.conditions(sample, plain) {
                let (changed, entry) = try await transcript(
                    sample, condition.interventions, language: plain.language)
                all.changed.append(
                    ChangedTranscript(sample: sample, plain: plain, condition: condition, changed: changed))
                all.entries.append(entry)
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
        try await unchanged(sample, isTimed: isTimed, isOnly: isOnly)?.0
    }

    private func unchanged(
        _ sample: Sample, isTimed: Bool, isOnly: Bool
    ) async throws -> (WrittenText, TranscriptsReceipt.Entry)? {
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
    ) async throws -> (WrittenText, TranscriptsReceipt.Entry) {
        let parts =
            ["transcript 2", info.sha256, sample.digest, language, "\(wantsWords)"] + interventions
            + (info.precision == .exact ? [] : ["precision \(info.precision.name)"])
        let key = try SHA256.hex(of: Array(parts.joined(separator: "\u{1F}").utf8))
        var options = V1.DecodingOptions(language: language, wordTimestamps: wantsWords)
        options.temperatures = [0]
        options.noConditionOnPreviousText = true
        let request = V1.TranscribeRequest(
            model: model, audio: sample.source, options: options,
            interventions: interventions.map { V1.Intervention(text: $0) })
        if let kept = known[key] { return (kept.text, kept.entry(of: request)) }
        let program = try await currentProgram()
        let transcript = try await daemon.call(V1.TranscribeRPC.transcribe, request)
        let kept = KeptTranscript(
            text: WrittenText(transcript), sha256: try SHA256.hex(of: transcript.serialized()), program: program)
        known[key] = kept
        written += 1
        try keep(kept, key, sample, interventions)
        return (kept.text, kept.entry(of: request))
    }

    private func currentProgram() async throws -> ComputingProgram {
        if let askedProgram { return askedProgram }
        let asked = try await ComputingProgram(daemon)
        askedProgram = asked
        return asked
    }

    private func keep(
        _ transcript: KeptTranscript, _ key: String, _ sample: Sample, _ interventions: [String]
    ) throws {
        let line = JSON.object(
            [("key", .string(key)), ("recording", .string(sample.name)), ("interventions", JSON(interventions))]
                + transcript.members)
        // A line that was cut off by an interruption ends here, and makes no sense.
        let file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_APPEND)
        try Array(("\n" + line.compactText + "\n").utf8).withUnsafeBytes(file.write)
    }
}

/// A transcript as it is kept: its words, and what a receipt says of it.
private struct KeptTranscript: Sendable {
    var text: WrittenText
    var sha256: String
    var program: ComputingProgram

    func entry(of request: V1.TranscribeRequest) -> TranscriptsReceipt.Entry {
        TranscriptsReceipt.Entry(request: request, program: program, text: text.text, sha256: sha256)
    }
}

extension KeptTranscript {
    init?(_ json: JSON) {
        guard let text = WrittenText(json), let sha256 = json["sha256"]?.string,
            let version = json["auscult"]?.string, let kernels = json["kernels"]?.string
        else { return nil }
        self.init(
            text: text, sha256: sha256, program: ComputingProgram(version: version, kernels: kernels))
    }

    var members: [(String, JSON)] {
        [
            ("auscult", .string(program.version)), ("kernels", .string(program.kernels)), ("sha256", .string(sha256)),
        ] + text.members
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
