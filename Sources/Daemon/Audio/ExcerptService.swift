import Audio

/// Parts of recordings as sound files. Needs no model, and so no turn at the engine.
enum ExcerptService {
    struct Request: Sendable {
        var format = SoundFileFormat.wav16
        /// The part of what is looked at; nil for all of it.
        var seconds: Range<Double>?
        /// What is to be brought out.
        var moment: Moment?
        var gainDecibels = 0.0
    }

    struct File: Sendable {
        let excerpt: Excerpt
        let data: [UInt8]
    }

    /// - Throws: ``Audio/AudioError`` for a part or a moment that the recording does not have.
    static func excerpt(_ recording: Recording, _ request: Request) throws -> File {
        defer { withExtendedLifetime(recording) {} }
        let name = recording.input.name
        let samples = try recording.input.read(seconds: recording.seconds)
        let excerpt = try Excerpt(
            of: samples, name: name, seconds: request.seconds, moment: request.moment,
            gainDecibels: request.gainDecibels)
        return File(excerpt: excerpt, data: try SoundFileWriter.bytes(excerpt.samples, as: request.format, name: name))
    }
}
