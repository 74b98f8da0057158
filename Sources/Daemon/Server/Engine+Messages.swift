import Messages
import Wire

// What handlers decode before they ask the engine.

extension Engine {
    func run<R: Sendable>(
        _ reference: V1.ModelRef?, client: ClientID, deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (LoadedModel, EngineTurn) throws -> R
    ) async throws -> R {
        try await run(ModelReference(reference), client: client, deadline: deadline, body)
    }

    /// The recording that a request names.
    /// - Parameter connection: whose uploads it may use; nil for a job, which may use none.
    func input(_ source: V1.AudioSource?, connection: UInt64?) throws -> Recording {
        try input(RecordingReference(source), connection: connection)
    }
}

extension RecordingReference {
    /// - Throws: ``ServiceError`` (`invalidArgument`) where a message names none.
    init(_ message: V1.AudioSource?) throws {
        guard let message, let source = message.source else {
            throw ServiceError(.invalidArgument, "the request names no recording: its audio has no source")
        }
        seconds = try message.span.map { try Range($0) }
        name = message.name.nonEmpty
        strict = message.strict
        place =
            switch source {
            case .path(let path): .path(path)
            case .clip(let clip): .clip(clip)
            case .pcmS16le(let bytes): .samples(bytes)
            case .data(let bytes): .unknown(bytes)
            case .uploadId(let id): .upload(id)
            }
    }
}

extension Range<Double> {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a span that is none.
    init(_ span: V1.Span) throws { try self.init(start: span.start, end: span.end) }
}

extension CallContext {
    var client: ClientID { ClientID(connection) }
}
