import Audio
import Files
import Foundation

/// What every method that runs a model needs: the models, their queue, and the sound that was sent.
struct Engine: Sendable {
    let store: ModelStore
    let queue: InferenceQueue
    let uploads: UploadStore

    /// Runs `body` with a model when it is this client's turn, on a thread that may block.
    func run<R: Sendable>(
        _ reference: ModelReference, client: ClientID, deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (LoadedModel, EngineTurn) throws -> R
    ) async throws -> R {
        try await queue.run(client: client, deadline: deadline) { [self] turn in
            let lease = try self.lease(reference, turn)
            defer { withExtendedLifetime(lease) {} }
            return try body(lease.model, turn)
        }
    }

    /// A model that is loaded, for as long as the lease lives. Opening and loading read files; meanwhile others may compute.
    func lease(_ reference: ModelReference, _ turn: EngineTurn) throws -> ModelLease {
        try turn.suspended {
            let lease = try store.lease(reference)
            _ = try lease.model.model()
            return lease
        }
    }

    /// The recording that somebody names.
    /// - Parameter connection: whose uploads it may use; nil for a job, which may use none.
    func input(_ reference: RecordingReference, connection: UInt64?) throws -> Recording {
        var recording = try recording(reference, connection: connection)
        recording.input.strict = reference.strict
        return recording
    }

    private func recording(_ reference: RecordingReference, connection: UInt64?) throws -> Recording {
        let (name, seconds) = (reference.name, reference.seconds)
        switch reference.place {
        case .path(let path):
            try Self.checkRecording(path, name: name ?? path)
            // Messages speak of it as its user does.
            let source: AudioSource = name.map { .spooled(path: path, encoding: .file, name: $0) } ?? .file(path)
            return Recording(input: AudioInput(name: name ?? path, source: source), seconds: seconds)
        case .clip(let clip):
            let input = try AudioInput.clip(named: clip)
            return Recording(input: AudioInput(name: name ?? input.name, source: input.source), seconds: seconds)
        case .unknown(let bytes):
            return Recording(input: .unknown(bytes, name: name ?? "bytes"), seconds: seconds)
        case .samples(let bytes):
            return Recording(input: .pcm(bytes, name: name ?? "samples"), seconds: seconds)
        case .upload(let id):
            guard let connection else {
                throw ServiceError(
                    .invalidArgument, "a job cannot use the upload \(id), which ends with its connection; name a file")
            }
            let upload = try uploads.upload(id, connection: connection)
            let input = AudioInput.upload(path: upload.path, encoding: upload.encoding, name: name ?? id)
            return Recording(input: input, seconds: seconds, upload: upload)
        }
    }

    /// Tells at once what is wrong with a file, rather than when its turn has come.
    private static func checkRecording(_ path: String, name: String) throws {
        try checkAbsolute(path)
        _ = try FileDescriptor(reading: path, name: name)
    }

    /// The daemon's own folder means nothing to a client.
    static func checkAbsolute(_ path: String) throws {
        guard path.hasPrefix("/") else {
            throw ServiceError(.invalidArgument, "the path '\(path)' is not absolute")
        }
    }
}

/// Where somebody says that a recording is.
struct RecordingReference: Sendable {
    enum Place: Sendable {
        /// A sound file, by its absolute path.
        case path(String)
        /// An embedded clip, by its name.
        case clip(String)
        /// 16 kHz mono s16le.
        case samples([UInt8])
        /// A sound file, or 16 kHz mono s16le where it can be opened as none.
        case unknown([UInt8])
        /// What was sent before on the same connection, by its id.
        case upload(String)
    }

    let place: Place
    /// What results and messages call it; nil for what the place says.
    var name: String?
    /// The part to look at; nil for all.
    var seconds: Range<Double>?
    /// Whether what would be a notice is an error.
    var strict = false
}

/// A recording, the part of it to look at, and what must stay while it is read.
struct Recording: Sendable {
    var input: AudioInput
    let seconds: Range<Double>?
    var upload: UploadStore.Upload?
}

extension Range<Double> {
    /// Seconds; without an end, as far as there is something.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a span that is none.
    init(start: Double, end: Double?) throws {
        let end = end ?? .greatestFiniteMagnitude
        guard start >= 0, start < end, start.isFinite, !end.isNaN else {
            throw ServiceError(.invalidArgument, "the span must have 0 ≤ start < end, not \(start) and \(end)")
        }
        self = start..<end
    }
}
