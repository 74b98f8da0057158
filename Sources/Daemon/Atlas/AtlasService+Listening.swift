import Atlas
import Audio
import Messages

extension AtlasService {
    /// What is to be heard of a feature's moment, and how.
    /// - Throws: ``Atlas/AtlasError``, ``ServiceError``: `notFound` for a rank that the feature does not have, or a recording
    ///   whose place is not known; `invalidArgument` for a decoder's feature, whose moments are tokens.
    func excerpt(_ request: V1.ListenAtlasRequest, of card: AtlasCard) throws -> V1.ExcerptRequest {
        let name = "feature \(card.feature.number) of \(card.feature.hook)"
        let (side, rank) = (request.side.nonEmpty ?? "+", request.rank == 0 ? 1 : Int(request.rank))
        let around = request.around == 0 ? 2 : request.around
        guard around > 0, around <= 50 else {
            throw ServiceError(.invalidArgument, "around is \(around) s; expected up to 50")
        }
        guard let moment = card.examples.first(where: { $0.example.side == side && $0.example.rank == rank }) else {
            throw ServiceError(.notFound, "\(name) has no example of rank \(rank) on the side '\(side)'")
        }
        guard let frame = moment.example.encoderFrame(in: moment.recording) else {
            throw ServiceError(
                .invalidArgument, "\(name) is the decoder's: its examples are tokens, which have no time to listen to")
        }
        let middle = (Double(frame) + 0.5) / 50
        return V1.ExcerptRequest(
            audio: try source(of: moment.recording),
            span: V1.Span(start: max(middle - around, 0), end: middle + around),
            moment: V1.Moment(
                frame: UInt64(clamping: frame), surroundingsDb: request.surroundingsDb ?? Moment.surroundingsDecibels),
            format: request.format, gainDb: request.gainDb)
    }

    private func source(of recording: AtlasRecording) throws -> V1.AudioSource {
        let name = recording.name ?? "recording \(recording.number)"
        guard let path = recording.path else {
            throw ServiceError(.notFound, "the atlas does not know where \(name) lies")
        }
        var source = V1.AudioSource(name: name)
        source.source =
            path.hasPrefix(DemoClips.prefix) ? .clip(String(path.dropFirst(DemoClips.prefix.count))) : .path(path)
        if recording.start != nil || recording.end != nil {
            source.span = V1.Span(start: recording.start ?? 0, end: recording.end)
        }
        return source
    }
}
