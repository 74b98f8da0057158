import CCapture
import CaptureChannel
import Foundation

/// Captures from a device, and says what comes at 16 kHz.
final class SoundStream {
    private let device: CaptureDevice
    private let rate: Int
    /// Ten seconds: whoever reads is never away for that long.
    private static let ringSeconds = 10
    private static let mostBlock = 1 << 16

    /// - Throws: ``CaptureError`` for a rate that is none.
    init(_ device: CaptureDevice) throws {
        self.device = device
        guard device.rate.isFinite, (1000...768_000).contains(device.rate) else {
            throw CaptureError("\(device.name) has a rate of \(device.rate) Hz; expected 1,000 to 768,000")
        }
        rate = Int(device.rate.rounded())
    }

    /// Until nobody reads, which ends the process.
    /// - Throws: ``CaptureError`` where the device cannot be opened, or is lost.
    func run(_ channel: RecordChannel) throws {
        guard let ring = auscult_ring_create(Self.ringSeconds * rate, 1 << 14) else {
            throw CaptureError("there is no memory for \(Self.ringSeconds) s of sound")
        }
        defer { auscult_ring_free(ring) }
        var opened: OpaquePointer?
        let reason = auscult_stream_start(Int32(device.number), Double(rate), device.latency, ring, &opened)
        guard reason == 0, let stream = opened else {
            throw CaptureError("\(device.name) cannot be opened at \(rate) Hz: \(SoundInputs.text(of: reason))")
        }
        defer { auscult_stream_stop(stream) }
        channel.say(.opened(name: device.name, rate: Double(rate), latency: auscult_stream_latency(stream)))
        var conversion = try SoundConversion(rate: rate)
        var pace = SoundPace(rate: rate)
        var samples = [Float](repeating: 0, count: Self.mostBlock)
        while true {
            var block = auscult_block()
            let found = auscult_ring_read(ring, &samples, samples.count, &block)
            guard found != 0 else {
                try checkActive(stream)
                auscult_ring_wait(ring, 100)
                continue
            }
            guard found > 0 else { throw CaptureError("\(device.name) gave \(block.frames) samples at once") }
            guard pace.isPossible(frames: Int(block.frames), at: Self.now) else {
                throw CaptureError("\(device.name) gives sound faster than time goes by: it is gone")
            }
            // From the stream's clock to everybody's.
            let time = block.time + Self.now - auscult_stream_now(stream)
            let records = try samples.withUnsafeBufferPointer { samples in
                try conversion.append(
                    UnsafeBufferPointer(rebasing: samples.prefix(Int(block.frames))), time: time,
                    lost: Int(clamping: block.lost), overflow: block.overflow != 0)
            }
            for record in records { channel.say(record) }
        }
    }

    private func checkActive(_ stream: OpaquePointer) throws {
        let active = auscult_stream_is_active(stream)
        guard active != 1 else { return }
        throw CaptureError(
            "\(device.name) has stopped" + (active < 0 ? ": \(SoundInputs.text(of: active))" : ""))
    }

    /// Seconds since 1970.
    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
