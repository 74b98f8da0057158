import Client
import Files
import Foundation
import Messages
import Results

/// Where the transcripts of one command go: standard output, or a file for each recording in a folder.
final class TranscriptOutput {
    private let format: TranscriptFormat
    private let folder: String?
    private let timestamps: Bool
    private let console: Console
    private let stems: [String: String]
    /// Whether there is one recording only, whose segments are printed as they come.
    private let isSingle: Bool
    private var printed = 0

    /// - Throws: ``CommandError`` where the results of two recordings would be mixed up; ``Files/FileError`` where the
    ///   folder cannot be made.
    init(
        _ inputs: [RecordingArgument], isSingle: Bool, format: TranscriptFormat, folder: String?, timestamps: Bool,
        console: Console
    ) throws {
        self.format = format
        self.folder = folder
        self.timestamps = timestamps
        self.console = console
        self.isSingle = isSingle
        self.stems = folder == nil ? [:] : try Self.stems(inputs)
        if let folder {
            try DataFolder.create(folder)
        } else if inputs.count > 1, format == .srt || format == .vtt {
            throw CommandError(
                .usage,
                "the \(format.rawValue) of \(inputs.count) files cannot be one; name a folder for them with --out")
        }
    }

    /// What each recording's file is called, without ending. Where two would be called the same, the endings of the
    /// recordings stay.
    private static func stems(_ inputs: [RecordingArgument]) throws -> [String: String] {
        let uses = Dictionary(inputs.map { ($0.stem, 1) }, uniquingKeysWith: +)
        var owners: [String: String] = [:]
        var stems: [String: String] = [:]
        for input in inputs {
            let stem = uses[input.stem] == 1 ? input.stem : (input.name as NSString).lastPathComponent
            if let other = owners.updateValue(input.name, forKey: stem) {
                throw CommandError(
                    .usage, "the results of \(other) and \(input.name) would both be called \(stem); use two folders")
            }
            stems[input.name] = stem
        }
        return stems
    }

    /// A segment of the recording under way.
    func append(_ segment: V1.Segment) throws {
        guard isSingle, folder == nil, format == .text else { return }
        try console.output(segment.line(timestamps: timestamps))
    }

    /// A whole transcript.
    func append(_ transcript: V1.Transcript) throws {
        if let folder {
            let path = "\(folder)/\(stems[transcript.file] ?? transcript.file).\(format.ending)"
            try PendingFile.write(Data(transcript.text(format, timestamps: timestamps).utf8), to: path)
            return try console.print(path)
        }
        switch format {
        case .text where isSingle: break
        case .text: try console.output(labelled(transcript))
        case .srt, .vtt: try console.output(transcript.text(format, timestamps: timestamps))
        case .json: try console.output((printed == 0 ? "[\n  " : ",\n  ") + transcript.json.text(indent: 1))
        }
        printed += 1
    }

    /// After the last transcript.
    func finish() throws {
        guard format == .json, folder == nil else { return }
        try console.print(printed == 0 ? "[]" : "\n]")
    }

    private func labelled(_ transcript: V1.Transcript) -> String {
        guard timestamps else { return "\(transcript.file): \(transcript.oneLine)\n" }
        return "\(printed > 0 ? "\n" : "")\(transcript.file):\n\(transcript.text(format, timestamps: timestamps))"
    }
}
