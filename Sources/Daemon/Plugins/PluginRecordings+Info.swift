import Audio
import DataSets
import Digests

/// What is told of recordings.
extension PluginRecording {
    /// - Parameters:
    ///   - sha256: of the bytes that its sound lies in.
    ///   - samples: what was heard of it; nil where it is only listed.
    func info(sha256: String, _ samples: SampleBuffer? = nil) -> RecordingInfo {
        RecordingInfo(
            number: item.index, name: item.name, source: source, span: span, sha256: sha256,
            duration: samples.map { Double($0.count) / Double(SampleBuffer.sampleRate) } ?? 0,
            labels: item.columns)
    }

    /// The same with its phonemes and words.
    func info(sha256: String, aligned item: DataSetItem) -> RecordingInfo {
        var info = info(sha256: sha256)
        (info.phonemes, info.words) = (item.phonemes, item.words)
        return info
    }

    /// Where somebody else finds its sound; nil for what only this call has.
    private var source: DataSetItem.Source? {
        switch (item.source, recording) {
        case (.clip(let clip), _): .clip(clip)
        case (.path(let path), nil): .path(path)
        case (.path, let single?):
            switch single.input.source {
            case .file(let path): .path(path)
            case .spooled(let path, _, _) where single.upload == nil: .path(path)
            default: nil
            }
        }
    }

    private var span: RecordingInfo.Span? {
        guard item.start != nil || item.end != nil else { return nil }
        return RecordingInfo.Span(start: item.start ?? 0, end: item.end)
    }
}

/// SHA-256 of the bytes that sounds lie in: of a whole file, whatever part of it a recording is. One thread uses it.
struct RecordingDigests {
    /// Of files so far: one file may have many recordings.
    private var known: [String: String] = [:]

    /// - Throws: ``Files/FileError`` for a file that cannot be read.
    mutating func digest(of source: AudioSource) throws -> String {
        switch source {
        case .file(let path), .spooled(let path, _, _):
            if let digest = known[path] { return digest }
            let digest = try SHA256.hex(ofFiles: [path])
            known[path] = digest
            return digest
        case .bytes(let bytes, _), .unknown(let bytes, _), .pcm(let bytes, _): return try SHA256.hex(of: bytes)
        }
    }
}
