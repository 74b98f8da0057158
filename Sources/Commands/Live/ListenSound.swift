import Audio
import Client
import Files
import Messages
import Wire

/// A recording that is played into a session as time goes by.
struct ListenSound: Sendable {
    /// 16 kHz mono.
    let samples: [Int16]
    private static let piece = 20

    /// - Parameter name: a file, or `demo:NAME`.
    /// - Throws: what reading it throws.
    init(_ name: String, _ daemon: DaemonConnection) async throws {
        let source: AudioSource
        if name.hasPrefix(RecordingArgument.clipPrefix) {
            let clip = String(name.dropFirst(RecordingArgument.clipPrefix.count))
            let clips = try await daemon.call(V1.AudioRPC.clips, .init()).clips
            guard let file = clips.first(where: { $0.name == clip })?.file else {
                throw CommandError(.noInput, "there is no clip '\(clip)'; 'auscult samples' lists them")
            }
            source = .bytes(try await daemon.call(V1.AudioRPC.clip, V1.ClipRequest(file: file)).data, name: name)
        } else {
            source = .file(name)
        }
        samples = try SampleBuffer.read(source).readAll().map {
            Int16(max(-32768, min(32767, ($0 * 32768).rounded())))
        }
    }

    /// Sends it in pieces of 20 ms, each when its last sample would have been captured.
    func play(into call: OpenCall<V1.LiveInput, V1.LiveEvent>) async throws {
        let size = Self.piece * SampleBuffer.sampleRate / 1000
        var next = ContinuousClock.now
        for start in stride(from: 0, to: samples.count, by: size) {
            next += .milliseconds(Self.piece)
            try await Task.sleep(until: next, clock: .continuous)
            let bytes = samples[start..<min(start + size, samples.count)].flatMap {
                [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
            }
            try await call.send(V1.LiveInput(input: .pcmS16le(bytes)))
        }
    }
}
