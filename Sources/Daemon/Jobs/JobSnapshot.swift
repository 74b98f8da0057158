import Atlas
import Files
import Foundation
import Whisper

/// How far a job has come.
public enum JobState: String, Sendable {
    /// Accepted; the engine has not begun with it.
    case queued
    case running
    case succeeded
    case failed
    case cancelled

    public var isFinal: Bool { self != .queued && self != .running }
}

/// How far long work has come.
public struct WorkProgress: Sendable, Hashable {
    public var done: Double
    /// 0 where it is not known.
    public var total: Double
    /// `seconds`, `windows`, `recordings`, `bytes`.
    public var unit: String
    /// What is being worked on, where there are several things.
    public var label: String

    public init(done: Double, total: Double, unit: String, label: String = "") {
        self.done = done
        self.total = total
        self.unit = unit
        self.label = label
    }
}

/// What a job made.
public enum JobResult: Sendable {
    case transcript(Transcript)
    case trace(TraceSummary)
    /// A plugin's results, which are in the job's record of its run.
    case plugin(RunEnd)
    /// A scan, which is in its atlas.
    case atlas(AtlasScanDetail)
}

/// A job as it was at one moment.
public struct JobSnapshot: Sendable {
    public let id: String
    static let pluginKind = "plugin"

    /// For people.
    public let label: String
    /// `transcribe`, `trace`, `plugin` or `atlas`.
    public let kind: String
    public var state: JobState = .queued
    public var progress: WorkProgress?
    public var created: Date
    public var started: Date?
    public var ended: Date?
    /// The number of its latest event.
    public var lastSeq: UInt64 = 0
    /// Why it failed or was cancelled.
    public var error: (any Error)?
}

/// Something that happened to a job.
enum JobEvent: Sendable {
    /// It came to another state; a final one is its last event.
    case state(JobSnapshot)
    case progress(WorkProgress)
    case segment(Segment)
    /// What a plugin's run tells lies there, in the job's record.
    case plugin(RecordRegion)
}

/// An event in its place.
struct JobEventRecord: Sendable {
    /// Counts from 1, without gaps but for ``dropped``.
    public let seq: UInt64
    /// Events before this one that were asked for and are not kept any more.
    public let dropped: UInt64
    public let event: JobEvent
}

/// What a job's work tells of itself, from any thread. It never waits for those who watch.
public struct JobReporter: Sendable {
    let job: Job

    /// The engine has begun with it. Any report says so as well.
    public func began() { job.begin() }
    public func progress(_ progress: WorkProgress) { job.report(.progress(progress)) }
    public func segment(_ segment: Segment) { job.report(.segment(segment)) }
    /// What a plugin's run tells.
    func plugin(_ event: RunEvent) throws {
        switch event {
        case .progress(let done): progress(done)
        default: job.report(.plugin(try job.record.append(event)))
        }
    }
}
