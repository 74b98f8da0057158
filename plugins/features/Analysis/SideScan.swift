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
    private(set) var sounds: Store<UInt32>
    private(set) var soundStride = 0

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
        sounds = sounds.widened(rows: features * WidthGrid.cells, from: soundStride, to: wider, with: 0)
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
        _ row: UnsafeBufferPointer<Float>, feature: Int, largest: (value: Float, place: Int), _ frames: Frames,
        _ lists: Lists
    ) {
        let candidate = TopLists.Candidate(
            value: largest.value, recording: frames.recording, frame: frames.first + UInt32(largest.place))
        if let place = top.offer(candidate, to: feature) { top.keepCurve(place, row, around: largest.place) }
        guard largest.value > 0 else { return }
        grow(feature, to: WidthGrid.exponent(largest.value))
        count(row, feature, frames, lists)
    }

    /// Room for lists of a row's frames.
    struct Lists {
        /// Those in which it is above zero.
        fileprivate let positive: Store<Int32>
        /// Those whose moment may belong to the sample of a cell, with the cell, in either grid.
        fileprivate let wide, fine: Store<Offer>

        init(frames: Int) {
            positive = Store(repeating: 0, count: frames)
            wide = Store(repeating: Offer(frame: 0, cell: 0), count: frames)
            fine = Store(repeating: Offer(frame: 0, cell: 0), count: frames)
        }
    }

    fileprivate struct Offer: BitwiseCopyable {
        let frame, cell: Int32
    }

    /// The inner loop: a hundred frames of thousands of features for each clip. All bounds are checked before it; cells
    /// are in range because the grid has grown to the row's largest value.
    private func count(_ row: UnsafeBufferPointer<Float>, _ feature: Int, _ frames: Frames, _ lists: Lists) {
        let exponent = Int(exponents[feature])
        let (scale, base) = (WidthGrid.scale(exponent), OctaveGrid.base(exponent))
        let (low, high) = (feature * WidthGrid.cells, feature * OctaveGrid.cells)
        precondition(
            frames.keys.count >= row.count && frames.sounds.count >= row.count && lists.positive.count >= row.count,
            "frames without keys, or without room")
        guard let values = row.baseAddress, let positive = lists.positive.numbers.baseAddress,
            let wide = lists.wide.numbers.baseAddress, let fine = lists.fine.numbers.baseAddress,
            let widthCounts = width.counts.slice(low, WidthGrid.cells).baseAddress,
            let widthCuts = width.cuts.slice(low, WidthGrid.cells).baseAddress,
            let octaveCounts = octave.counts.slice(high, OctaveGrid.cells).baseAddress,
            let octaveCuts = octave.cuts.slice(high, OctaveGrid.cells).baseAddress
        else { return }
        // Which values are above zero is by chance, and so is which keys are small: both are gathered without asking.
        var count = 0
        for frame in 0..<row.count {
            positive[count] = Int32(truncatingIfNeeded: frame)
            count &+= sign * values[frame] > 0 ? 1 : 0
        }
        let stride = soundStride
        let heard = sounds.slice(low * stride, WidthGrid.cells * stride)
        var (wideCount, fineCount) = (0, 0)
        frames.keys.withUnsafeBufferPointer { keys in
            frames.sounds.withUnsafeBufferPointer { labels in
                for index in 0..<count {
                    let frame = Int(positive[index])
                    let value = sign * values[frame]
                    let (cell, octave) = (Int(value * scale), OctaveGrid.cell(value, base: base))
                    widthCounts[cell] &+= 1
                    octaveCounts[octave] &+= 1
                    if labels[frame] >= 0 { heard[cell * stride + Int(labels[frame])] &+= 1 }
                    let cut = Cells.cut(keys[frame])
                    wide[wideCount] = Offer(frame: positive[index], cell: Int32(truncatingIfNeeded: cell))
                    fine[fineCount] = Offer(frame: positive[index], cell: Int32(truncatingIfNeeded: octave))
                    wideCount &+= cut <= widthCuts[cell] ? 1 : 0
                    fineCount &+= cut <= octaveCuts[octave] ? 1 : 0
                }
            }
            width.offer(UnsafeBufferPointer(start: wide, count: wideCount), of: feature, values, sign, keys)
            octave.offer(UnsafeBufferPointer(start: fine, count: fineCount), of: feature, values, sign, keys)
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

extension Cells {
    /// Takes in moments of a row that may belong to the samples of their cells.
    fileprivate func offer(
        _ offers: UnsafeBufferPointer<SideScan.Offer>, of feature: Int, _ row: UnsafePointer<Float>, _ sign: Float,
        _ frameKeys: UnsafeBufferPointer<UInt64>
    ) {
        let first = feature * cells
        guard !offers.isEmpty, let cuts = cuts.slice(first, cells).baseAddress,
            let keys = keys.slice(first * depth, cells * depth).baseAddress,
            let values = values.slice(first * depth, cells * depth).baseAddress
        else { return }
        // The tables are larger than any cache. Looked at one by one, before anything depends on what is there, the places come
        // together, and not one after the other.
        var seen: UInt64 = 0
        for offer in offers {
            let place = Int(offer.cell) * depth
            seen |= keys[place] | UInt64(values[place].bitPattern)
        }
        guard seen > 0 else { return }
        for offer in offers {
            let (frame, cell) = (Int(offer.frame), Int(offer.cell))
            Self.insert(
                frameKeys[frame], sign * row[frame], keys + cell * depth, values + cell * depth, depth: depth)
            cuts[cell] = Self.cut(keys[cell * depth + depth - 1])
        }
    }
}
