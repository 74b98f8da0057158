import Foundation
import Messages
import Wire

/// Jobs over the wire.
struct JobHandler {
    let jobs: JobStore
    let transcribe: TranscribeHandler
    let trace: TraceHandler
    let plugins: PluginService
    let atlases: AtlasService
    let use: DaemonUse

    var methods: [ServerMethod] {
        [
            V1.JobRPC.start.handle { request, context in
                V1.JobInfo(try await blocking { try start(request, context) })
            },
            V1.JobRPC.get.handle { request, _ in V1.JobInfo(try jobs.get(request.id)) },
            V1.JobRPC.watch.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let events = try jobs.events(of: request.id, after: request.afterSeq)
                try await answers.send(V1.JobEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
                for await record in events { try await answers.send(try V1.JobEvent(record)) }
            }.untilDraining(),
            V1.JobRPC.result.handle { request, _ in
                try V1.JobResult(jobs.result(request.id), jobs.record(of: request.id))
            },
            V1.JobRPC.results.handle { request, answers, context in
                let events = try jobs.pluginEvents(of: request.id)
                let started = V1.Started(subscriptionId: context.subscriptionID)
                try await answers.send(V1.PluginEvent(event: .started(started)))
                var seq: UInt64 = 0
                for try await element in events {
                    seq += 1
                    let event: V1.PluginEvent.Event =
                        switch element {
                        case .event(let event): .init(event)
                        case .end(let end): .end(V1.PluginEnd(end))
                        }
                    try await answers.send(V1.PluginEvent(seq: seq, event: event))
                }
            }.untilDraining(),
            V1.JobRPC.cancel.handle { request, _ in V1.JobInfo(try jobs.cancel(request.id)) },
            V1.JobRPC.list.handle { _, _ in V1.JobList(jobs: jobs.list().map { V1.JobInfo($0) }) },
            V1.JobRPC.forget.handle { request, _ in
                try jobs.forget(request.id)
                return V1.Empty()
            },
        ]
    }

    /// Checks what is asked for, and starts it: what makes no sense is told to whoever asks, rather than to whoever looks at
    /// the job later. May block.
    private func start(_ request: V1.StartJobRequest, _ context: CallContext) throws -> JobSnapshot {
        let models = plugins.engine.store.service
        switch request.work {
        case .transcribe(let work)?: return try start(context.resolving(work, models), request.label)
        case .trace(let work)?: return try start(context.resolving(work, models), request.label)
        case .plugin(let work)?:
            _ = try Self.deadline(work.deadlineMs)
            let run = try RunRequest(work, in: context.folder(models), plugins)
            return try start(run, deadline: work.deadlineMs, request.label)
        case .atlas(let work)?:
            let milliseconds = work.run?.deadlineMs ?? 0
            _ = try Self.deadline(milliseconds)
            let build = try AtlasBuildRequest(work, in: context.folder(models), plugins)
            return try start(build, deadline: milliseconds, request.label)
        case nil: throw ServiceError(.invalidArgument, "the request names no work")
        }
    }

    private func start(_ work: V1.TranscribeRequest, _ label: String) throws -> JobSnapshot {
        _ = try Self.deadline(work.deadlineMs)
        try transcribe.check(work, connection: nil)
        return try start(label, "transcribe") { client, reporter in
            let deadline = try Self.deadline(work.deadlineMs)
            let transcript = try await transcribe.transcribe(
                work, client: client, deadline: deadline, connection: nil
            ) { event, _ in
                switch event {
                case .began: reporter.began()
                case .segment(let segment): reporter.segment(segment)
                case .progress(let progress): reporter.progress(progress)
                }
            }
            return .transcript(transcript)
        }
    }

    private func start(_ work: V1.TraceRequest, _ label: String) throws -> JobSnapshot {
        _ = try Self.deadline(work.deadlineMs)
        guard case .file? = work.output else {
            throw ServiceError(.invalidArgument, "the tensors of a job must go to a file")
        }
        try trace.check(work, connection: nil)
        return try start(label, "trace") { client, reporter in
            let deadline = try Self.deadline(work.deadlineMs)
            let (summary, _) = try await trace.trace(
                work, client: client, deadline: deadline, connection: nil
            ) { progress, _ in reporter.progress(progress) }
            return .trace(summary)
        }
    }

    private func start(_ run: RunRequest, deadline milliseconds: Int64, _ label: String) throws -> JobSnapshot {
        for source in run.audio { _ = try plugins.engine.input(source, connection: nil) }
        _ = try plugins.engine.store.model(run.model)
        try plugins.check(run)
        return try start(label, JobSnapshot.pluginKind) { client, reporter in
            let deadline = try Self.deadline(milliseconds)
            return .plugin(
                try await plugins.run(run, client: client, deadline: deadline, connection: nil) { event in
                    try reporter.plugin(event)
                })
        }
    }

    private func start(_ build: AtlasBuildRequest, deadline milliseconds: Int64, _ label: String) throws -> JobSnapshot
    {
        try atlases.check(build)
        return try start(label, "atlas") { client, reporter in
            let deadline = try Self.deadline(milliseconds)
            return .atlas(
                try await atlases.build(build, client: client, deadline: deadline, connection: nil) { event in
                    try reporter.plugin(event)
                })
        }
    }

    /// Jobs share the engine like clients do, each a client of its own.
    private func start(
        _ label: String, _ kind: String, _ work: @escaping @Sendable (ClientID, JobReporter) async throws -> JobResult
    ) throws -> JobSnapshot {
        // Connections count from 1 upwards; these come from the other end.
        let client = ClientID(UInt64.random(in: 1 << 63 ... .max))
        let user = DaemonUse.User.job(client.value)
        use.begin(user)
        do {
            return try jobs.start(label: label, kind: kind) { [use] reporter in
                defer { use.end(user) }
                return try await work(client, reporter)
            }
        } catch {
            use.end(user)
            throw error
        }
    }

    private static func deadline(_ milliseconds: Int64) throws -> ContinuousClock.Instant? {
        guard milliseconds >= 0 else {
            throw ServiceError(.invalidArgument, "deadline_ms is \(milliseconds); expected 0 or more")
        }
        return milliseconds > 0 ? .now + .milliseconds(milliseconds) : nil
    }
}
