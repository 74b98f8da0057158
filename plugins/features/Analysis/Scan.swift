import PluginDraws
import PluginKit

/// What was heard so far: all that is saved and merged.
final class Scan {
    /// What it was gathered for: only scans of one description are put together.
    let description: String
    let settings: Settings
    private(set) var seed: UInt64?
    private(set) var hooks: [HookScan] = []
    private(set) var recordings = Recordings()
    /// The values of each column that was seen, as long as they are few.
    private(set) var columns: [String: Set<String>] = [:]
    /// Columns with more values than are told apart.
    private(set) var droppedColumns: Set<String> = []
    /// Positions by which the tokens of two windows of a recording are apart: n_text_ctx. 0 before a run begins.
    private(set) var tokensOfWindow = 0

    /// - Parameter description: of all that decides what is gathered.
    init(settings: Settings, description: String) {
        self.settings = settings
        self.description = description
    }

    var salt: UInt64 { FrameMoment.salt(seed ?? 0) }

    /// The seed of the run, which is that of the states that are merged.
    func begin(seed: UInt64, tokensOfWindow: Int) throws {
        if let mine = self.seed, mine != seed {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(mine), and this run has \(seed)")
        }
        self.seed = seed
        self.tokensOfWindow = tokensOfWindow
    }

    /// Notes a window's recording.
    func hear(_ clip: Clip, windowSeconds: Double) throws {
        let sounds = recordings.sounds.names.count
        try recordings.hear(clip, windowSeconds: windowSeconds)
        if recordings.sounds.names.count > sounds { try checkMemory() }
        for (column, value) in clip.labels where settings.wants(column: column) && !value.isEmpty {
            note(column, value)
        }
    }

    private func note(_ column: String, _ value: String) {
        guard !droppedColumns.contains(column) else { return }
        columns[column, default: []].insert(value)
        guard columns[column, default: []].count > settings.columnValues else { return }
        columns[column] = nil
        droppedColumns.insert(column)
        for hook in hooks { hook.drop(column: column) }
    }

    /// The groups that a recording with these columns belongs to.
    func groups(_ labels: [String: String]) -> [HookScan.Group] {
        labels.sorted { $0.key < $1.key }
            .filter { columns[$0.key]?.contains($0.value) == true }
            .map { HookScan.Group(column: $0.key, value: $0.value) }
    }

    /// The scan of a hook point, made when it is first heard.
    /// - Throws: ``PluginKit/PluginError`` where it comes with other features than before.
    func hook(_ name: String, features: Int, names: [String], rate: Double) throws -> HookScan {
        if let known = hooks.first(where: { $0.hook == name }) {
            guard known.features == features, known.rate == rate else {
                throw PluginError(
                    .failed,
                    "\(name) came with \(features) features at \(rate) positions a second, and before with "
                        + "\(known.features) at \(known.rate)")
            }
            return known
        }
        try checkMemory(with: features, at: name)
        let new = HookScan(hook: name, features: features, names: names, rate: rate, settings: settings)
        hooks.append(new)
        return new
    }

    /// Bytes that the tables may take: half of what a plugin's process has, as merging holds two of them.
    static let mostMemory = 3 << 30

    /// - Throws: ``PluginKit/PluginError`` (`limit`) where the tables of all hook points, and of `more` features, would
    ///   take too much memory.
    func checkMemory(with more: Int = 0, at hook: String = "") throws {
        let features = hooks.reduce(more) { $0 + $1.features }
        let bytes = settings.bytesOfFeature(sounds: recordings.sounds.names.count)
        guard features <= Self.mostMemory / bytes else {
            throw PluginError(
                .limit,
                "\(features) features\(hook.isEmpty ? "" : ", those of \(hook) among them,") take \(bytes) bytes each, "
                    + "and all may take \(Self.mostMemory): name fewer hook points, or a smaller k, reservoir or sample"
            )
        }
    }

    /// Takes in what another scan has heard.
    /// - Throws: ``PluginKit/PluginError`` where it does not belong to this; then nothing was taken in.
    func merge(_ other: Scan) throws {
        guard other.description == description else {
            throw PluginError(
                .invalidArgument, "the state is of \"\(other.description)\", and this run of \"\(description)\"")
        }
        if let mine = seed, let theirs = other.seed, mine != theirs {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(theirs), and this run has \(mine)")
        }
        for theirs in other.hooks {
            guard let mine = hooks.first(where: { $0.hook == theirs.hook }) else { continue }
            guard mine.features == theirs.features, mine.rate == theirs.rate, mine.names == theirs.names else {
                throw PluginError(
                    .invalidArgument,
                    "the state has \(theirs.features) features at \(theirs.hook), and this run "
                        + "\(mine.features), or they have other names")
            }
        }
        try recordings.merge(other.recordings)
        try checkMemory()
        seed = seed ?? other.seed
        for column in other.droppedColumns where !droppedColumns.contains(column) {
            columns[column] = nil
            droppedColumns.insert(column)
            for hook in hooks { hook.drop(column: column) }
        }
        for (column, values) in other.columns { for value in values.sorted() { note(column, value) } }
        let sounds = other.recordings.sounds.names.compactMap { recordings.sounds.find($0).map(Int.init) }
        for theirs in other.hooks {
            let mine = try hook(theirs.hook, features: theirs.features, names: theirs.names, rate: theirs.rate)
            try mine.merge(
                theirs, sound: sounds, room: recordings.sounds.names.count, droppedColumns: droppedColumns)
        }
    }

    // MARK: - From a file

    func restore(seed: UInt64?, recordings: Recordings, columns: [String: Set<String>], dropped: Set<String>) {
        self.seed = seed
        self.recordings = recordings
        self.columns = columns
        droppedColumns = dropped
    }
}
