/// Where a device's samples lie in time: it counts them, those that were lost too, and knows when the first was captured.
///
/// Each block's own time is noisy, and the device's rate is not quite what it says; so the time of the first sample follows what blocks
/// say slowly, with a time constant of a hundred blocks.
struct SoundTimeline {
    private let rate: Double
    /// Samples that came or were lost.
    private(set) var frames = 0
    /// When the first was captured, by what the blocks say.
    private var start: Double?

    private static let weight = 0.01
    /// Seconds that a block may be off without anything having happened.
    private static let jump = 0.25

    init(rate: Int) { self.rate = Double(rate) }

    /// Counts a block.
    /// - Parameters:
    ///   - time: when its first sample was captured, in seconds.
    ///   - lost: samples before it that are known to be lost.
    ///   - overflow: whether more were, nobody knows how many: then it is as many as the clock says, one at least.
    /// - Returns: samples that were lost before it.
    mutating func append(frames count: Int, time: Double, lost: Int = 0, overflow: Bool = false) -> Int {
        frames += lost
        var missing = lost
        if overflow, frames > lost, let start {
            let more = ((time - start) * rate).rounded() - Double(frames)
            let some = lost > 0 ? max(0, more) : max(1, more)
            if some < 1e12 {
                frames += Int(some)
                missing += Int(some)
            }
        }
        let own = time - Double(frames) / rate
        if let start, abs(own - start) < Self.jump {
            self.start = start + (own - start) * Self.weight
        } else {
            start = own
        }
        frames += count
        return missing
    }

    /// When a sample was captured, in seconds; 0 before the first block.
    func time(ofFrame frame: Double) -> Double { (start ?? 0) + frame / rate }
}
