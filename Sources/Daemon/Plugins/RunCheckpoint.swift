import Files
import Foundation
import Synchronization

/// The file that a run's state is kept in while it goes on. One thread uses it.
final class RunCheckpoint {
    /// When the state is written down.
    struct Intervals: Sendable {
        var recordings = 100
        var time = Duration.seconds(10)
        /// A state that takes long to write is written less often: between two there are so many times its own time.
        var rest = 19
        /// How long a run waits for one that has the file, and of which nobody has said that it is to end.
        var patience = Duration.seconds(3)
    }

    private let path: String
    private let intervals: Intervals
    private var lastDone = 0
    private var lastWritten = ContinuousClock.now
    /// The least time to the next.
    private var pause = Duration.zero

    /// - Throws: ``Files/FileError`` where nothing can be written there, which is better known before the work.
    init(path: String, _ intervals: Intervals) throws {
        self.path = path
        self.intervals = intervals
        _ = try PendingFile(path)
    }

    /// What another run has left behind.
    func saved() throws -> PluginState? {
        guard PathText.withName(path, { access($0, F_OK) }) == 0 else { return nil }
        let state = try PluginState(path: path)
        lastDone = state.header.done
        return state
    }

    func isDue(_ done: Int) -> Bool {
        let since = lastWritten.duration(to: .now)
        return since >= pause && (done - lastDone >= intervals.recordings || since >= intervals.time)
    }

    func write(_ state: PluginState) throws {
        let began = ContinuousClock.now
        try state.write(to: path)
        lastWritten = .now
        lastDone = state.header.done
        pause = began.duration(to: lastWritten) * intervals.rest
    }
}

/// Which runs of this daemon keep their states where.
///
/// A lock beside the file keeps a second run out, whichever daemon it is in. A run whose client has gone is on its way out,
/// and whoever asks for the same again at once waits for it; even where the daemon has not heard of the client's end yet.
final class CheckpointLocks: Sendable {
    private let holders = Mutex<[String: RunningPlugins]>([:])

    /// Held as long as the value lives.
    final class Hold: Sendable {
        private let lock: FileLock
        private let release: @Sendable () -> Void

        fileprivate init(_ lock: FileLock, _ release: @escaping @Sendable () -> Void) {
            self.lock = lock
            self.release = release
        }

        deinit { release() }
    }

    /// - Parameter running: what is cancelled where the run is.
    /// - Throws: ``Files/FileError``: `unavailable` where a run that goes on has the file; `CancellationError`.
    func hold(_ path: String, _ running: RunningPlugins, patience: Duration) async throws -> Hold {
        let limit = ContinuousClock.now + patience
        while true {
            if let lock = try FileLock(beside: path) {
                holders.withLock { $0[path] = running }
                return Hold(lock) { [self] in
                    holders.withLock { if $0[path] === running { $0[path] = nil } }
                }
            }
            let isEnding = holders.withLock { $0[path]?.isCancelled ?? false }
            guard isEnding || ContinuousClock.now < limit else {
                throw FileError(
                    .unavailable, "another run keeps its state in \(path); wait for its end, or name another file")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
