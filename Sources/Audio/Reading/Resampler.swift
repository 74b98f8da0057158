import CSoxr

/// Converts a mono signal to 16 kHz, block by block, with libsoxr's high-quality (20-bit) band-limited interpolation,
/// linear phase: no delay, and n samples become round(n·16000/rate).
package final class Resampler {
    private let inputRate: Int
    /// Nil where the rate is right already.
    private let handle: OpaquePointer?
    private var consumed = 0
    private var produced = 0
    private var output: [Float]

    /// - Throws: ``AudioError`` where there is no memory for it.
    package init(inputRate: Int) throws {
        self.inputRate = inputRate
        output = []
        guard inputRate != SampleBuffer.sampleRate else {
            handle = nil
            return
        }
        var error: soxr_error_t?
        handle = soxr_create(Double(inputRate), Double(SampleBuffer.sampleRate), 1, &error, nil, nil, nil)
        if let error { throw Self.failure(inputRate, error) }
        output = [Float](repeating: 0, count: 16_384)
    }

    deinit { soxr_delete(handle) }

    /// Converts `samples` and hands on what is ready, in order, in blocks.
    package func process(_ samples: UnsafeBufferPointer<Float>, _ sink: (UnsafeBufferPointer<Float>) throws -> Void)
        throws
    {
        guard let handle else { return try sink(samples) }
        consumed += samples.count
        var rest = samples[...]
        while !rest.isEmpty {
            let (used, made) = try run(handle, UnsafeBufferPointer(rebasing: rest))
            rest = rest.dropFirst(used)
            try emit(made, sink)
            // Neither read nor wrote: it would not on the next call either.
            if used == 0, made == 0 { throw Self.failure(inputRate, nil) }
        }
    }

    /// Hands on what the filter still holds. Nothing may be processed after this.
    package func finish(_ sink: (UnsafeBufferPointer<Float>) throws -> Void) throws {
        guard let handle else { return }
        let total = Self.outputCount(consumed, inputRate: inputRate)
        while produced < total {
            let made = try run(handle, nil).made
            if made == 0 { break }
            try emit(min(made, total - produced), sink)
        }
        // The filter rounds the length for itself; it can differ by one.
        while produced < total {
            output.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
            try emit(min(output.count, total - produced), sink)
        }
    }

    /// round(count·16000/inputRate), half up.
    package static func outputCount(_ count: Int, inputRate: Int) -> Int {
        let (high, low) = (count / inputRate, count % inputRate)
        return high * SampleBuffer.sampleRate + (low * SampleBuffer.sampleRate + inputRate / 2) / inputRate
    }

    /// One call of the filter; no input means that there is no more.
    private func run(
        _ handle: OpaquePointer, _ input: UnsafeBufferPointer<Float>?
    ) throws -> (used: Int, made: Int) {
        var (used, made) = (0, 0)
        let error = output.withUnsafeMutableBufferPointer {
            soxr_process(handle, input?.baseAddress, input?.count ?? 0, &used, $0.baseAddress, $0.count, &made)
        }
        if let error { throw Self.failure(inputRate, error) }
        return (used, made)
    }

    private func emit(_ count: Int, _ sink: (UnsafeBufferPointer<Float>) throws -> Void) throws {
        produced += count
        try output.withUnsafeBufferPointer { try sink(UnsafeBufferPointer(rebasing: $0[..<count])) }
    }

    private static func failure(_ rate: Int, _ error: soxr_error_t?) -> AudioError {
        let reason = error.map { String(cString: $0) } ?? "the filter stands still"
        return AudioError(.unavailable, "cannot resample from \(rate) Hz to \(SampleBuffer.sampleRate) Hz: \(reason)")
    }
}
