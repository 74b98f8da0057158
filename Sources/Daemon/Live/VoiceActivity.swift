/// Tells where somebody may be speaking, frame by frame of 20 ms, by level alone: a frame counts that is louder than ``SoundLevel/threshold``
/// and stands out from the quietest of late.
///
/// The floor follows a quieter frame at once and rises by 3 dB a second, so that a noise that stays is passed over after a while; speech
/// keeps falling back to it between words (the idea of minimum statistics: Martin, 2001). After a frame that counts, the next fifteen do
/// too. What it says of a frame depends on the samples before it alone, not on how they were cut.
struct VoiceActivity {
    private static let margin: Float = 9
    private static let rise: Float = 3 / 50
    private static let hold = 15

    private var floor = SoundLevel.threshold
    private var held = 0

    /// The next frame: 320 samples, fewer at an end.
    mutating func isActive(_ frame: some Collection<Int16>) -> Bool {
        let level = SoundLevel.rms(frame)
        floor = max(min(floor + Self.rise, level), SoundLevel.silence)
        if level > SoundLevel.threshold, level > floor + Self.margin {
            held = Self.hold
        } else {
            held = max(0, held - 1)
        }
        return held > 0
    }
}
