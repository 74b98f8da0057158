import Client
import Digests
import Foundation
import Messages
import Results

/// What transcripts were made of and what they are: enough to write the same recordings down again and to see whether the transcripts
/// are the same to the bit.
package struct TranscriptsReceipt: Sendable, Equatable {
    /// One transcript.
    package struct Entry: Sendable, Equatable {
        /// What was asked for, with absolute paths.
        package var request: V1.TranscribeRequest
        /// What computed it.
        package var program: ComputingProgram
        package var text: String
        /// Of the whole transcript, times and probabilities too.
        package var sha256: String

        package init(request: V1.TranscribeRequest, program: ComputingProgram, text: String, sha256: String) {
            (self.request, self.program, self.text, self.sha256) = (request, program, text, sha256)
        }

        /// Of what a daemon answered.
        package init(_ request: V1.TranscribeRequest, _ transcript: V1.Transcript, _ program: ComputingProgram) throws {
            self.init(
                request: request, program: program, text: transcript.oneLine,
                sha256: try SHA256.hex(of: transcript.serialized()))
        }

        /// The recording, and how the model was changed.
        var name: String {
            let changes = request.interventions.map(\.text)
            let audio = request.audio ?? V1.AudioSource()
            var name = audio.name
            if name.isEmpty {
                switch audio.source {
                case .path(let path)?: name = path
                case .clip(let clip)?: name = clip
                default: break
                }
            }
            return changes.isEmpty ? name : "\(name) under \(changes.map { "'\($0)'" }.joined(separator: " "))"
        }
    }

    /// Of the model's weights.
    package var model: String
    /// What was written down, each recording once.
    package var recordings: [NamedDigest]
    /// Files and folders that interventions name.
    package var files: [NamedDigest]
    package var entries: [Entry]

    /// Of transcripts that were just made, all by one model.
    /// - Throws: ``CommandError`` (`noInput`) for a recording that came through a pipe, which nobody can hear again; what the calls throw.
    package init(of entries: [Entry], _ daemon: DaemonConnection) async throws {
        let entries = entries.map { entry in
            var entry = entry
            entry.request.audio = entry.request.audio?.fromAnywhere
            entry.request.model = entry.request.model?.fromAnywhere
            return entry
        }
        let info = try await daemon.call(V1.ModelRPC.info, entries.first?.request.model ?? V1.ModelRef())
        self.init(
            model: info.sha256, recordings: try await Self.recordings(of: entries, daemon),
            files: try NamedDigest.files(namedIn: entries.flatMap { $0.request.interventions.flatMap(\.words) }),
            entries: entries)
    }

    init(model: String, recordings: [NamedDigest], files: [NamedDigest], entries: [Entry]) {
        (self.model, self.recordings, self.files, self.entries) = (model, recordings, files, entries)
    }

    /// Every recording once, with the digest of its file.
    private static func recordings(of entries: [Entry], _ daemon: DaemonConnection) async throws -> [NamedDigest] {
        var places: Set<V1.AudioSource.Source> = []
        var sources: [V1.AudioSource] = []
        for source in entries.compactMap(\.request.audio) {
            switch source.source {
            case .path?, .clip?: break
            default:
                throw CommandError(
                    .noInput, "\(source.name) came through a pipe and cannot be heard again, so there is no receipt")
            }
            guard let place = source.source, places.insert(place).inserted else { continue }
            sources.append(source)
        }
        var recordings: [NamedDigest] = []
        let request = V1.ListRecordingsRequest(audio: sources, stopAtBroken: true, digests: true)
        try await daemon.events(V1.RecordingsRPC.list, request) { event in
            guard case .recording(let recording)? = event.event else { return }
            recordings.append(NamedDigest(name: recording.name, sha256: recording.sha256))
        }
        return recordings
    }
}

// MARK: - Comparing

extension TranscriptsReceipt {
    /// The same transcripts once more.
    package func repeated(_ daemon: DaemonConnection, _ progress: (_ done: Int) -> Void) async throws -> Self {
        let program = try await ComputingProgram(daemon)
        var again: [Entry] = []
        for (index, entry) in entries.enumerated() {
            progress(index)
            let transcript = try await daemon.call(V1.TranscribeRPC.transcribe, entry.request)
            again.append(try Entry(entry.request, transcript, program))
        }
        return try await Self(of: again, daemon)
    }

    /// What differs in a second time, in words; none where all is the same to the bit.
    package func differences(from other: Self) -> [String] {
        var found: [String] = []
        if let now = other.entries.first?.program {
            for then in Set(entries.map(\.program)).sorted(by: { ($0.version, $0.kernels) < ($1.version, $1.kernels) })
            {
                if then.version != now.version {
                    found.append(NamedDigest.difference("auscult", then.version, now.version))
                }
                if then.kernels != now.kernels {
                    found.append(NamedDigest.difference("kernels", then.kernels, now.kernels))
                }
            }
        }
        if model != other.model { found.append(NamedDigest.difference("the model's weights", model, other.model)) }
        found += NamedDigest.differences("the recording", recordings, other.recordings)
        found += NamedDigest.differences("the file", files, other.files)
        for (then, now) in zip(entries, other.entries) where then.sha256 != now.sha256 {
            found.append(
                then.text == now.text
                    ? NamedDigest.difference(
                        "the transcript of \(then.name), with the same words", then.sha256, now.sha256)
                    : "the transcript of \(then.name): \"\(then.text)\" then, \"\(now.text)\" now")
        }
        return found
    }
}
