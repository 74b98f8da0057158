import Audio
import DataSets
import Messages

extension V1.RecordingInfo {
    init(_ info: RecordingInfo) {
        let source: Source? =
            switch info.source {
            case .path(let path)?: .path(path)
            case .clip(let clip)?: .clip(clip)
            case nil: nil
            }
        self.init(
            number: UInt64(clamping: info.number), name: info.name, source: source,
            span: info.span.map { V1.Span(start: $0.start, end: $0.end) }, sha256: info.sha256,
            duration: info.duration, labels: info.labels.map { V1.RecordingLabel(column: $0.column, value: $0.value) },
            phonemes: info.phonemes.map(V1.TimedLabel.init), words: info.words.map(V1.TimedLabel.init))
    }
}

extension RecordingInfo {
    init(_ message: V1.RecordingInfo) {
        let source: DataSetItem.Source? =
            switch message.source {
            case .path(let path)?: .path(path)
            case .clip(let clip)?: .clip(clip)
            case nil: nil
            }
        self.init(
            number: Int(clamping: message.number), name: message.name, source: source,
            span: message.span.map { Span(start: $0.start, end: $0.end) }, sha256: message.sha256,
            duration: message.duration,
            labels: message.labels.map { DataSetItem.Label(column: $0.column, value: $0.value) },
            phonemes: message.phonemes.map(TimedLabel.init), words: message.words.map(TimedLabel.init))
    }
}

extension V1.TimedLabel {
    fileprivate init(_ label: TimedLabel) { self.init(start: label.start, end: label.end, label: label.label) }
}

extension TimedLabel {
    fileprivate init(_ message: V1.TimedLabel) {
        self.init(start: message.start, end: message.end, label: message.label)
    }
}

extension V1.SkippedRecording {
    init(_ skipped: SkippedRecording) { self.init(file: skipped.file, reason: skipped.reason) }
}

extension SkippedRecording {
    init(_ message: V1.SkippedRecording) { self.init(file: message.file, reason: message.reason) }
}

extension V1.RecordingNotice {
    init(_ notice: RecordingNotice) { self.init(file: notice.file, notice: V1.Notice(notice.notice)) }
}

extension RecordingNotice {
    init(_ message: V1.RecordingNotice) {
        let notice = message.notice ?? V1.Notice()
        self.init(file: message.file, notice: Notice(Notice.Code(rawValue: notice.code), notice.text))
    }
}

extension RecordingsService.Request {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for recordings that are none.
    init(_ message: V1.ListRecordingsRequest) throws {
        self.init(
            audio: try message.audio.map { try RecordingReference($0) }, dataSets: message.dataSets,
            shard: message.shard.map(Shard.init), stopsAtBroken: message.stopAtBroken, digests: message.digests,
            alignments: message.alignments)
    }
}

extension V1.RecordingsEvent.Event {
    init(_ event: RecordingsService.Event) {
        self =
            switch event {
            case .recording(let info): .recording(V1.RecordingInfo(info))
            case .skipped(let skipped): .skipped(V1.SkippedRecording(skipped))
            case .notice(let notice): .notice(V1.RecordingNotice(notice))
            }
    }
}
