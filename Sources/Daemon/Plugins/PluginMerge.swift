import Digests
import Files
import Messages
import PluginHost
import Whisper

/// The states of several runs that belong together.
struct PluginMerge: Sendable {
    /// What they have in common is that of the first.
    let header: PluginState.Header
    private let states: [PluginState]

    /// - Throws: ``ServiceError``: `invalidArgument` for none, `mismatch` for states that do not belong
    ///   together, or that have recordings in common.
    init(_ states: [PluginState], files: [String]) throws {
        guard let first = states.first else {
            throw ServiceError(.invalidArgument, "there are no states to put together: state_files is empty")
        }
        for (state, file) in zip(states, files).dropFirst() {
            if let difference = state.header.difference(from: first.header, parts: false) {
                throw ServiceError(
                    .mismatch, "\(file) does not belong to \(files.first ?? ""): it has \(difference)")
            }
        }
        var seen: [String: [(shard: PluginState.Header.Shard?, file: String)]] = [:]
        for (state, file) in zip(states, files) {
            let shard = state.header.shard
            for other in seen[state.header.dataSet] ?? [] {
                guard let a = shard, let b = other.shard, a.count == b.count, a.index != b.index else {
                    throw ServiceError(
                        .mismatch,
                        "\(file) and \(other.file) may cover the same recordings: of the same data, one has "
                            + "\(Self.name(shard)) and one \(Self.name(other.shard))")
                }
            }
            seen[state.header.dataSet, default: []].append((shard, file))
        }
        // In the order of the shards, however the files were named.
        self.states = states.enumerated().sorted { a, b in
            let (x, y) = (a.element.header, b.element.header)
            guard x.dataSet == y.dataSet else { return a.offset < b.offset }
            return ((x.shard?.index ?? 0), a.offset) < ((y.shard?.index ?? 0), b.offset)
        }.map(\.element)
        header = first.header
    }

    private static func name(_ shard: PluginState.Header.Shard?) -> String {
        shard.map { "shard \($0.index) of \($0.count)" } ?? "all of it"
    }

    /// The model that the runs used, where its name still means it.
    /// - Returns: why there is none, where there is none.
    func model(in store: ModelStore) -> (ModelLease?, String) {
        do {
            let lease = try store.lease(
                header.model, vocabulary: header.vocabulary.nonEmpty, precision: header.precision ?? .exact)
            let digest = try lease.model.digest()
            guard digest == header.modelSHA256 else {
                return (
                    nil, "the model \(header.model) is not the one of the runs: \(digest), not \(header.modelSHA256)"
                )
            }
            return (lease, "")
        } catch {
            return (nil, "the model of the runs is not there: \(error)")
        }
    }

    func run(
        _ worker: PluginWorker, into path: String?, _ results: ResultCount,
        _ emit: @Sendable (V1.PluginEvent.Event) throws -> Void
    ) throws -> V1.PluginEnd {
        let began = ContinuousClock.now
        let turn = worker.turn
        let description = try worker.call { try $0.describe() }
        let arguments = header.arguments.map { V1.PluginArgument(id: $0.id, value: $0.value) }
        let needs = try worker.create(arguments)
        // The states of one run may be finished; there is nothing to put together.
        guard !needs.oneRun || states.count == 1 else {
            throw ServiceError.oneRun(header.plugin, "merged from \(states.count) states")
        }
        try turn.suspended { try emit(.description(description)) }
        let skipped = states.flatMap(\.header.skipped)
        try turn.suspended {
            for entry in skipped { try emit(.skipped(V1.SkippedRecording(file: entry.file, reason: entry.reason))) }
            for entry in kept { try results.send(entry.result, emit) }
        }
        for state in states { try worker.call { try $0.merge(state.state) } }
        let recordings = states.reduce(0) { $0 + $1.header.done }
        let run = PluginRunValue(
            model: header.model, sha256: header.modelSHA256, precision: header.precision ?? .exact, header.dimensions,
            recordings: recordings, seed: header.seed)
        try worker.call { try $0.activate(run) }
        if let path {
            var whole = PluginState(header: header, results: kept)
            whole.header.shard = nil
            whole.header.recordings = states.reduce(0) { $0 + $1.header.recordings }
            whole.header.done = recordings
            whole.header.skipped = skipped
            whole.header.dataSet = try dataSet
            whole.state = try worker.call { try $0.save() }
            let complete = whole
            try turn.suspended { try complete.write(to: path) }
        }
        try worker.call { try $0.finish() }
        return V1.PluginEnd(
            recordings: UInt64(clamping: recordings), results: results.value, skipped: UInt64(clamping: skipped.count),
            model: header.model, modelSha256: header.modelSHA256, seed: header.seed,
            seconds: began.duration(to: .now) / .seconds(1), engineSeconds: worker.engineTime / .seconds(1),
            pluginSeconds: worker.pluginTime / .seconds(1), precision: (header.precision ?? .exact).message)
    }

    /// The results about recordings, in the order in which one run would have given them.
    private var kept: [PluginState.Result] {
        let all = states.flatMap(\.results)
        // Recordings of other data begin at 0 again; those of the first come first.
        guard Set(states.map(\.header.dataSet)).count == 1 else { return all }
        return all.enumerated().sorted { ($0.element.recording, $0.offset) < ($1.element.recording, $1.offset) }
            .map(\.element)
    }

    /// Of all the data that the runs have heard.
    private var dataSet: String {
        get throws {
            let digests = Set(states.map(\.header.dataSet)).sorted()
            if digests.count == 1, let digest = digests.first { return digest }
            return try SHA256.hex(of: Array(digests.joined(separator: "\n").utf8))
        }
    }
}
