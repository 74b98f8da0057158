import Foundation
import Messages
import StrictJSON
import TerminalText
import Wire

extension V1.JobState {
    package var hasEnded: Bool { [.succeeded, .failed, .cancelled].contains(self) }
}

extension V1.JobInfo {
    /// What it ended with, where it did not succeed.
    package var failure: WireError? {
        guard state != .succeeded else { return nil }
        return error.map { WireError(WireError.Code(rawValue: $0.code), $0.message, reason: $0.reason) }
            ?? WireError(.unknown, "the job \(id) \(state.name)")
    }

    package static func table(_ jobs: [V1.JobInfo]) -> String {
        var table = TextTable("ID", "KIND", "STATE", "PROGRESS", "LABEL")
        for job in jobs { table.append(job.id, job.kind, job.state.name, job.progressText, job.label) }
        return table.text
    }

    private var progressText: String {
        guard let progress, progress.total > 0 else { return "-" }
        return "\(progress.done.clamped) of \(progress.total.clamped) \(progress.unit)"
    }

    package var json: JSON {
        [
            "id": .string(id), "label": .string(label), "kind": .string(kind), "state": .string(state.name),
            "progress": progress?.json ?? .null, "created": .number(created),
            "started": started > 0 ? .number(started) : .null, "ended": ended > 0 ? .number(ended) : .null,
            "last_seq": JSON(lastSeq), "error": error?.json ?? .null,
        ]
    }
}

extension V1.JobError {
    fileprivate var json: JSON {
        [
            "code": .string("\(WireError.Code(rawValue: code))"), "message": .string(message),
            "reason": JSON(present: reason),
        ]
    }
}

extension V1.Progress {
    fileprivate var json: JSON {
        ["done": .number(done), "total": total > 0 ? .number(total) : .null, "unit": .string(unit)]
    }
}

extension V1.JobEvent {
    package var json: JSON {
        var members: [(String, JSON)] = [("seq", JSON(seq))]
        if dropped > 0 { members.append(("dropped", JSON(dropped))) }
        switch event {
        case .state(let info)?: members.append(("state", info.json))
        case .progress(let progress)?: members.append(("progress", progress.json))
        case .segment(let segment)?: members.append(("segment", segment.json))
        case .plugin?, .started?, nil: break
        }
        return .object(members)
    }
}
