/// NIST's time marked conversation files: `utterance channel start duration word [confidence]`, seconds.
enum CTM {
    /// Whether a file is called `….phones.ctm`, as those with phonemes are: a line of one does not say what it is.
    static func isNamedForPhonemes(_ path: String) -> Bool {
        ["phones", "phone", "phonemes", "phn"].contains(ending(of: withoutEnding(path)))
    }

    /// The labels of one utterance: the one that has a name of `utterance`, or the only one that there is.
    static func labels(parsing text: String, file: String, utterance: [String]) throws -> [TimedLabel] {
        var found: [String: [TimedLabel]] = [:]
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard let first = fields.first, !first.hasPrefix(";;") else { continue }
            guard fields.count == 5 || fields.count == 6, let start = finiteNumber(fields[2]),
                let duration = finiteNumber(fields[3]), start >= 0, duration >= 0, (start + duration).isFinite
            else {
                throw DataSetError(
                    .dataLoss, file: file, line: number + 1,
                    "expected utterance, channel, start, duration, word and perhaps a confidence; it is \(quoted(line))"
                )
            }
            found[String(first), default: []].append(
                TimedLabel(start: start, end: start + duration, label: String(fields[4])))
        }
        if let name = utterance.first(where: { found[$0] != nil }), let labels = found[name] { return sorted(labels) }
        if found.count == 1, let labels = found.values.first { return sorted(labels) }
        guard !found.isEmpty else { return [] }
        throw DataSetError(
            .notFound, file: file,
            "expected an utterance called \(utterance.map { quoted($0) }.joined(separator: " or ")); it has "
                + "\(found.count) others, \(found.keys.sorted().prefix(3).map { quoted($0) }.joined(separator: ", "))")
    }

    private static func sorted(_ labels: [TimedLabel]) -> [TimedLabel] {
        // By their place as well: Swift's sort keeps no order among equals.
        labels.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }.map(\.element)
    }
}

/// TIMIT's `.phn` and `.wrd`: `start end label`, in samples at 16 kHz.
enum TIMIT {
    static let sampleRate = 16_000.0

    static func labels(parsing text: String, file: String) throws -> [TimedLabel] {
        try text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().compactMap {
            number, line in
            let fields = line.split(maxSplits: 2, whereSeparator: \.isWhitespace)
            guard !fields.isEmpty else { return nil }
            guard fields.count == 3, let start = UInt64(fields[0]), let end = UInt64(fields[1]), start <= end else {
                throw DataSetError(
                    .dataLoss, file: file, line: number + 1,
                    "expected first sample, last sample and label; it is \(quoted(line))")
            }
            let label = fields[2].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return TimedLabel(start: Double(start) / sampleRate, end: Double(end) / sampleRate, label: label)
        }
    }
}
