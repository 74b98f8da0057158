import Heads
import PluginKit
import PluginTranscripts

/// The results, and each in a sentence.
struct SpeakersReport {
    let settings: SpeakersAndNoisePlugin.Settings
    let results: Results

    func emit(_ id: String, _ samples: [Float], _ name: String) throws {
        try results.emit(id, .audio(samples, sampleRate: Splicing.rate), recording: name)
    }

    // MARK: - Where the speaker changes

    func emit(_ study: JumpStudy, speakers: Int) throws -> String {
        guard study.pairs > 0 else {
            return
                "No splices: they take recordings of two speakers, two of one of them, with \(settings.side) s of speech each and the "
                + "column \(settings.speaker)."
        }
        let features = study.features(settings.top), wholes = study.wholes()
        if !features.isEmpty {
            try results.emit(
                "jumps",
                .table(
                    columns: ["hook", "column", "auc_found", "auc_scored", "p"],
                    rows: features.map {
                        [
                            .text($0.hook), .number(Double($0.column)), .number($0.found), .number($0.scored),
                            .number($0.p),
                        ]
                    }), mayBeNaN: true)
        }
        if !wholes.isEmpty {
            try results.emit(
                "hooks",
                .table(
                    columns: ["hook", "columns", "pairs", "auc", "p", "distance_changing", "distance_same"],
                    rows: wholes.map {
                        [
                            .text($0.hook), .number(Double($0.columns)), .number(Double(study.pairs)), .number($0.area),
                            .number($0.p), .number($0.changing), .number($0.same),
                        ]
                    }), mayBeNaN: true)
        }
        var parts = ["\(study.pairs) pairs of splices of \(speakers) speakers."]
        if let best = wholes.max(by: { $0.area < $1.area }) {
            parts.append(
                "All columns of \(best.hook) together tell best: AUC \(rounded(best.area)) (p \(rounded(best.p))).")
        }
        if let best = features.first {
            let scored = features.map(\.scored).filter { !$0.isNaN }
            parts.append(
                "Best feature: \(best.hook) \(best.column), AUC \(rounded(best.found)) with the speakers that it was found with (p \(rounded(best.p)) "
                    + "among all), \(rounded(best.scored)) with the others; mean of the \(features.count) best with the others "
                    + "\(rounded(scored.reduce(0, +) / Double(max(scored.count, 1)))).")
        }
        return parts.joined(separator: " ")
    }

    // MARK: - Two at once

    func emit(_ overlaps: [Overlap]) throws -> String {
        guard !overlaps.isEmpty else { return "Nobody speaks at once: that takes texts of two speakers." }
        func share(_ part: (Overlap) -> Int, of whole: (Overlap) -> Int, _ some: [Overlap]) -> Double {
            let all = some.reduce(0) { $0 + whole($1) }
            return all > 0 ? Double(some.reduce(0) { $0 + part($1) }) / Double(all) : .nan
        }
        var sentences: [String] = []
        var rows: [[Cell]] = []
        for level in settings.levels {
            let some = overlaps.filter { $0.decibels == level }
            let first = share(\.ofFirst, of: \.wordsOfFirst, some),
                second = share(\.ofSecond, of: \.wordsOfSecond, some)
            let neither = Double(some.reduce(0) { $0 + $1.ofNeither }) / Double(max(some.count, 1))
            let known = some.map(\.logProbability).filter(\.isFinite)
            rows.append([
                .number(level), .number(Double(some.count)), .number(first), .number(second), .number(neither),
                .number(known.isEmpty ? .nan : known.reduce(0, +) / Double(known.count)),
            ])
            sentences.append("\(rounded(level)) dB: \(percent(first)) and \(percent(second))")
        }
        try results.emit(
            "levels",
            .table(
                columns: [
                    "second_louder_db", "pairs", "words_of_first", "words_of_second", "of_neither", "log_probability",
                ],
                rows: rows), mayBeNaN: true)
        try results.emit(
            "overlaps",
            .table(
                columns: [
                    "first", "second", "second_louder_db", "of_first", "of_second", "of_neither", "log_probability",
                    "text",
                ],
                rows: overlaps.map {
                    [
                        .text($0.first.name), .text($0.second.name), .number($0.decibels), .number(Double($0.ofFirst)),
                        .number(Double($0.ofSecond)), .number(Double($0.ofNeither)), .number($0.logProbability),
                        .text($0.text),
                    ]
                }), mayBeNaN: true)
        return "Two at once, words of the first and of the second that are written, by how much louder the second is: "
            + "\(sentences.joined(separator: "; "))."
    }

    // MARK: - Where nobody speaks

    func emit(
        _ inventions: [Invention], _ census: Census, _ findings: [Census.Finding], _ groups: [HeadCompany.Group]
    ) throws -> String {
        guard !inventions.isEmpty else { return "No sound is without speech." }
        try results.emit(
            "nonspeech",
            .table(
                columns: ["recording", "kind", "words", "log_probability", "no_speech", "text"],
                rows: inventions.map {
                    [
                        .text($0.name), .text($0.kind), .number(Double($0.words)), .number($0.logProbability ?? .nan),
                        .number($0.noSpeech ?? .nan), .text($0.text),
                    ]
                }), mayBeNaN: true)
        let written = inventions.filter { $0.words > 0 }, words = written.reduce(0) { $0 + $1.words }
        var sentence =
            "Where nobody speaks, words are written for \(written.count) of \(inventions.count) sounds, \(words) in all."
        guard !written.isEmpty else { return sentence }
        try results.emit(
            "heads",
            .table(
                columns: ["head", "words", "change"],
                rows: findings.sorted { ($0.inventedChange, $0.head) < ($1.inventedChange, $1.head) }.map {
                    [.text($0.head.name), .number(Double($0.invented)), .number(Double($0.inventedChange))]
                }))
        if !groups.isEmpty {
            try results.emit(
                "together",
                .table(
                    columns: ["heads", "words", "with_all_heads", "wer", "wer_all_heads"],
                    rows: groups.map { group in
                        [
                            .text(group.heads.map(\.name).joined(separator: ", ")), .number(Double(group.invented)),
                            .number(Double(group.inventedUnchanged)), .number(group.errors.rate),
                            .number(group.unchanged.rate),
                        ]
                    }), mayBeNaN: true)
        }
        if let last = groups.last {
            sentence +=
                " Without \(last.heads.map(\.name).joined(separator: ", ")): \(last.invented) of \(last.inventedUnchanged)"
                + (last.errors.rate.isNaN
                    ? "."
                    : ", at a word error rate of \(percent(last.errors.rate)) instead of \(percent(last.unchanged.rate)).")
        }
        return sentence
    }

    private func rounded(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        let hundredths = (value * 1000).rounded() / 1000
        return String(hundredths)
    }
}
