import PluginKit

/// One end of each feature at one hook point: its positive values, or its negative ones mirrored. The best recordings,
/// and on both grids counts, sounds and samples.
final class SideScan {
    /// 1, or −1 for the mirrored side.
    let sign: Float
    let features: Int
    let top: TopLists
    let width: Cells
    let octave: Cells
    /// The exponent of both grids of each feature.
    let exponents: Store<Int16>
    /// [features, cells of the width grid, soundStride]: how often each sound was heard in a cell.
    let sounds: Store<UInt32>
    private(set) var soundStride = 0
    /// The frames of a row in which it is above zero; room for the longest row so far.
    private var positive = Store<Int32>(repeating: 0, count: 0)

    var name: String { sign > 0 ? "+" : "-" }

    init(sign: Float, features: Int, settings: Settings) {
        self.sign = sign
        self.features = features
        top = TopLists(features: features, length: settings.top, hasCurves: settings.curves)
        width = Cells(features: features, cells: WidthGrid.cells, depth: settings.reservoir)
        octave = Cells(features: features, cells: OctaveGrid.cells, depth: settings.reservoir)
        exponents = Store(repeating: Int16(WidthGrid.leastExponent), count: features)
        sounds = Store(repeating: 0, count: 0)
    }

    /// Sounds are numbered as they are first heard; a step more of them at a time, as each costs 64 counts a feature.
    func makeRoom(sounds count: Int) {
        guard count > soundStride else { return }
        let wider = (count + 15) / 16 * 16
        sounds.widen(rows: features * WidthGrid.cells, from: soundStride, to: wider, with: 0)
        soundStride = wider
    }

    /// What one window's frames have in common for all features.
    struct Frames {
        let recording: UInt64
        /// Of the first.
        let first: UInt32
        /// The random key of each.
        let keys: [UInt64]
        /// The sound that is heard in each, or −1.
        let sounds: [Int32]
    }

    /// Takes in one feature's row over the valid frames of a window. All values are finite.
    /// - Parameters:
    ///   - largest: the row's largest value, mirrored where the side is, and its first place.
    func hear(
        _ row: UnsafeBufferPointer<Float>, feature: Int, largest: (value: Float, place: Int), _ frames: Frames
    ) {
        let candidate = TopLists.Candidate(
            value: largest.value, recording: frames.recording, frame: frames.first + UInt32(largest.place))
        if let place = top.offer(candidate, to: feature) { top.keepCurve(place, row, around: largest.place) }
        guard largest.value > 0 else { return }
        grow(feature, to: WidthGrid.exponent(largest.value))
        count(row, feature, frames)
    }

