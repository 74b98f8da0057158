import Audio
import Messages
import Wire

/// Sound that a client pushes, and the embedded clips, over the wire.
struct AudioHandler {
    let uploads: UploadStore
    let engine: Engine

    var methods: [ServerMethod] {
        [
            V1.AudioRPC.upload.collect { chunks, context in try await upload(chunks, context) },
            V1.AudioRPC.discard.handle { request, context in
                try uploads.discard(request.uploadId, connection: context.connection)
                return V1.Empty()
            },
            V1.AudioRPC.clips.handle { _, _ in V1.ClipList(clips: try DemoClips.all().map(V1.DemoClip.init)) },
            V1.AudioRPC.clip.handle { request, _ in
                guard let file = DemoClips.files.first(where: { $0.name == request.file }) else {
                    throw ServiceError(.notFound, "no embedded file is called \(request.file)")
                }
                return V1.ClipFile(file: file.name, data: Array(file.bytes))
            },
            V1.AudioRPC.excerpt.handle { request, context in
                let request = try context.resolving(request, engine.store.service)
                let recording = try engine.input(request.audio, connection: context.connection)
                let wanted = try ExcerptService.Request(request, of: recording.input.name)
                return try await blocking {
                    V1.ExcerptFile(try ExcerptService.excerpt(recording, wanted), request.format)
                }
            },
        ]
    }

    private func upload(
        _ chunks: RequestStream<V1.UploadChunk>, _ context: CallContext
    ) async throws -> V1.UploadedAudio {
        var spool: UploadStore.Spool?
        for try await chunk in chunks {
            let target = try spool ?? uploads.begin(connection: context.connection, encoding: encoding(chunk.encoding))
            spool = target
            guard chunk.data.count <= 1 << 20 else {
                throw WireError(
                    .invalidArgument, "a chunk has \(chunk.data.count) bytes; at most 1 MiB is allowed",
                    reason: "invalid_argument")
            }
            try await blocking { try target.write(chunk.data) }
        }
        guard let spool else {
            throw WireError(.invalidArgument, "an upload needs at least one chunk", reason: "invalid_argument")
        }
        return V1.UploadedAudio(uploadId: try spool.finish(), bytes: spool.bytes)
    }

    private func encoding(_ encoding: V1.AudioEncoding) throws -> AudioSource.Encoding {
        switch encoding {
        case .pcmS16le16k: return .s16le
        case .pcmF32le16k: return .f32le
        case .audioFile: return .file
        case .audioFileOrPcm: return .unknown
        default:
            throw WireError(
                .invalidArgument, "there is no encoding \(encoding.rawValue)", reason: "invalid_argument")
        }
    }
}

extension V1.DemoClip {
    init(_ clip: DemoClip) {
        self.init(
            name: clip.name, file: clip.file, kind: clip.kind, language: clip.language ?? "", text: clip.text ?? "",
            voice: clip.voice ?? "", engine: clip.engine ?? "", duration: clip.duration,
            phonemes: (clip.phonemes ?? []).map { V1.TimedLabel(start: $0.start, end: $0.end, label: $0.label) },
            words: (clip.words ?? []).map { V1.TimedLabel(start: $0.start, end: $0.end, label: $0.word) })
    }
}
