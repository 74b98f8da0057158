import Audio
import CaptureChannel

/// Makes records at 16 kHz of blocks at a device's rate.
///
/// A resampler's output sample i is the input at i/16000 s, however long the filter holds it back; so times are counted in samples and the
/// filter's delay is in none. What was lost ends one resampler and begins another: nothing is computed across it.
struct SoundConversion {
    private let rate: Int
    private var timeline: SoundTimeline
    private var resampler: Resampler
    /// The sample of the device that the resampler began with.
    private var first = 0
    /// Samples at 16 kHz that it has given, and that were given or lost in all.
    private var given = 0
    private var position = 0
    /// Samples at 16 kHz that are lost before the next record.
    private var lost = 0

    /// - Throws: ``Audio/AudioError`` where no resampler can be made.
    init(rate: Int) throws {
        self.rate = rate
        timeline = SoundTimeline(rate: rate)
        resampler = try Resampler(inputRate: rate)
    }

    /// - Parameters: as of ``SoundTimeline/append(frames:time:lost:overflow:)``.
    /// - Throws: what resampling throws.
    mutating func append(
        _ samples: UnsafeBufferPointer<Float>, time: Double, lost: Int = 0, overflow: Bool = false
    ) throws -> [CaptureRecord] {
        var records: [CaptureRecord] = []
        if timeline.append(frames: samples.count, time: time, lost: lost, overflow: overflow) > 0 {
            var rest: [Float] = []
            if given > 0 || position > 0 { try resampler.finish { rest += $0 } }
            records += record(rest)
            resampler = try Resampler(inputRate: rate)
            first = timeline.frames - samples.count
            given = 0
            self.lost += max(0, Resampler.outputCount(first, inputRate: rate) - position)
            position = max(position, Resampler.outputCount(first, inputRate: rate))
        }
        var made: [Float] = []
        try resampler.process(samples) { made += $0 }
        return records + record(made)
    }

    private mutating func record(_ made: [Float]) -> [CaptureRecord] {
        guard !made.isEmpty else { return [] }
        let frame = Double(first) + Double(given) * Double(rate) / Double(SampleBuffer.sampleRate)
        let record = CaptureRecord.sound(
            captured: Int64(timeline.time(ofFrame: frame) * 1e9), lost: UInt64(lost),
            samples: made.map { $0.isFinite ? Int16(max(-32768, min(32767, ($0 * 32768).rounded()))) : 0 })
        given += made.count
        position += made.count
        lost = 0
        return [record]
    }
}
