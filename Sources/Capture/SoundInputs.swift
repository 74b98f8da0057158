import CPortAudio
import CaptureChannel

/// The inputs that PortAudio finds. It looks once in a process's life.
enum SoundInputs {
    /// - Throws: ``CaptureError`` where PortAudio cannot be used.
    static func all() throws -> [CaptureDevice] {
        let reason = Pa_Initialize()
        guard reason == paNoError.rawValue else { throw CaptureError("PortAudio cannot start: \(text(of: reason))") }
        let preferred = Pa_GetDefaultInputDevice()
        return (0..<max(0, Pa_GetDeviceCount())).compactMap { number in
            guard let info = Pa_GetDeviceInfo(number)?.pointee, info.maxInputChannels > 0 else { return nil }
            let api = Pa_GetHostApiInfo(info.hostApi)?.pointee
            return CaptureDevice(
                number: Int(number), name: info.name.map { String(cString: $0) } ?? "",
                hostAPI: api?.name.map { String(cString: $0) } ?? "", channels: Int(info.maxInputChannels),
                rate: info.defaultSampleRate, latency: info.defaultLowInputLatency, isDefault: number == preferred)
        }
    }

    /// - Throws: ``CaptureError`` where none is meant, or several.
    static func named(_ wanted: String) throws -> CaptureDevice {
        let (device, problem) = try CaptureDevice.named(wanted, in: all())
        guard let device else { throw CaptureError(problem) }
        return device
    }

    static func text(of reason: PaError) -> String {
        Pa_GetErrorText(reason).map { String(cString: $0) } ?? "\(reason)"
    }
}
