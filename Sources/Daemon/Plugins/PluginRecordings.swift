import Audio
import DataSets
import Digests
import Foundation

/// One recording of a run.
struct PluginRecording: Sendable {
    let item: DataSetItem
    /// What must stay while it is read: an upload, samples that came with the request.
    let recording: Recording?
    /// Whether what would be a notice is an error.
    var strict = false

    /// Where its sound comes from, and the part of it that is meant.
    func input() throws -> (input: AudioInput, seconds: Range<Double>?) {
        if var input = recording?.input {
            input.strict = input.strict || strict
            return (input, recording?.seconds)
        }
        var input: AudioInput =
            switch item.source {
            case .path(let path): AudioInput(name: item.name, source: .file(path))
            case .clip(let clip): AudioInput(name: item.name, source: try AudioInput.clip(named: clip).source)
            }
        input.strict = strict
        guard item.start != nil || item.end != nil else { return (input, nil) }
        return (input, (item.start ?? 0)..<(item.end ?? .greatestFiniteMagnitude))
    }
}

/// The recordings of a run in their order, those of a shard.
struct PluginRecordings: Sendable {
    var recordings: [PluginRecording] = []
    /// Lines of manifests that describe none.
    var broken: [SkippedRecording] = []
    /// What else there is to know about the data sets.
    var notices: [RecordingNotice] = []
    /// Of all recordings with what is known about them, those of other shards too: runs over the same data have the
    /// same.
    var digest = ""
    /// Of all shards.
    var total = 0
    /// What the columns hold, of all shards.
    var columns = RecordingColumns()

    /// - Parameters:
    ///   - single: recordings that come first.
    ///   - stopAtBroken: whether a line that describes no recording is an error.
    ///   - strict: whether a recording's notices are errors.
    /// - Throws: ``ServiceError``, ``DataSets/DataSetError``, ``Files/FileError``.
    init(
        single: [Recording], dataSets: [String], shard: Shard?, stopAtBroken: Bool, strict: Bool = false,
        clips: @escaping @Sendable () throws -> [DataSetItem] = { try DemoClips.items() }
    ) throws {
        if let shard {
            guard shard.count > 0, shard.index < shard.count else {
                throw ServiceError(
                    .invalidArgument,
                    "there is no shard \(shard.index) of \(shard.count); expected 0 to \(max(1, shard.count) - 1)")
            }
        }
        var pending: [UInt8] = []
        /// Folds a piece at a time into the digest, so that a long list is not in memory twice.
        func fold() throws {
            digest = try SHA256.hex(of: Array(digest.utf8) + pending)
            pending = []
        }
        func take(_ item: DataSetItem, _ recording: Recording? = nil) throws {
            pending += item.fingerprint
            if pending.count >= 1 << 20 { try fold() }
            total = item.index + 1
            columns.count(item)
            if let shard, UInt64(item.index) % UInt64(shard.count) != UInt64(shard.index) { return }
            recordings.append(PluginRecording(item: item, recording: recording, strict: strict))
        }
        // What is known of embedded clips that were named by themselves.
        let isClip = { (recording: Recording) in recording.input.name.hasPrefix(DemoClips.prefix) }
        let known = single.contains(where: isClip) ? (try? clips()) ?? [] : []
        for (index, recording) in single.enumerated() {
            let name = recording.input.name
            var item = known.first { $0.name == name } ?? DataSetItem(name: name, source: .path(name))
            item.index = index
            item.start = recording.seconds?.lowerBound
            item.end = recording.seconds.flatMap { $0.upperBound == .greatestFiniteMagnitude ? nil : $0.upperBound }
            try take(item, recording)
        }
        for place in dataSets {
            let set = try DataSet(place, clips: clips)
            try set.forEach(
                from: total,
                broken: { error in
                    guard error.losesRecording else {
                        let notice = Notice(Notice.Code(rawValue: error.code.rawValue), error.problem)
                        return notices.append(RecordingNotice(file: error.file, notice: notice))
                    }
                    guard !stopAtBroken else { throw error }
                    broken.append(SkippedRecording(file: error.file, reason: "\(error)"))
                },
                { try take($0) })
        }
        try fold()
    }
}

extension DemoClips {
    /// The embedded clips as a data set.
    static func items() throws -> [DataSetItem] {
        try all().map { clip in
            var item = DataSetItem(name: prefix + clip.name, source: .clip(clip.name))
            item.text = clip.text
            item.language = clip.language
            item.speaker = clip.voice
            item.labels = [("kind", clip.kind as String?), ("voice", clip.voice), ("engine", clip.engine)].compactMap {
                column, value in value.map { DataSetItem.Label(column: column, value: $0) }
            }
            item.phonemes = (clip.phonemes ?? []).map { TimedLabel(start: $0.start, end: $0.end, label: $0.label) }
            item.words = (clip.words ?? []).map { TimedLabel(start: $0.start, end: $0.end, label: $0.word) }
            return item
        }
    }
}

extension DataSetItem {
    /// Bytes that differ where anything that the data set says differs. Folders do not count, so that a copy of a data
    /// set on another machine is the same one.
    fileprivate var fingerprint: [UInt8] {
        var parts = ["\(index)", name, "\(start ?? -1)", "\(end ?? -1)", text ?? "", language ?? "", speaker ?? ""]
        parts += labels.flatMap { [$0.column, $0.value] }
        parts += (phonemes + words).flatMap { ["\($0.start)", "\($0.end)", $0.label] }
        parts += alignments.map { ($0.path as NSString).lastPathComponent }
        return parts.flatMap { Array($0.utf8) + [0] } + [1]
    }
}
