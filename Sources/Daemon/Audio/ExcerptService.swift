import Audio
import Foundation
import Messages

/// Parts of recordings as sound files. Needs no model, and so no turn at the engine.
enum ExcerptService {
    /// - Throws: ``ServiceError``, ``Audio/AudioError`` for a part or a moment that the recording does not have.
    static func excerpt(_ recording: Recording, _ request: V1.ExcerptRequest) throws -> V1.ExcerptFile {
        let (format, mediaType) = try Self.format(request.format)
        let name = recording.input.name
        let moment = try request.moment.map { try Self.moment($0, name) }
        let part = try request.span.map { try Engine.seconds($0) }
        let samples = try SampleBuffer.read(recording.input.source, seconds: recording.seconds)
        let excerpt = try Excerpt(
            of: samples, name: name, seconds: part, moment: moment, gainDecibels: request.gainDb)
        let data = try SoundFileWriter.bytes(excerpt.samples, as: format, name: name)
        withExtendedLifetime(recording) {}
        let seconds = { (sample: Int) in Double(sample) / Double(SampleBuffer.sampleRate) }
        var file = V1.ExcerptFile()
        file.mediaType = mediaType
        file.data = data
        file.sampleRate = UInt32(SampleBuffer.sampleRate)
        file.samples = UInt64(excerpt.samples.count)
        file.start = seconds(excerpt.range.lowerBound)
        file.end = seconds(excerpt.range.upperBound)
        if let window = excerpt.window {
            file.windowStart = seconds(window.lowerBound)
            file.windowEnd = seconds(window.upperBound)
        }
        file.peak = excerpt.peak
        if excerpt.limited < 1 { file.limitedDb = 20 * log10(Double(excerpt.limited)) }
        return file
    }

    private static func format(
        _ format: V1.SoundFormat
    ) throws -> (format: SoundFileFormat, mediaType: String) {
        switch format {
        case .wav: (.wav16, "audio/wav")
        case .flac: (.flac16, "audio/flac")
        default:
            throw ServiceError(.invalidArgument, "there is no sound format \(format.rawValue); expected WAV or FLAC")
        }
    }

    private static func moment(_ moment: V1.Moment, _ name: String) throws -> Moment {
        guard let frame = Int(exactly: moment.frame) else {
            throw ServiceError(.invalidArgument, "\(name): has no frame \(moment.frame)")
        }
        return try Moment(
            frame: frame,
            windowSamples: moment.windowSamples == 0 ? Moment.windowSamples : Int(moment.windowSamples),
            edgeMilliseconds: moment.edgeMs == 0 ? Moment.edgeMilliseconds : moment.edgeMs,
            surroundingsDecibels: moment.surroundingsDb ?? Moment.surroundingsDecibels)
    }
}
