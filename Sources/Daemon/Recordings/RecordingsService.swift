import Messages

/// Lists recordings as runs go through them, so that nobody else has to know how data sets are read and numbered.
struct RecordingsService: Sendable {
    let engine: Engine

    /// - Parameters:
    ///   - connection: whose uploads may be named.
    ///   - tell: gets every recording, and what is left out, on a thread that may block.
    func list(
        _ request: V1.ListRecordingsRequest, connection: UInt64?,
        tell: @escaping @Sendable (V1.RecordingsEvent.Event) throws -> Void
    ) async throws -> V1.RecordingSet {
        let single = try request.audio.map { try engine.input($0, connection: connection) }
        return try await blocking {
            let list = try PluginRecordings(
                single: single, dataSets: request.dataSets, shard: request.shard, stopAtBroken: request.stopAtBroken)
            for broken in list.broken { try tell(.skipped(broken)) }
            for notice in list.notices { try tell(.notice(notice)) }
            var digests = RecordingDigests()
            for recording in list.recordings {
                let info: V1.RecordingInfo
                do {
                    let digest = request.digests ? try digests.digest(of: recording.input().input.source) : ""
                    let item = request.alignments ? try recording.item.aligned() : recording.item
                    info = try recording.info(sha256: digest, aligned: item)
                } catch {
                    guard !request.stopAtBroken else { throw error }
                    try tell(.skipped(V1.SkippedRecording(file: recording.item.name, reason: "\(error)")))
                    continue
                }
                try tell(.recording(info))
            }
            return V1.RecordingSet(
                count: UInt64(list.recordings.count), sha256: list.digest, shard: request.shard)
        }
    }
}
