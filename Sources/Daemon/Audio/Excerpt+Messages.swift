import Audio
import Foundation
import Messages

extension ExcerptService.Request {
    /// - Parameter name: the recording's, for messages.
    /// - Throws: ``ServiceError``, ``Audio/AudioError`` (`invalidArgument`) for what makes no sense.
    init(_ message: V1.ExcerptRequest, of name: String) throws {
        format = try SoundFileFormat(message.format)
        moment = try message.moment.map { try Moment($0, of: name) }
        seconds = try message.span.map { try Range($0) }
        gainDecibels = message.gainDb
    }
}

extension V1.ExcerptFile {
    init(_ file: ExcerptService.File, _ format: V1.SoundFormat) {
        func seconds(_ sample: Int) -> Double { Double(sample) / Double(SampleBuffer.sampleRate) }
        let excerpt = file.excerpt
        self.init()
        mediaType = format == .flac ? "audio/flac" : "audio/wav"
        data = file.data
        sampleRate = UInt32(SampleBuffer.sampleRate)
        samples = UInt64(excerpt.samples.count)
        start = seconds(excerpt.range.lowerBound)
        end = seconds(excerpt.range.upperBound)
        if let window = excerpt.window {
            windowStart = seconds(window.lowerBound)
            windowEnd = seconds(window.upperBound)
        }
        peak = excerpt.peak
        if excerpt.limited < 1 { limitedDb = 20 * log10(Double(excerpt.limited)) }
    }
}

extension SoundFileFormat {
    init(_ message: V1.SoundFormat) throws {
        switch message {
        case .wav: self = .wav16
        case .flac: self = .flac16
        default:
            throw ServiceError(.invalidArgument, "there is no sound format \(message.rawValue); expected WAV or FLAC")
        }
    }
}

extension Moment {
    fileprivate init(_ message: V1.Moment, of name: String) throws {
        guard let frame = Int(exactly: message.frame) else {
            throw ServiceError(.invalidArgument, "\(name): has no frame \(message.frame)")
        }
        try self.init(
            frame: frame,
            windowSamples: message.windowSamples == 0 ? Moment.windowSamples : Int(message.windowSamples),
            edgeMilliseconds: message.edgeMs == 0 ? Moment.edgeMilliseconds : message.edgeMs,
            surroundingsDecibels: message.surroundingsDb ?? Moment.surroundingsDecibels)
    }
}
