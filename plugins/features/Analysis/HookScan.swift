import PluginKit

/// Everything about the features at one hook point.
final class HookScan {
    let hook: String
    let features: Int
    /// Names of directions or latents; empty for plain neurons.
    let names: [String]
    /// Positions a second: 50 for encoder frames, 100 for mel frames, 0 for tokens.
    let rate: Double
    /// Of all frames.
    let all: GroupSums
    let smallest: Store<Float>
    /// By column and value.
    private(set) var groups: [Group: GroupSums] = [:]
    let sides: [SideScan]
    let sample: FrameSample
    /// Windows that were left out because a value was not finite.
    private(set) var refused: UInt64 = 0

    struct Group: Hashable, Comparable {
        let column, value: String
        static func < (a: Group, b: Group) -> Bool { (a.column, a.value) < (b.column, b.value) }
    }

    init(hook: String, features: Int, names: [String], rate: Double, settings: Settings) {
        self.hook = hook
        self.features = features
        self.names = names
        self.rate = rate
        all = GroupSums(features: features)
        smallest = Store(repeating: .infinity, count: features)
        sides = settings.signs.map { SideScan(sign: $0, features: features, settings: settings) }
        sample = FrameSample(features: features, limit: settings.sample, perSound: settings.samplePerSound)
    }

    /// The largest value of a feature, on a side.
    func largest(_ feature: Int, on side: SideScan) -> Float {
        side.sign > 0 ? all.largest[feature] : -smallest[feature]
    }

    /// Whether a neuron ever fires on a side. One whose GELU was never above zero is largest where its pre-activation is
    /// smallest, so what it is largest at says nothing of what it listens to.
    func fires(_ feature: Int, on side: SideScan) -> Bool {
        !hook.hasSuffix(".mlp.1") || !names.isEmpty || largest(feature, on: side) > 0
    }

    /// One window at this hook point.
    struct Window {
        /// [frames, features] row-major: the valid frames, and no padding.
        let values: UnsafeBufferPointer<Float>
        let frames: SideScan.Frames
        var count: Int { frames.keys.count }
        /// The columns and values of its recording.
        let groups: [Group]
        /// How many sounds there are numbers for.
        let sounds: Int
    }

    /// - Returns: false where the window has a value that is not finite: then it is left out as a whole, and counted.
    func hear(_ window: Window) throws -> Bool {
        guard window.count > 0 else { return true }
        guard window.values.count == window.count * features else {
            throw PluginError(
                .failed, "\(hook) came with \(window.values.count) values for \(window.count) frames of \(features)")
        }
        guard Self.allFinite(window.values) else {
            refused += 1
            return false
        }
        let sums = [all] + window.groups.map(sums)
        for group in sums { try group.addFrames(UInt64(window.count)) }
        for side in sides { side.makeRoom(sounds: window.sounds) }
        let rows = sampleRows(window.frames)
        let block = FeatureBlock(frames: window.count)
        for start in stride(from: 0, to: features, by: FeatureBlock.width) {
            let count = min(FeatureBlock.width, features - start)
            block.read(window.values, features: features, from: start, count: count)
            for index in 0..<count {
                try hear(block, index, feature: start + index, sums, window.frames)
            }
        }
        for (frame, row) in rows {
            guard let values = window.values.baseAddress, let kept = sample.row(row).baseAddress else { continue }
            Half.convert(values + frame * features, count: features, to: kept)
        }
        if sample.isFull { sample.shrink() }
        return true
    }

    private func hear(
        _ block: FeatureBlock, _ index: Int, feature: Int, _ groups: [GroupSums], _ frames: SideScan.Frames
    ) throws {
        let (row, figures) = (block.row(index), block.figures[index])
        guard let sum = ExactSums.Parts(figures.sum), let square = ExactSums.Parts(figures.square) else {
            throw PluginError(
                .limit,
                "feature \(feature) of \(hook) is \(figures.high) in recording \(frames.recording): "
                    + "too large to add up")
        }
        let sums = GroupSums.Row(sum: sum, square: square, largest: figures.high, active: figures.active)
        for group in groups { try group.add(sums, to: feature) }
        if figures.low < smallest[feature] { smallest[feature] = figures.low }
        for side in sides {
            side.hear(
                row, feature: feature,
                largest: side.sign > 0 ? (figures.high, figures.highFrame) : (-figures.low, figures.lowFrame), frames,
                block.lists)
        }
    }

    /// Rows of the sample for the frames that belong to it.
    private func sampleRows(_ frames: SideScan.Frames) -> [(frame: Int, row: Int)] {
        guard sample.limit > 0 else { return [] }
        return frames.keys.indices.compactMap { frame in
            guard sample.wants(frames.keys[frame], sound: frames.sounds[frame]) else { return nil }
            return (frame, sample.append(frames.keys[frame], sound: frames.sounds[frame]))
        }
    }

    /// By the bits of the exponent, which the compiler makes into whole vectors.
    static func allFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
        var notFinite: UInt32 = 0
        for value in values { notFinite |= value.bitPattern & 0x7f80_0000 == 0x7f80_0000 ? 1 : 0 }
        return notFinite == 0
    }

    // MARK: - Groups

    private func sums(_ group: Group) -> GroupSums {
        if let known = groups[group] { return known }
        let new = GroupSums(features: features)
        groups[group] = new
        return new
    }

    /// Forgets a column: it has too many values to be told apart.
    func drop(column: String) { groups = groups.filter { $0.key.column != column } }

    // MARK: - Other scans

    /// Takes in another's. `sound[i]` is the number here of its sound i; `room` sounds have numbers.
    func merge(_ other: HookScan, sound: [Int], room: Int, droppedColumns: Set<String>) throws {
        try all.add(other.all)
        refused += other.refused
        for feature in 0..<features where other.smallest[feature] < smallest[feature] {
            smallest[feature] = other.smallest[feature]
        }
        for (group, theirs) in other.groups where !droppedColumns.contains(group.column) {
            try sums(group).add(theirs)
        }
        for (mine, theirs) in zip(sides, other.sides) { mine.merge(theirs, sound: sound, room: room) }
        for row in 0..<other.sample.count {
            let number = other.sample.sounds[row]
            sample.append(row, of: other.sample, sound: number < 0 ? number : Int32(sound[Int(number)]))
        }
        if sample.isFull { sample.shrink() }
    }

    // MARK: - From a file

    func restore(refused: UInt64) { self.refused = refused }
    func restore(group: Group) -> GroupSums { sums(group) }
}