    /// The inner loop: a hundred frames of thousands of features for each clip. All bounds are checked before it; cells
    /// are in range because the grid has grown to the row's largest value.
    private func count(_ row: UnsafeBufferPointer<Float>, _ feature: Int, _ frames: Frames) {
        let depth = width.depth
        let exponent = Int(exponents[feature])
        let (scale, base) = (WidthGrid.scale(exponent), OctaveGrid.base(exponent))
        let (low, high) = (feature * WidthGrid.cells, feature * OctaveGrid.cells)
        precondition(frames.keys.count >= row.count && frames.sounds.count >= row.count, "frames without keys")
        let rowCount = row.count
        if positive.count < rowCount { positive = Store(repeating: 0, count: rowCount) }
        guard let row = row.baseAddress, let positive = positive.numbers.baseAddress,
            let widthCounts = width.counts.slice(low, WidthGrid.cells).baseAddress,
            let widthCuts = width.cuts.slice(low, WidthGrid.cells).baseAddress,
            let widthKeys = width.keys.slice(low * depth, WidthGrid.cells * depth).baseAddress,
            let widthValues = width.values.slice(low * depth, WidthGrid.cells * depth).baseAddress,
            let octaveCounts = octave.counts.slice(high, OctaveGrid.cells).baseAddress,
            let octaveCuts = octave.cuts.slice(high, OctaveGrid.cells).baseAddress,
            let octaveKeys = octave.keys.slice(high * depth, OctaveGrid.cells * depth).baseAddress,
            let octaveValues = octave.values.slice(high * depth, OctaveGrid.cells * depth).baseAddress
        else { return }
        // Half of the values are above zero, as by chance: so they are gathered without asking which.
        var count = 0
        for frame in 0..<rowCount {
            positive[count] = Int32(truncatingIfNeeded: frame)
            count &+= sign * row[frame] > 0 ? 1 : 0
        }
        let heard = sounds.slice(low * soundStride, WidthGrid.cells * soundStride)
        frames.keys.withUnsafeBufferPointer { keys in
            frames.sounds.withUnsafeBufferPointer { labels in
                for index in 0..<count {
                    let frame = Int(positive[index])
                    let value = sign * row[frame]
                    let cell = Int(value * scale)
                    let fine = OctaveGrid.cell(value, base: base)
                    widthCounts[cell] &+= 1
                    octaveCounts[fine] &+= 1
                    if labels[frame] >= 0 { heard[cell * soundStride + Int(labels[frame])] &+= 1 }
                    let key = keys[frame]
                    let cut = Cells.cut(key)
                    // After the first recordings few keys are small enough.
                    if cut <= widthCuts[cell] {
                        let (keys, values) = (widthKeys + cell * depth, widthValues + cell * depth)
                        Cells.insert(key, value, keys, values, depth: depth)
                        widthCuts[cell] = Cells.cut(keys[depth - 1])
                    }
                    if cut <= octaveCuts[fine] {
                        let (keys, values) = (octaveKeys + fine * depth, octaveValues + fine * depth)
                        Cells.insert(key, value, keys, values, depth: depth)
                        octaveCuts[fine] = Cells.cut(keys[depth - 1])
                    }
                }
            }
        }
    }

    /// Makes both grids of a feature as coarse as a value with this exponent needs.
    func grow(_ feature: Int, to exponent: Int) {
        let steps = exponent - Int(exponents[feature])
        guard steps > 0 else { return }
        exponents[feature] = Int16(exponent)
        for cell in 1..<WidthGrid.cells {
            let target = WidthGrid.target(cell, steps: steps)
            width.move(cell, of: feature, to: target)
            let (from, to) = (
                (feature * WidthGrid.cells + cell) * soundStride, (feature * WidthGrid.cells + target) * soundStride
            )
            guard from != to else { continue }
            for sound in 0..<soundStride where sounds[from + sound] > 0 {
                sounds[to + sound] += sounds[from + sound]
                sounds[from + sound] = 0
            }
        }
        for cell in 1..<OctaveGrid.cells {
            octave.move(cell, of: feature, to: OctaveGrid.target(cell, steps: steps))
        }
    }

    /// Takes in another's. `sound[i]` is the number here of its sound i.
    func merge(_ other: SideScan, sound: [Int], room: Int) {
        makeRoom(sounds: room)
        for feature in 0..<features {
            for rank in 0..<other.top.count(feature) { top.offer(other.top.entry(feature, rank), to: feature) }
            let exponent = Int(max(exponents[feature], other.exponents[feature]))
            grow(feature, to: exponent)
            let steps = exponent - Int(other.exponents[feature])
            for cell in 0..<WidthGrid.cells {
                let target = WidthGrid.target(cell, steps: steps)
                width.add(cell, of: feature, from: other.width, to: target)
                for (theirs, mine) in sound.enumerated() where theirs < other.soundStride {
                    let count = other.sounds[(feature * WidthGrid.cells + cell) * other.soundStride + theirs]
                    if count > 0 { sounds[(feature * WidthGrid.cells + target) * soundStride + mine] += count }
                }
            }
            for cell in 0..<OctaveGrid.cells {
                octave.add(cell, of: feature, from: other.octave, to: OctaveGrid.target(cell, steps: steps))
            }
        }
    }
}
