import Atlas
import Audio

extension AtlasService {
    /// A moment of a feature that is to be heard, and how.
    struct ListenRequest: Sendable {
        var feature: FeatureReference
        var side = "+"
        /// Of the example, from 1.
        var rank = 1
        /// Seconds before and after it.
        var around = 2.0
        var surroundingsDecibels = Moment.surroundingsDecibels
        var format = SoundFileFormat.wav16
        var gainDecibels = 0.0
    }

    /// A feature's moment as sound.
    /// - Throws: as ``excerpt(_:of:)``, and what reading the recording throws.
    func listen(_ wanted: ListenRequest) throws -> ExcerptService.File {
        let (source, request) = try excerpt(wanted, of: card(wanted.feature))
        return try ExcerptService.excerpt(plugins.engine.input(source, connection: nil), request)
    }

    /// What is to be heard of a feature's moment.
    /// - Throws: ``Atlas/AtlasError``, ``ServiceError``: `notFound` for a rank that the feature does not have, or a recording
    ///   whose place is not known; `invalidArgument` for a decoder's feature, whose moments are tokens.
    func excerpt(_ wanted: ListenRequest, of card: AtlasCard) throws -> (RecordingReference, ExcerptService.Request) {
        let name = "feature \(card.feature.number) of \(card.feature.hook)"
        guard wanted.around > 0, wanted.around <= 50 else {
            throw ServiceError(.invalidArgument, "around is \(wanted.around) s; expected up to 50")
        }
        let example = card.examples.first { $0.example.side == wanted.side && $0.example.rank == wanted.rank }
        guard let moment = example else {
            throw ServiceError(
                .notFound, "\(name) has no example of rank \(wanted.rank) on the side '\(wanted.side)'")
        }
        guard let frame = moment.example.encoderFrame(in: moment.recording) else {
            throw ServiceError(
                .invalidArgument, "\(name) is the decoder's: its examples are tokens, which have no time to listen to")
        }
        let middle = (Double(frame) + 0.5) / 50
        let request = ExcerptService.Request(
            format: wanted.format, seconds: max(middle - wanted.around, 0)..<(middle + wanted.around),
            moment: try Moment(frame: frame, surroundingsDecibels: wanted.surroundingsDecibels),
            gainDecibels: wanted.gainDecibels)
        return (try source(of: moment.recording), request)
    }

    private func source(of recording: AtlasRecording) throws -> RecordingReference {
        let name = recording.name ?? "recording \(recording.number)"
        guard let path = recording.path else {
            throw ServiceError(.notFound, "the atlas does not know where \(name) lies")
        }
        let clip = path.hasPrefix(DemoClips.prefix) ? String(path.dropFirst(DemoClips.prefix.count)) : nil
        var reference = RecordingReference(place: clip.map { .clip($0) } ?? .path(path), name: name)
        if recording.start != nil || recording.end != nil {
            reference.seconds = try Range(start: recording.start ?? 0, end: recording.end)
        }
        return reference
    }
}
