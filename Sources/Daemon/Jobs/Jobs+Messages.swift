import Foundation
import Messages
import Wire

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
            case .plugin(let place): .plugin(V1.PluginEvent(event: .init(try JobRecord.event(at: place))))
            }
        self.init(seq: record.seq, dropped: record.dropped, event: event)
    }
}

extension V1.JobResult {
    init(_ result: JobResult, _ record: JobRecord) throws {
        switch result {
        case .transcript(let transcript): self.init(result: .transcript(V1.Transcript(transcript)))
        case .trace(let summary): self.init(result: .trace(V1.TraceSummary(summary)))
        case .plugin(let end): self.init(result: .plugin(try V1.PluginResults(record, end)))
        case .atlas(let scan): self.init(result: .atlas(V1.AtlasScan(scan)))
        }
    }
}
