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
                let request = try await blocking {
                    let request = try resolving(request, context)
                    try check(request)
                    return request
                }
                return V1.JobInfo(try start(request))
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
                for try await event in events {
                    seq += 1
                    try await answers.send(V1.PluginEvent(seq: seq, event: event.event))
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

    /// The request with absolute paths.
    private func resolving(_ request: V1.StartJobRequest, _ context: CallContext) throws -> V1.StartJobRequest {
        let models = plugins.engine.store.service
        var request = request
        switch request.work {
        case .transcribe(let work)?: request.work = .transcribe(try context.resolving(work, models))
        case .trace(let work)?: request.work = .trace(try context.resolving(work, models))
        case .plugin(let work)?: request.work = .plugin(try plugins.resolving(work, context.folder(models)))
        case .atlas(let work)?: request.work = .atlas(try atlases.resolving(work, context.folder(models)))
        case nil: break
        }
        return request
    }

    /// What makes no sense is told to whoever asks, rather than to whoever looks at the job later.
    private func check(_ request: V1.StartJobRequest) throws {
        switch request.work {
        case .transcribe(let work)?:
            _ = try Self.deadline(work.deadlineMs)
            try transcribe.check(work, connection: nil)
        case .trace(let work)?:
            _ = try Self.deadline(work.deadlineMs)
            guard case .file? = work.output else {
                throw ServiceError(.invalidArgument, "the tensors of a job must go to a file")
            }
            try trace.check(work, connection: nil)
        case .plugin(let work)?: _ = try Self.deadline(work.deadlineMs)
        case .atlas(let work)?:
            _ = try Self.deadline(work.run?.deadlineMs ?? 0)
            try atlases.check(work)
        case nil: throw ServiceError(.invalidArgument, "the request names no work")
        }
    }

    private func start(_ request: V1.StartJobRequest) throws -> JobSnapshot {
        switch request.work {
        case .transcribe(let work)?:
            return try start(request.label, "transcribe") { client, reporter in
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
        case .trace(let work)?:
            return try start(request.label, "trace") { client, reporter in
                let deadline = try Self.deadline(work.deadlineMs)
                let (summary, _) = try await trace.trace(
                    work, client: client, deadline: deadline, connection: nil
                ) { progress, _ in reporter.progress(progress) }
                return .trace(summary)
            }
        case .plugin(let work)?:
            for source in work.audio { _ = try plugins.engine.input(source, connection: nil) }
            _ = try plugins.engine.store.model(work.model)
            try plugins.check(work)
            return try start(request.label, JobSnapshot.pluginKind) { client, reporter in
                let deadline = try Self.deadline(work.deadlineMs)
                return .plugin(
                    try await plugins.run(work, client: client, deadline: deadline, connection: nil) { event in
                        try reporter.plugin(event)
                    })
            }
        case .atlas(let work)?:
            return try start(request.label, "atlas") { client, reporter in
                let deadline = try Self.deadline(work.run?.deadlineMs ?? 0)
                return .atlas(
                    try await atlases.build(work, client: client, deadline: deadline, connection: nil) { event in
                        try reporter.plugin(event)
                    })
            }
        case nil: throw ServiceError(.invalidArgument, "the request names no work")
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

// MARK: - Values

extension V1.JobInfo {
    init(_ snapshot: JobSnapshot) {
        let state: V1.JobState =
            switch snapshot.state {
            case .queued: .queued
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed
            case .cancelled: .cancelled
            }
        let error = snapshot.error.map { WireError(describing: $0) }
        self.init(
            id: snapshot.id, label: snapshot.label, kind: snapshot.kind, state: state,
            progress: snapshot.progress.map { V1.Progress($0) }, created: snapshot.created.timeIntervalSince1970,
            started: snapshot.started?.timeIntervalSince1970 ?? 0, ended: snapshot.ended?.timeIntervalSince1970 ?? 0,
            lastSeq: snapshot.lastSeq,
            error: error.map { V1.JobError(code: $0.code.rawValue, message: $0.message, reason: $0.reason) })
    }
}

extension V1.JobEvent {
    init(_ record: JobEventRecord) throws {
        let event: Event =
            switch record.event {
            case .state(let snapshot): .state(V1.JobInfo(snapshot))
            case .progress(let progress): .progress(V1.Progress(progress))
            case .segment(let segment): .segment(V1.Segment(segment))
            case .plugin(let place): .plugin(try JobRecord.event(at: place))
            }
        self.init(seq: record.seq, dropped: record.dropped, event: event)
    }
}

extension V1.JobResult {
    init(_ result: JobResult, _ record: JobRecord) throws {
        switch result {
        case .transcript(let transcript): self.init(result: .transcript(V1.Transcript(transcript)))
        case .trace(let summary): self.init(result: .trace(V1.TraceSummary(summary)))
        case .plugin(let end): self.init(result: .plugin(try record.results(end)))
        case .atlas(let scan): self.init(result: .atlas(V1.AtlasScan(scan)))
        }
    }
}
