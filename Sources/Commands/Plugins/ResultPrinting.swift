import Client
import Files
import Foundation
import Messages
import Results
import Synchronization

/// Shows results on a thread of its own. The daemon gives a client up that does not read, and a pager is not read on for minutes:
/// so whoever takes results from the daemon never waits here. What is not shown yet lies on disk.
final class ResultPrinting: Sendable {
    private struct State {
        var waiting: [RecordRegion] = []
        /// The place in `waiting` of the next.
        var next = 0
        var outputs: [String: V1.PluginOutput] = [:]
        var isClosed = false
        var end: Result<ResultBlocks, any Error>?
        var whenEnded: CheckedContinuation<ResultBlocks, any Error>?
    }

    private let spool: SpooledRecords
    private let state = Mutex(State())
    /// Counts what waits, and the end.
    private let arrivals = DispatchSemaphore(value: 0)

    /// - Parameter take: gets the text; it may block.
    /// - Throws: ``Files/FileError`` where nothing can be kept on disk.
    init(_ text: ResultsText, _ take: @escaping @Sendable (String) throws -> Void) throws {
        spool = try SpooledRecords()
        Thread.detachNewThread { [self] in
            var blocks = ResultBlocks(text)
            let end = Result {
                while let typed = try next() { try blocks.add(typed, take) }
                return blocks
            }
            let waiter = state.withLock { state in
                state.end = end
                defer { state.whenEnded = nil }
                return state.whenEnded
            }
            waiter?.resume(with: end)
        }
    }

    /// Puts the next result behind those that wait.
    /// - Parameter outputs: what the plugin declares, by id.
    /// - Throws: why those before it could not be shown; ``Files/FileError`` where the disk is full.
    func add(_ result: V1.PluginResult, outputs: @autoclosure () -> [String: V1.PluginOutput]) throws {
        if let end = state.withLock({ $0.end }) { _ = try end.get() }
        let place = try spool.append(0, result.serialized())
        state.withLock { state in
            if state.outputs.isEmpty { state.outputs = outputs() }
            state.waiting.append(place)
        }
        arrivals.signal()
    }

    /// Waits until all are shown.
    /// - Returns: what is to be shown of all of them.
    /// - Throws: why they could not be shown.
    func finish() async throws -> ResultBlocks {
        try await withCheckedThrowingContinuation { continuation in
            let end = state.withLock { state in
                state.isClosed = true
                if state.end == nil { state.whenEnded = continuation }
                return state.end
            }
            arrivals.signal()
            if let end { continuation.resume(with: end) }
        }
    }

    /// Shows nothing more than is being shown; the thread ends.
    func abandon() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
            state.next = 0
        }
        arrivals.signal()
    }

    /// The next result, waited for; nil after the last.
    private func next() throws -> Result<TypedResult, ResultError>? {
        arrivals.wait()
        let (place, outputs) = state.withLock { state -> (RecordRegion?, [String: V1.PluginOutput]) in
            guard state.next < state.waiting.count else { return (nil, [:]) }
            defer { state.next += 1 }
            return (state.waiting[state.next], state.outputs)
        }
        guard let place else { return nil }
        var reader = RecordRegion.Reader(place)
        guard let record = try reader.next() else { return nil }
        let result = try V1.PluginResult(serialized: record.bytes)
        return Result { () throws(ResultError) in try TypedResult(result, declared: outputs[result.outputId]) }
    }
}
