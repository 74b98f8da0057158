/// A spool that keeps only a range of what it is given.
struct CroppingSpool {
    private var spool: SampleSpool
    private let range: Range<Int>
    /// Samples given so far.
    private var position = 0

    init(_ spool: SampleSpool, keeping range: Range<Int>) {
        self.spool = spool
        self.range = range
    }

    /// Whether nothing that may still come would be kept.
    var isFull: Bool { position >= range.upperBound }
    /// Whether nothing was given so far.
    var isEmpty: Bool { position == 0 }

    mutating func append(_ samples: UnsafeBufferPointer<Float>) throws {
        let kept = range.clamped(to: position..<position + samples.count)
        if !kept.isEmpty {
            try spool.append(
                UnsafeBufferPointer(rebasing: samples[kept.lowerBound - position..<kept.upperBound - position]))
        }
        position += samples.count
    }

    /// - Throws: ``AudioError`` where nothing was given, or nothing of the range.
    consuming func finish(name: String) throws -> SampleBuffer {
        guard position > 0 else {
            throw AudioError(.dataLoss, "\(name): holds no samples; expected at least one")
        }
        guard spool.count > 0 else {
            let rate = Double(SampleBuffer.sampleRate)
            throw AudioError(
                .invalidArgument,
                """
                \(name): cannot start at \(Double(range.lowerBound) / rate) s; the recording ends at \
                \(Double(position) / rate) s
                """)
        }
        return spool.finish()
    }
}
