import Digests
import Files
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
        var seen: [String: [(shard: Shard?, file: String)]] = [:]
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

    private static func name(_ shard: Shard?) -> String {
        shard.map { "shard \($0.index) of \($0.count)" } ?? "all of it"
    }

    /// The model that the runs used, where its name still means it.
    /// - Returns: why there is none, where there is none.
    func model(in store: ModelStore) -> (ModelLease?, String) {
        do {
            let lease = try store.lease(
                header.model, vocabulary: header.vocabulary.nonEmpty, precision: header.precision)
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

    /// - Parameters:
    ///   - path: where the state of all of them goes; nil where it is not written.
    ///   - isReturned: whether it is told as well.
    func run(
        _ worker: PluginWorker, into path: String?, isReturned: Bool, _ output: RunOutput
    ) throws -> RunEnd {
        let began = ContinuousClock.now
        let turn = worker.turn
        let description = try worker.call { try $0.describe() }
        let needs = try worker.create(header.arguments)
        // The states of one run may be finished; there is nothing to put together.
        guard !needs.oneRun || states.count == 1 else {
            throw ServiceError.oneRun(header.plugin, "merged from \(states.count) states")
        }
        let whole = try whole
        try output.tell(.description(description), turn)
        try output.tell(.provenance(whole.provenance), turn)
        try turn.suspended {
            for entry in whole.skipped { try output.tell(.skipped(entry)) }
            try records.forEach { _, bytes in try output.tell(RunEvent(record: bytes)) }
        }
        for state in states { try worker.call { try $0.merge(state.state) } }
        let run = PluginRunValue(
            model: header.model, sha256: header.modelSHA256, precision: header.precision, header.dimensions,
            recordings: whole.done, seed: header.seed)
        try worker.call { try $0.activate(run) }
        var state: PluginState?
        if path != nil || isReturned {
            let journal = try SpooledRecords()
            try turn.suspended { try records.forEach { try journal.append($0, $1) } }
            let complete = PluginState(
                header: whole, records: journal.region, state: try worker.call { try $0.save() })
            if let path { try turn.suspended { try complete.write(to: path) } }
            state = complete
        }
        try worker.call { try $0.finish() }
        if isReturned, let state { try output.send(state, turn) }
        var heard = whole
        heard.recordings = whole.done
        return RunEnd(heard, output.results, (worker.engineTime, worker.pluginTime), since: began)
    }

    /// The header of all of them together.
    private var whole: PluginState.Header {
        get throws {
            var whole = header
            whole.version = auscultVersion
            whole.shard = nil
            whole.recordings = states.reduce(0) { $0 + $1.header.recordings }
            whole.done = states.reduce(0) { $0 + $1.header.done }
            whole.skipped = states.flatMap(\.header.skipped)
            whole.dataSet = try dataSet
            return whole
        }
    }

    /// What was told of recordings, in the order in which one run would have told it.
    private var records: MergedRecords {
        // Recordings of other data begin at 0 again; those of the first come first.
        MergedRecords(
            regions: states.map(\.records), isInterleaved: Set(states.map(\.header.dataSet)).count == 1)
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

/// The records of several states as one: one after the other, or by the numbers of their recordings, in whose order each of
/// them has its own.
struct MergedRecords: Sendable {
    let regions: [RecordRegion]
    let isInterleaved: Bool

    func forEach(_ body: (UInt64, [UInt8]) throws -> Void) throws {
        guard isInterleaved else {
            for region in regions { try region.forEach(body) }
            return
        }
        var readers = regions.map { RecordRegion.Reader($0) }
        var heads = try readers.indices.map { try readers[$0].next() }
        while let first = heads.indices.filter({ heads[$0] != nil }).min(by: { a, b in
            (heads[a]?.number ?? 0, a) < (heads[b]?.number ?? 0, b)
        }), let record = heads[first] {
            try body(record.number, record.bytes)
            heads[first] = try readers[first].next()
        }
    }
}
