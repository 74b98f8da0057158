import PluginDraws

/// A frame of a recording, and the random number that decides whether it is kept as an example.
///
/// The key is a bijection of recording, frame and seed, so it stands for the moment itself: no two moments have the same,
/// the smallest keys of any set of moments are a uniform sample without replacement, and eight bytes hold both.
struct FrameMoment: Equatable {
    let recording: UInt64
    /// From the recording's beginning.
    let frame: UInt64

    /// 2²⁴ frames of 20 ms are 93 hours.
    static let frames: UInt64 = 1 << 24
    static let recordings: UInt64 = 1 << 40
    /// Of no moment: what an empty place holds. One moment in 2⁶⁴ has this key too, and is never drawn.
    static let none = UInt64.max

    /// What a key is drawn with, from the run's seed.
    static func salt(_ seed: UInt64) -> UInt64 { Hashing.key(seed: seed, purpose: "moments", "") }

    func key(salt: UInt64) -> UInt64 { Hashing.stirred((recording << 24 | frame) ^ salt) }

    init(recording: UInt64, frame: UInt64) {
        self.recording = recording
        self.frame = frame
    }

    init(key: UInt64, salt: UInt64) {
        let place = Hashing.unstirred(key) ^ salt
        self.init(recording: place >> 24, frame: place & (Self.frames - 1))
    }
}
