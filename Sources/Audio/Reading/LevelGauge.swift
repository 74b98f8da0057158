/// Whether samples are on the scale that they should be on, ±1, and what is left of channels when they are mixed.
struct LevelGauge {
    private var sumOfSquares = 0.0
    private var count = 0
    private var peak: Float = 0
    private var beyond = 0
    private var channelEnergy = 0.0
    private var mixedEnergy = 0.0

    /// Samples of a format that may hold any number: floats as they lie in a file.
    mutating func measure(floats block: UnsafeBufferPointer<Float>) {
        var (sum, largest, past) = (0.0, peak, 0)
        for sample in block {
            let size = abs(sample)
            sum += Double(sample) * Double(sample)
            largest = max(largest, size)
            if size > 1 { past += 1 }
        }
        sumOfSquares += sum
        peak = largest
        beyond += past
        count += block.count
    }

    /// Channels, interleaved, and their mean.
    mutating func measure(_ block: UnsafeBufferPointer<Float>, channels: Int, mixed: UnsafeBufferPointer<Float>) {
        guard channels > 1 else { return }
        var (apart, together) = (0.0, 0.0)
        for sample in block { apart += Double(sample) * Double(sample) }
        for sample in mixed { together += Double(sample) * Double(sample) }
        channelEnergy += apart / Double(channels)
        mixedEnergy += together
    }

    /// What is to be done with the samples, and why.
    ///
    /// No signal within ±1 has a mean square above 1. One that has is on the scale of integers, and is divided by the
    /// full scale of the narrowest that holds its peak. Otherwise what is beyond ±1 is cut off, which is what ffmpeg
    /// does, and openai/whisper with it.
    func level() -> (level: SampleBuffer.Level, notice: Notice?) {
        guard beyond > 0 else { return (.asIs, nil) }
        guard sumOfSquares > Double(count) else {
            let share = beyond == 1 ? "1 sample is" : "\(beyond) samples are"
            return (
                .clipped, Notice(.clipped, "\(share) beyond full scale, the largest \(peak); set to ±1, as ffmpeg does")
            )
        }
        let scale =
            [7, 15, 23, 31].map { Float(sign: .plus, exponent: $0, significand: 1) }.first { peak <= $0 } ?? peak
        let bits = scale == peak ? "" : ", the full scale of \(scale.exponent + 1)-bit integers"
        return (
            .scaled(1 / scale),
            Notice(.scaled, "its samples go up to \(peak), where ±1 is expected; divided by \(Int(scale))\(bits)")
        )
    }

    /// Below a hundredth of the channels' energy, 20 dB, is left of what they have in common.
    var cancellation: Notice? {
        guard channelEnergy > 0, mixedEnergy < channelEnergy / 100 else { return nil }
        return Notice(
            .channelsCancel,
            "the channels cancel each other: less than a hundredth of their energy is left when they are mixed; "
                + "is one of them inverted?")
    }
}
