import DataSets
import Files
import Foundation
import Messages

/// A recording that somebody named: a file, standard input (`-`), or an embedded clip (`demo:NAME`).
package struct RecordingArgument: Sendable {
    package enum Place: Sendable {
        /// As it was written.
        case file(String)
        /// A sound file that only this process can read, once: a pipe, `/dev/stdin`, a shell's `<(…)`.
        case pipe(String)
        case clip(String)
        case standardInput
    }

    /// What stands before a clip's name where a file is expected: `demo:NAME`; alone it means all clips.
    package static let clipPrefix = "demo:"

    /// As it was named; `demo:` alone is spelled out.
    package let name: String
    package let place: Place
    /// The part that a manifest means; nil for all of it.
    package var span: V1.Span?

    /// Whether nobody can read it a second time.
    package var isReadOnce: Bool {
        switch place {
        case .standardInput, .pipe: true
        case .file, .clip: false
        }
    }

    /// Whether an argument stands for several recordings.
    package static func isDataSet(_ argument: String) -> Bool {
        if argument == clipPrefix { return true }
        if argument.hasPrefix(clipPrefix) || argument == "-" { return false }
        return DataSet.isOne(argument)
    }

    /// What the arguments of a command line mean; `demo:` becomes all embedded clips.
    /// - Throws: ``CommandError``: for a clip that is not there, and for standard input twice.
    package static func all(from arguments: [String], _ daemon: DaemonConnection) async throws -> [RecordingArgument] {
        guard arguments.count(where: { $0 == "-" }) <= 1 else {
            throw CommandError(.usage, "'-' is standard input, which can be read only once")
        }
        let clips =
            arguments.contains { $0.hasPrefix(clipPrefix) }
            ? try await daemon.call(V1.AudioRPC.clips, .init()).clips : []
        return try arguments.flatMap { argument in
            guard argument.hasPrefix(clipPrefix) else {
                return [RecordingArgument(name: argument, place: place(of: argument))]
            }
            let name = String(argument.dropFirst(clipPrefix.count))
            // A file may be called so; as ./demo:NAME it is one in any case.
            if !name.isEmpty, !clips.contains(where: { $0.name == name || $0.file == name }), isFile(argument) {
                return [RecordingArgument(name: argument, place: place(of: argument))]
            }
            return try (name.isEmpty ? clips : [clip(name, in: clips)]).map {
                RecordingArgument(name: clipPrefix + $0.name, place: .clip($0.name))
            }
        }
    }

    private static func place(of argument: String) -> Place {
        guard argument != "-" else { return .standardInput }
        // These name another thing in another process.
        let isOwn = ["/dev/fd/", "/dev/stdin", "/proc/self/"].contains { argument.hasPrefix($0) }
        var status = stat()
        let isPipe =
            PathText.withName(argument, { stat($0, &status) }) == 0
            && [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
        return isOwn || isPipe ? .pipe(argument) : .file(argument)
    }

    private static func isFile(_ argument: String) -> Bool {
        PathText.withName(absolutePath(argument)) { access($0, F_OK) } == 0
    }

    private static func clip(_ name: String, in clips: [V1.DemoClip]) throws -> V1.DemoClip {
        if let clip = clips.first(where: { $0.name == name || $0.file == name }) { return clip }
        guard !clips.isEmpty else { throw CommandError(.noInput, "no demonstration clips are in this daemon") }
        let nearest = nearestNames(to: name, in: clips.map(\.name), similarOnly: false).joined(separator: ", ")
        throw CommandError(
            .noInput, "no embedded clip is called \(name); nearest: \(nearest) (all: auscult samples)")
    }

    /// The name of a file with a result about this recording, without ending: `speech` for `folder/speech.wav`.
    package var stem: String {
        switch place {
        case .standardInput: return "stdin"
        case .clip(let clip): return clip
        case .file, .pipe:
            let stem = (URL(fileURLWithPath: name).lastPathComponent as NSString).deletingPathExtension
            return stem.isEmpty ? "recording" : stem
        }
    }

    /// What the daemon is to listen to; standard input and pipes are sent to it first.
    package func source(
        _ span: V1.Span?, _ daemon: DaemonConnection, reading: ReadingChoices = ReadingChoices()
    ) async throws -> V1.AudioSource {
        var source = try await source(reading.span(of: self, within: span), daemon, isRaw: reading.raw)
        source.strict = reading.strict
        return source
    }

    private func source(_ span: V1.Span?, _ daemon: DaemonConnection, isRaw: Bool) async throws -> V1.AudioSource {
        switch place {
        case .standardInput:
            // What it holds is found out where it is read.
            let encoding: V1.AudioEncoding = isRaw ? .pcmS16le16k : .audioFileOrPcm
            let id = try await Self.upload(STDIN_FILENO, encoding, "standard input", to: daemon)
            return V1.AudioSource(source: .uploadId(id), name: name, span: span)
        case .pipe(let path):
            let pipe = try FileDescriptor(path, O_RDONLY)
            defer { withExtendedLifetime(pipe) {} }
            let id = try await Self.upload(pipe.number, .audioFile, name, to: daemon)
            return V1.AudioSource(source: .uploadId(id), name: name, span: span)
        case .file, .clip: return try storedSource(span)
        }
    }

    /// As ``source(_:_:reading:)``, for work that goes on when this program has ended.
    package func storedSource(_ span: V1.Span?, reading: ReadingChoices) throws -> V1.AudioSource {
        var source = try storedSource(reading.span(of: self, within: span))
        source.strict = reading.strict
        return source
    }

    /// The same for work that goes on when this program has ended.
    package func storedSource(_ span: V1.Span?) throws -> V1.AudioSource {
        switch place {
        case .file(let path): return V1.AudioSource(source: .path(path), name: name, span: span)
        case .clip(let clip): return V1.AudioSource(source: .clip(clip), name: name, span: span)
        case .standardInput:
            throw CommandError(.usage, "standard input ends with this program, so a job cannot read it; name a file")
        case .pipe:
            throw CommandError(.usage, "the pipe \(name) ends with this program, so a job cannot read it; name a file")
        }
    }

    /// Sends what comes from a descriptor to the daemon, as it comes.
    /// - Returns: the name that the daemon gives it.
    private static func upload(
        _ descriptor: Int32, _ encoding: V1.AudioEncoding, _ name: String, to daemon: DaemonConnection
    ) async throws -> String {
        let call = try await daemon.client.open(V1.AudioRPC.upload)
        var chunk = V1.UploadChunk(encoding: encoding)
        repeat {
            // An empty first chunk says that there was nothing.
            chunk.data = try await readNext(descriptor, most: 256 << 10, name: name)
            try await call.send(chunk)
        } while !chunk.data.isEmpty
        try await call.finish()
        return try await call.answer().uploadId
    }
}
