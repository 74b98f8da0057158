/// The k best moments of each feature, one a recording, with the activation around each.
///
/// A recording stands with its largest value, of equals the earliest; recordings are in the order of value, of equals in
/// the order of their numbers. So a list depends on what was heard, and not on the order in which it was. One pass
/// suffices: the best of a recording only ever rises, so what was pushed out never had a claim.
final class TopLists {
    /// Frames to each side of the maximum whose activations are kept: 1.5 s.
    static let reach = 75
    static let span = 2 * reach + 1

    let features: Int
    let length: Int
    let hasCurves: Bool
    let counts: Store<Int32>
    // [features, length], each list from the best down.
    let values: Store<Float>
    let recordings: Store<UInt64>
    let frames: Store<UInt32>
    /// Where the curve of an entry lies: entries move, curves do not.
    let slots: Store<UInt16>
    /// [features, length, span]: half precision.
    let curves: Store<UInt16>
    /// [features, length]: values before the maximum, and in all.
    let before: Store<UInt8>
    let sizes: Store<UInt8>

    init(features: Int, length: Int, hasCurves: Bool) {
        self.features = features
        self.length = length
        self.hasCurves = hasCurves
        counts = Store(repeating: 0, count: features)
        values = Store(repeating: 0, count: features * length)
        recordings = Store(repeating: 0, count: features * length)
        frames = Store(repeating: 0, count: features * length)
        slots = Store(repeating: 0, count: features * length)
        curves = Store(repeating: 0, count: hasCurves ? features * length * Self.span : 0)
        before = Store(repeating: 0, count: features * length)
        sizes = Store(repeating: 0, count: features * length)
    }

    func count(_ feature: Int) -> Int { Int(counts[feature]) }

    /// A recording's maximum in a window. `value` is mirrored where the lists are of the other side.
    struct Candidate {
        let value: Float
        let recording: UInt64
        let frame: UInt32
    }

    /// Takes a candidate in, where it belongs.
    /// - Returns: the place for its curve; nil where it is not among the best.
    func offer(_ candidate: Candidate, to feature: Int) -> Int? {
        let base = feature * length
        var count = Int(counts[feature])
        func isWorse(_ entry: Int) -> Bool {
            if values[entry] != candidate.value { return values[entry] > candidate.value }
            if recordings[entry] != candidate.recording { return recordings[entry] < candidate.recording }
            return frames[entry] <= candidate.frame
        }
        if count == length, isWorse(base + count - 1) { return nil }
        var slot = UInt16(count)
        // The place that becomes free: that of the same recording, or a new one, or the last.
        var free = base + count
        if let known = (base..<base + count).first(where: { recordings[$0] == candidate.recording }) {
            guard !isWorse(known) else { return nil }
            (free, slot) = (known, slots[known])
        } else if count == length {
            free = base + count - 1
            slot = slots[free]
        } else {
            count += 1
        }
        while free > base, !isWorse(free - 1) {
            values[free] = values[free - 1]
            recordings[free] = recordings[free - 1]
            frames[free] = frames[free - 1]
            slots[free] = slots[free - 1]
            free -= 1
        }
        values[free] = candidate.value
        recordings[free] = candidate.recording
        frames[free] = candidate.frame
        slots[free] = slot
        counts[feature] = Int32(count)
        return base + Int(slot)
    }

    /// Keeps the activations around index `maximum` of a row in the place that ``offer(_:to:)`` gave.
    func keepCurve(_ place: Int, _ row: UnsafeBufferPointer<Float>, around maximum: Int) {
        let first = max(0, maximum - Self.reach)
        let end = min(row.count, maximum + Self.reach + 1)
        before[place] = UInt8(maximum - first)
        sizes[place] = UInt8(end - first)
        guard hasCurves else { return }
        guard let values = row.baseAddress,
            let curve = curves.slice(place * Self.span, Self.span).baseAddress
        else { return }
        Half.convert(values + first, count: end - first, to: curve)
    }

    struct Entry {
        let value: Float
        let recording: UInt64
        let frame: UInt32
        /// Values of the curve before the maximum.
        let before: Int
        let curve: [UInt16]
    }

    func entry(_ feature: Int, _ rank: Int) -> Entry {
        let index = feature * length + rank
        let place = feature * length + Int(slots[index])
        let size = hasCurves ? Int(sizes[place]) : 0
        return Entry(
            value: values[index], recording: recordings[index], frame: frames[index],
            before: hasCurves ? Int(before[place]) : 0,
            curve: size > 0 ? Array(curves.slice(place * Self.span, size)) : [])
    }

    /// Takes in an entry of another list.
    func offer(_ entry: Entry, to feature: Int) {
        let candidate = Candidate(value: entry.value, recording: entry.recording, frame: entry.frame)
        guard let place = offer(candidate, to: feature), hasCurves else { return }
        before[place] = UInt8(entry.before)
        sizes[place] = UInt8(entry.curve.count)
        let curve = curves.slice(place * Self.span, Self.span)
        for (index, value) in entry.curve.enumerated() { curve[index] = value }
    }
}
