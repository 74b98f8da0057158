import Files

/// Runs of several workers.
extension PluginService {
    /// Each worker goes through a contiguous part of the recordings, and what they have is put together at the end.
    ///
    /// With a checkpoint they do so in rounds, after each of which the state of all is one and is written down: so it is
    /// the same file that one worker would keep, and any number of workers goes on from it.
    func runTogether(
        _ run: PluginRun, _ workers: Int, client: ClientID, deadline: ContinuousClock.Instant?
    ) async throws -> RunEnd {
        let began = ContinuousClock.now
        let model = run.request.model
        let count = run.recordings.recordings.count
        var times = (engine: Duration.zero, plugin: Duration.zero)
        func add(_ more: (engine: Duration, plugin: Duration)) {
            times = (times.engine + more.engine, times.plugin + more.plugin)
        }
        guard let path = run.request.checkpoint else {
            let parts = try await parts(of: run, 0..<count, workers, client: client, deadline: deadline)
            for part in parts { add(part.times) }
            let skipped = run.recordings.broken + parts.flatMap(\.skipped)
            return try await engine.run(model, client: client, deadline: deadline) { [times] model, turn in
                try run.finish(parts, skipped: skipped, times, model, turn, since: began)
            }
        }
        var state = try await engine.run(model, client: client, deadline: deadline) { model, turn in
            try run.begun(model, turn)
        }
        var size = workers * intervals.recordings
        while state.header.done < count {
            let start = ContinuousClock.now
            let round = state.header.done..<min(count, state.header.done + size)
            let parts = try await parts(of: run, round, workers, client: client, deadline: deadline)
            for part in parts { add(part.times) }
            let before = state
            let joined = try await engine.run(model, client: client, deadline: deadline) { model, turn in
                try run.joined(before, parts, done: round.upperBound, model, turn)
            }
            state = joined.0
            add(joined.times)
            let complete = state
            try await blocking { try complete.write(to: path) }
            // Processes are started for each round; where that is often, rounds become longer.
            if start.duration(to: .now) < intervals.time { size *= 2 }
        }
        let whole = PluginRun.Part(state: state.state, records: state.records)
        return try await engine.run(model, client: client, deadline: deadline) { [times, state] model, turn in
            try run.finish([whole], skipped: state.header.skipped, times, model, turn, since: began)
        }
    }

    /// What each of several workers makes of a contiguous part of `range`, in the parts' order.
    private func parts(
        of run: PluginRun, _ range: Range<Int>, _ workers: Int, client: ClientID, deadline: ContinuousClock.Instant?
    ) async throws -> [PluginRun.Part] {
        let workers = min(workers, range.count)
        return try await withThrowingTaskGroup(of: (Int, PluginRun.Part).self) { group in
            for worker in 0..<workers {
                func bound(_ worker: Int) -> Int { range.lowerBound + range.count * worker / workers }
                let part = bound(worker)..<bound(worker + 1)
                group.addTask {
                    let result = try await engine.run(run.request.model, client: client, deadline: deadline) {
                        model, turn in try run.runPart(part, model, turn)
                    }
                    return (worker, result)
                }
            }
            do {
                var parts: [Int: PluginRun.Part] = [:]
                for try await (worker, part) in group { parts[worker] = part }
                return parts.sorted { $0.key < $1.key }.map(\.value)
            } catch {
                // What the others do is of no more use.
                run.running.cancel()
                throw error
            }
        }
    }
}
