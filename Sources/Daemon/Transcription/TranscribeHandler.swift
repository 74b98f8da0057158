import Logging
import Messages
import Wire
import Whisper

/// Recordings to text over the wire.
struct TranscribeHandler {
    let engine: Engine
    let logger: Logger

    var methods: [ServerMethod] {
        [
            V1.TranscribeRPC.transcribe.handle { request, context in
                try context.limit(milliseconds: request.deadlineMs)
                let request = try context.resolving(request, engine.store.service)
                return V1.Transcript(
                    try await transcribe(
                        request, client: context.client, deadline: context.deadline, connection: context.connection))
            },
            V1.TranscribeRPC.stream.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                try await stream(context.resolving(request, engine.store.service), answers, context)
            },
            V1.TranscribeRPC.detectLanguage.handle { request, context in
                let request = try context.resolving(request, engine.store.service)
                let recording = try engine.input(request.audio, connection: context.connection)
                let found = try await engine.run(request.model, client: context.client, deadline: context.deadline) {
                    [logger] model, turn in
                    var wanted = TranscriptionRequest()
                    wanted.seconds = recording.seconds
                    return try TranscribeService(model: model, wanted, logger: logger)
                        .detectLanguage(recording.input, turn: turn)
                }
                return V1.LanguageProbabilities(
                    languages: found.map { V1.LanguageProbability(language: $0.language, probability: $0.probability) })
            },
        ]
    }

    private func stream(
        _ request: V1.TranscribeRequest, _ answers: ResponseStream<V1.TranscribeEvent>, _ context: CallContext
    ) async throws {
        try await answers.send(
            V1.TranscribeEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let transcript = try await transcribe(
            request, client: context.client, deadline: context.deadline, connection: context.connection
        ) { event, turn in
            switch event {
            case .began: break
            case .segment(let segment):
                try answers.send(V1.TranscribeEvent(event: .segment(V1.Segment(segment))), on: turn)
            case .progress(let progress):
                try answers.send(V1.TranscribeEvent(event: .progress(V1.Progress(progress))), on: turn)
            }
        }
        try await answers.send(V1.TranscribeEvent(event: .done(V1.Transcript(transcript))))
    }

    /// Tells what makes no sense about a request without running the model. May block.
    func check(_ request: V1.TranscribeRequest, connection: UInt64?) throws {
        _ = try engine.input(request.audio, connection: connection)
        _ = try TranscribeOptions(request.options)
        _ = try WindowPadding(request.padding)
        let model = try engine.store.model(request.model)
        let tokenizer = try model.tokenizer()
        if let language = request.options?.language.language { _ = try tokenizer.languageCode(for: language) }
        _ = try request.interventions.map { try InterventionSpec($0) }.interventions(model.dimensions)
    }

    enum Event {
        case began
        case segment(Segment)
        case progress(WorkProgress)
    }

    /// Writes a recording down when it is the client's turn.
    /// - Parameter tell: called on the engine's thread; what it throws ends the work.
    func transcribe(
        _ request: V1.TranscribeRequest, client: ClientID, deadline: ContinuousClock.Instant?, connection: UInt64?,
        tell: @escaping @Sendable (Event, EngineTurn) throws -> Void = { _, _ in }
    ) async throws -> Transcript {
        let recording = try engine.input(request.audio, connection: connection)
        var wanted = TranscriptionRequest()
        wanted.options = try TranscribeOptions(request.options)
        wanted.interventions = try InterventionSpec.all(request.interventions)
        wanted.seconds = recording.seconds
        wanted.padding = try WindowPadding(request.padding) ?? wanted.padding
        let service = wanted
        return try await engine.run(request.model, client: client, deadline: deadline) { [logger] model, turn in
            try tell(.began, turn)
            return try TranscribeService(model: model, service, logger: logger).transcribe(
                recording.input,
                observer: TranscriptionObserver(
                    segment: { try tell(.segment($0), turn) },
                    progress: { done, total in
                        // The next token finds out where this fails.
                        try? tell(.progress(WorkProgress(done: done, total: total, unit: "seconds")), turn)
                    }),
                turn: turn)
        }
    }
}

extension ResponseStream {
    /// Sends from the engine's thread. Where the reader is slow, others have the engine while this waits.
    func send(_ message: Message, on turn: EngineTurn, size: Int = 4096) throws {
        if hasRoom(for: size) { try sendBlocking(message) } else { try turn.suspended { try sendBlocking(message) } }
    }
}
