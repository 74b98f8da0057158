import PluginKit

/// What the frames in the second quarter of one context need: they are read again and again as it ends earlier and earlier.
struct ContextNeeds {
    private let groups: Groups
    private let scales: [Float]
    private let within: Float
    /// The frames that are looked at, counted from the context's beginning.
    private let frames: Range<Int>
    /// A row for each frame: what the whole context says of it.
    private let reference: [Float]
    /// For each frame and group the least sound behind the frame, in frames, from which on it was always near enough; and whether it still is.
    private var needs: [Int]
    private var isNear: [Bool]
    private let most: Int

    /// - Parameters:
    ///   - whole: what the whole context says, a row for each of its frames.
    ///   - scales: of each group, the greatest magnitude.
    ///   - within: the part of that by which a value may be off.
    init(_ groups: Groups, whole: UnsafeBufferPointer<Float>, frames: Range<Int>, scales: [Float], within: Float) {
        self.groups = groups
        self.scales = scales
        self.within = within
        self.frames = frames
        reference = Array(whole[frames.lowerBound * groups.columns..<frames.upperBound * groups.columns])
        most = whole.count / groups.columns
        needs = frames.flatMap { frame in
            [Int](repeating: whole.count / groups.columns - frame - 1, count: groups.count)
        }
        isNear = [Bool](repeating: true, count: frames.count * groups.count)
    }

    /// Takes in what a context of fewer frames says, fewer than the one before.
    mutating func look(_ values: UnsafeBufferPointer<Float>) {
        let length = values.count / groups.columns
        guard let values = values.baseAddress else { return }
        let reference = reference
        reference.withUnsafeBufferPointer { reference in
            guard let reference = reference.baseAddress else { return }
            for frame in frames where frame < length {
                let row = values + frame * groups.columns
                let wanted = reference + (frame - frames.lowerBound) * groups.columns
                let first = (frame - frames.lowerBound) * groups.count
                for group in 0..<groups.count where isNear[first + group] {
                    if groups.distance(row, wanted, group) <= within * scales[group] {
                        needs[first + group] = length - frame - 1
                    } else {
                        isNear[first + group] = false
                    }
                }
            }
        }
    }

    /// Counts the values of some size.
    /// - Parameters:
    ///   - answering: the part of a group's scale from which on it counts; where all is 0 nothing does.
    ///   - step: frames.
    func count(into all: inout FutureNeeds, answering: Float, step: Int) {
        reference.withUnsafeBufferPointer { reference in
            guard let reference = reference.baseAddress else { return }
            for frame in frames {
                let row = reference + (frame - frames.lowerBound) * groups.columns
                for group in 0..<groups.count
                where scales[group] > 0 && groups.magnitude(row, group) >= answering * scales[group] {
                    let need = needs[(frame - frames.lowerBound) * groups.count + group]
                    all.count(group, need >= most - frame - 1 ? nil : (need + step - 1) / step)
                }
            }
        }
    }
}
