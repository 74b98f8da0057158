import Audio

/// How loud the sound is, a hop at a time, and whether somebody may be speaking. One thread uses it.
struct LevelMeter {
    private let hop: Int
    private let echoes: Bool
    private var start = 0
    private var waiting: [Int16] = []
    private var voice = VoiceActivity()

    /// - Parameters:
    ///   - hopFrames: frames of 20 ms that a level is told of.
    ///   - echoes: whether the sound is told as well.
    init(hopFrames: Int, echoes: Bool = false) {
        hop = hopFrames * EncoderFrames.samples
        self.echoes = echoes
    }

    mutating func append(_ samples: [Int16]) -> [LiveEvent] {
        waiting += samples
        var events: [LiveEvent] = []
        while waiting.count >= hop { events += take(hop) }
        return events
    }

    /// What is left.
    mutating func finish() -> [LiveEvent] { waiting.isEmpty ? [] : take(waiting.count) }

    /// Sound was lost; what is appended next is sample number `origin`.
    mutating func resume(at origin: Int) -> [LiveEvent] {
        let events = finish()
        start = origin
        voice = VoiceActivity()
        return events
    }

    private mutating func take(_ count: Int) -> [LiveEvent] {
        let samples = waiting.prefix(count)
        var isActive = false
        for at in stride(from: 0, to: count, by: EncoderFrames.samples) {
            if voice.isActive(samples[at..<min(at + EncoderFrames.samples, count)]) { isActive = true }
        }
        let rate = Double(SampleBuffer.sampleRate)
        defer {
            waiting.removeFirst(count)
            start += count
        }
        let level = LiveEvent.level(
            start: Double(start) / rate, end: Double(start + count) / rate, rms: SoundLevel.rms(samples),
            peak: SoundLevel.peak(samples), voice: isActive)
        return echoes ? [level, .heard(start: Double(start) / rate, samples: Array(samples))] : [level]
    }
}
