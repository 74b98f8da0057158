import Messages

extension V1.PluginResults {
    /// Everything that a run told, in one message.
    /// - Throws: ``ServiceError`` (`resourceExhausted`) where it is too much for one.
    init(_ record: JobRecord, _ end: RunEnd) throws {
        let bytes = record.resultBytes
        guard bytes <= Self.mostBytes else {
            throw ServiceError(
                .resourceExhausted,
                "the results have \(bytes) bytes, and at most \(Self.mostBytes) go into one answer; Job/Results streams them"
            )
        }
        self.init(end: V1.PluginEnd(end))
        var assembly = ResultAssembly()
        try record.events.forEach { _, bytes in
            switch try V1.PluginEvent(serialized: bytes).event {
            case .description(let description)?: self.description = description
            case .provenance(let provenance)?: self.provenance = provenance
            case .skipped(let skipped)?: self.skipped.append(skipped)
            case .notice(let notice)?: notices.append(notice)
            case let event?: if let result = try assembly.take(event) { results.append(result) }
            case nil: break
            }
        }
    }

    /// Of a message, which has 4 MiB at most.
    private static let mostBytes = 2 << 20
}
