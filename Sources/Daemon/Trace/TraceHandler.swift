import Foundation
import Kernels
import Logging
import Messages
import Wire
import Whisper

/// Traces over the wire: streamed, into a file, or into shared memory.
struct TraceHandler {
    let engine: Engine
    let logger: Logger
    let descriptors: @Sendable () -> DescriptorHandoff?

    var methods: [ServerMethod] {
        [
            V1.TraceRPC.run.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                try await run(context.resolving(request, engine.store.service), answers, context)
            },
            V1.TraceRPC.runToEnd.handle { request, context in
                try context.limit(milliseconds: request.deadlineMs)
                guard request.output != nil, request.output != .stream(V1.Empty()) else {
                    throw ServiceError(
                        .invalidArgument, "RunToEnd has no stream: output must be a file or memory")
                }
                let (summary, memory) = try await trace(
                    context.resolving(request, engine.store.service), client: context.client,
                    deadline: context.deadline, connection: context.connection)
                return V1.TraceSummary(summary, memory: memory)
            },
            V1.TraceRPC.comparePrecision.handle { request, context in
                try context.limit(milliseconds: request.deadlineMs)
                return try await compare(context.resolving(request, engine.store.service), context)
            },
        ]
    }

    private func run(
        _ request: V1.TraceRequest, _ answers: ResponseStream<V1.TraceEvent>, _ context: CallContext
    ) async throws {
        try await answers.send(V1.TraceEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let (summary, memory) = try await trace(
            request, client: context.client, deadline: context.deadline, connection: context.connection,
            stream: answers
        ) { progress, turn in
            try answers.send(V1.TraceEvent(event: .progress(V1.Progress(progress))), on: turn)
        }
        if let memory { try await answers.send(V1.TraceEvent(event: .memory(memory))) }
        try await answers.send(V1.TraceEvent(event: .done(V1.TraceSummary(summary))))
    }

    private func compare(
        _ request: V1.ComparePrecisionRequest, _ context: CallContext
    ) async throws -> V1.PrecisionComparison {
        let recording = try engine.input(request.audio, connection: context.connection)
        return try await engine.run(request.model, client: context.client, deadline: context.deadline) {
            [store = engine.store] model, turn in
            let lease = try turn.suspended {
                let lease = try store.lease(
                    request.model?.name.nonEmpty, vocabulary: request.model?.vocabulary.nonEmpty)
                _ = try lease.model.model()
                return lease
            }
            defer { withExtendedLifetime(lease) {} }
            let errors = try PrecisionService(model, exact: lease.model).errors(
                recording.input, hooks: request.hooks, seconds: recording.seconds, turn: turn)
            return V1.PrecisionComparison(
                file: recording.input.name, model: model.name, modelSha256: try model.digest(),
                precision: model.precision.message,
                hooks: errors.map { V1.HookError(hook: $0.hook, relative: $0.relative, largest: $0.largest) })
        }
    }

    /// Tells what makes no sense about a request without running the model. May block.
    func check(_ request: V1.TraceRequest, connection: UInt64?) throws {
        let recording = try engine.input(request.audio, connection: connection)
        let dimensions = try engine.store.model(request.model).dimensions
        let wanted = try TraceRequest(request, seconds: recording.seconds)
        _ = try TracePlan(wanted, dimensions)
        guard case .file(let path)? = request.output else { return }
        try Engine.checkAbsolute(path)
        // Whether there can be such a file: nothing is left of it.
        _ = try TraceFile(path, wanted, dimensions)
    }

    /// Traces a recording when it is the client's turn.
    /// - Parameters:
    ///   - stream: where tensors go that are to be streamed; without one they must go elsewhere.
    ///   - tell: called on the engine's thread; what it throws ends the work.
    func trace(
        _ request: V1.TraceRequest, client: ClientID, deadline: ContinuousClock.Instant?, connection: UInt64?,
        stream: ResponseStream<V1.TraceEvent>? = nil,
        tell: @escaping @Sendable (WorkProgress, EngineTurn) throws -> Void = { _, _ in }
    ) async throws -> (TraceSummary, V1.SharedMemory?) {
        let recording = try engine.input(request.audio, connection: connection)
        let wanted = try TraceRequest(request, seconds: recording.seconds)
        if case .file(let path)? = request.output { try Engine.checkAbsolute(path) }
        let output = request.output
        return try await engine.run(request.model, client: client, deadline: deadline) {
            [logger, descriptors] model, turn in
            let service = TraceService(model: model, logger: logger)
            let progress = { (done: Int, total: Int) in
                try tell(WorkProgress(done: Double(done), total: Double(total), unit: "windows"), turn)
            }
            switch output {
            case .file(let path)?:
                return (try service.trace(recording.input, wanted, to: path, turn: turn, progress: progress), nil)
            case .memory?:
                guard let handoff = descriptors() else {
                    throw ServiceError(.unavailable, "this daemon hands no shared memory over")
                }
                let sink = SharedMemorySink()
                let summary = try service.trace(recording.input, wanted, into: sink, turn: turn, progress: progress)
                return (summary, try sink.offer(to: handoff))
            case .stream?, nil:
                guard let stream else {
                    throw ServiceError(.invalidArgument, "the tensors of a job must go to a file")
                }
                let sink = TensorStreamSink(stream, turn)
                return (try service.trace(recording.input, wanted, into: sink, turn: turn, progress: progress), nil)
            }
        }
    }
}
