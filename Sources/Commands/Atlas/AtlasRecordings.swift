import Atlas
import Client
import DataSets
import Digests
import Files
import Foundation
import Messages
import Synchronization

/// The recordings of a scan by the numbers that plugins know them by, with where they lie.
///
/// Numbers are the daemon's: single recordings first, then those of the data sets in their order.
final class AtlasRecordings: Sendable {
    private struct Entry {
        var name: String
        var place: AtlasRecordingPlace
    }

    /// What stands for the data set in the atlas.
    let name: String
    private let entries: [Entry]
    /// By path: several recordings may be parts of one file.
    private let digests: Mutex<[String: String]>

    var count: Int { entries.count }

    /// - Parameter dataSets: absolute paths, or "demo:".
    /// - Throws: ``DataSets/DataSetError``, ``Files/FileError`` for a data set that cannot be listed.
    init(_ single: [RecordingArgument], dataSets: [String], _ daemon: DaemonConnection) async throws {
        let hasClips =
            dataSets.contains(RecordingArgument.clipPrefix)
            || single.contains { if case .clip = $0.place { true } else { false } }
        let clips = hasClips ? try await daemon.call(V1.AudioRPC.clips, .init()).clips : []
        let items = clips.map { clip in
            DataSetItem(name: RecordingArgument.clipPrefix + clip.name, source: .clip(clip.name))
        }
        var entries = single.compactMap { recording -> Entry? in
            switch recording.place {
            case .file(let path): Entry(name: recording.name, place: AtlasRecordingPlace(path: path))
            case .clip: Entry(name: recording.name, place: AtlasRecordingPlace(path: recording.name))
            case .pipe, .standardInput: nil
            }
        }
        for place in dataSets {
            // What describes no recording is reported by the daemon, which goes through the same lines.
            try DataSet(place, clips: { items }).forEach(broken: { _ in }) { item in
                let path =
                    switch item.source {
                    case .path(let path): path
                    case .clip(let clip): RecordingArgument.clipPrefix + clip
                    }
                entries.append(
                    Entry(name: item.name, place: AtlasRecordingPlace(path: path, start: item.start, end: item.end)))
            }
        }
        self.entries = entries
        name =
            (single.map { recording in
                if case .file(let path) = recording.place { path } else { recording.name }
            } + dataSets).joined(separator: " ")
        var digests: [String: String] = [:]
        for clip in clips {
            let file = try await daemon.call(V1.AudioRPC.clip, V1.ClipRequest(file: clip.file))
            digests[RecordingArgument.clipPrefix + clip.name] = try SHA256.hex(of: file.data)
        }
        self.digests = Mutex(digests)
    }

    /// Where a recording lies, with the digest of its file; nil for a number or a name that the data sets do not have,
    /// and without a digest for a file that has gone.
    func place(_ number: Int, _ name: String?) throws -> AtlasRecordingPlace? {
        guard entries.indices.contains(number), name == nil || entries[number].name == name else { return nil }
        var place = entries[number].place
        place.sha256 = try digest(place.path)
        return place
    }

    private func digest(_ path: String) throws -> String? {
        if let known = digests.withLock({ $0[path] }) { return known }
        do {
            let digest = try SHA256.hex(ofFiles: [path])
            digests.withLock { $0[path] = digest }
            return digest
        } catch is FileError {
            return nil
        }
    }
}
