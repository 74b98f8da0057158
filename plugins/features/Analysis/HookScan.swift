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
        // As many features at a time as make both reads and writes of the transposition stay in the cache.
        let block = 32
        let turned = Store<Float>(repeating: 0, count: block * window.count)
        for start in stride(from: 0, to: features, by: block) {
            let width = min(block, features - start)
            transpose(window, start, width, turned)
            for index in 0..<width {
                let row = UnsafeBufferPointer(turned.slice(index * window.count, window.count))
                try hear(row, feature: start + index, sums, window.frames)
            }
        }
        for (frame, row) in rows {
            let kept = sample.row(row)
            for feature in 0..<features { kept[feature] = Half.bits(window.values[frame * features + feature]) }
        }
        if sample.isFull { sample.shrink() }
        return true
    }

    private func hear(
        _ row: UnsafeBufferPointer<Float>, feature: Int, _ groups: [GroupSums], _ frames: SideScan.Frames
    ) throws {
        var (sum, square) = (0.0, 0.0)
        var (low, high) = (row[0], row[0])
        var (lowPlace, highPlace) = (0, 0)
        var active: UInt32 = 0
        for index in row.indices {
            let value = row[index]
            sum += Double(value)
            square += Double(value) * Double(value)
            active += value > 0 ? 1 : 0
            if value > high { (high, highPlace) = (value, index) }
            if value < low { (low, lowPlace) = (value, index) }
        }
        guard let sum = ExactSums.Parts(sum), let square = ExactSums.Parts(square) else {
            throw PluginError(
                .limit, "feature \(feature) of \(hook) is \(high) in recording \(frames.recording): too large to add up"
            )
        }
        let sums = GroupSums.Row(sum: sum, square: square, largest: high, active: active)
        for group in groups { try group.add(sums, to: feature) }
        if low < smallest[feature] { smallest[feature] = low }
        for side in sides {
            side.hear(
                row, feature: feature, largest: side.sign > 0 ? (high, highPlace) : (-low, lowPlace), frames)
        }
    }

    private func transpose(_ window: Window, _ start: Int, _ width: Int, _ turned: Store<Float>) {
        let target = turned.numbers
        for frame in 0..<window.count {
            let source = UnsafeBufferPointer(
                rebasing: window.values[frame * features + start..<frame * features + start + width])
            for index in 0..<width { target[index * window.count + frame] = source[index] }
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
