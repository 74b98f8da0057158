import Messages

extension V1.PluginEvent.Event {
    init(_ event: RunEvent) {
        self =
            switch event {
            case .description(let description): .description(V1.PluginDescription(description))
            case .provenance(let provenance): .provenance(V1.Provenance(provenance))
            case .recording(let recording): .recording(V1.RecordingInfo(recording))
            case .skipped(let skipped): .skipped(V1.SkippedRecording(skipped))
            case .notice(let notice): .notice(V1.RecordingNotice(notice))
            case .result(let result): .result(V1.PluginResult(result))
            case .more(let part, let isLast): .chunk(V1.PluginResultChunk(part, isLast: isLast))
            case .progress(let progress): .progress(V1.Progress(progress))
            case .log(let log): .log(V1.PluginLog(log))
            case .state(let bytes): .state(V1.StateChunk(data: bytes))
            }
    }
}

extension RunEvent {
    /// Nil for what says nothing of the run: its beginning and its end.
    /// - Throws: ``ServiceError`` for numbers that mean nothing.
    init?(_ event: V1.PluginEvent.Event?) throws {
        switch event {
        case .description(let description)?: self = .description(PluginDescription(description))
        case .provenance(let provenance)?: self = .provenance(try Provenance(provenance))
        case .recording(let recording)?: self = .recording(RecordingInfo(recording))
        case .skipped(let skipped)?: self = .skipped(SkippedRecording(skipped))
        case .notice(let notice)?: self = .notice(RecordingNotice(notice))
        case .result(let result)?: self = .result(try PluginResult(result))
        case .chunk(let chunk)?: self = .more(PluginResult.Part(chunk), isLast: chunk.last)
        case .progress(let progress)?: self = .progress(WorkProgress(progress))
        case .log(let log)?: self = .log(PluginLog(log))
        case .state(let piece)?: self = .state(piece.data)
        case .started?, .end?, nil: return nil
        }
    }

    /// The event as it lies in a state or a job: a `PluginEvent`.
    var record: [UInt8] { V1.PluginEvent(event: .init(self)).serialized() }

    /// - Throws: ``ServiceError`` (`dataLoss`) for a record that is no event.
    init(record: [UInt8]) throws {
        guard let message = try? V1.PluginEvent(serialized: record), let event = try? RunEvent(message.event) else {
            throw ServiceError(.dataLoss, "a record of a run's events cannot be read")
        }
        self = event
    }
}

extension V1.PluginEnd {
    init(_ end: RunEnd) {
        self.init(
            recordings: UInt64(clamping: end.recordings), results: end.results, skipped: UInt64(clamping: end.skipped),
            model: end.model, modelSha256: end.modelSHA256, seed: end.seed, seconds: end.time / .seconds(1),
            engineSeconds: end.engineTime / .seconds(1), pluginSeconds: end.pluginTime / .seconds(1),
            precision: end.precision.message)
    }
}

extension WorkProgress {
    init(_ message: V1.Progress) {
        self.init(done: message.done, total: message.total, unit: message.unit, label: message.label)
    }
}
