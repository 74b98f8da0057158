/// Lists recordings as runs go through them, so that nobody else has to know how data sets are read and numbered.
struct RecordingsService: Sendable {
    struct Request: Sendable {
        var audio: [RecordingReference] = []
        var dataSets: [String] = []
        var shard: Shard?
        /// Whether to end at what describes no recording or cannot be read.
        var stopsAtBroken = false
        /// Whether the files are read for their digests.
        var digests = false
        /// Whether alignments are read for phonemes and words.
        var alignments = false
    }

    enum Event: Sendable {
        case recording(RecordingInfo)
        case skipped(SkippedRecording)
        case notice(RecordingNotice)
    }

    let engine: Engine

    /// - Parameters:
    ///   - connection: whose uploads may be named.
    ///   - tell: gets every recording, and what is left out, on a thread that may block.
    func list(
        _ request: Request, connection: UInt64?, tell: @escaping @Sendable (Event) throws -> Void
    ) async throws -> RecordingSet {
        let single = try request.audio.map { try engine.input($0, connection: connection) }
        return try await blocking {
            let list = try PluginRecordings(
                single: single, dataSets: request.dataSets, shard: request.shard, stopAtBroken: request.stopsAtBroken)
            for broken in list.broken { try tell(.skipped(broken)) }
            for notice in list.notices { try tell(.notice(notice)) }
            var digests = RecordingDigests()
            for recording in list.recordings {
                let info: RecordingInfo
                do {
                    let digest = request.digests ? try digests.digest(of: recording.input().input.source) : ""
                    let item = request.alignments ? try recording.item.aligned() : recording.item
                    info = recording.info(sha256: digest, aligned: item)
                } catch {
                    guard !request.stopsAtBroken else { throw error }
                    try tell(.skipped(SkippedRecording(file: recording.item.name, reason: "\(error)")))
                    continue
                }
                try tell(.recording(info))
            }
            return RecordingSet(count: list.recordings.count, sha256: list.digest, shard: request.shard)
        }
    }
}
