import PluginKit
import PluginTranscripts

/// The results of a census: tables, and maps of layers and heads.
struct CensusReport {
    let census: Census
    let run: Run
    let kinds: [AttentionHead.Kind]
    let findings: [Census.Finding]
    let pairs: [HeadCompany.Pair]
    let groups: [HeadCompany.Group]

    static let outputs: [Output] =
        [
            .table(
                "heads", title: "Heads, each knocked out alone",
                "Word error rates where somebody speaks, words where nobody does")
        ]
        + AttentionHead.Kind.allCases.flatMap { kind in
            [
                Output.matrix(
                    "\(kind.rawValue)-change",
                    title: "\(kind.rawValue): change of the word error rate without each head",
                    axes: (Axis("layer"), Axis("head")), "At most one error for each word of a recording"),
                .matrix(
                    "\(kind.rawValue)-invented", title: "\(kind.rawValue): change of the words where nobody speaks",
                    unit: "words", axes: (Axis("layer"), Axis("head"))),
            ]
        } + [
            .table("pairs", title: "Pairs of the most harmful heads", "On the recordings that were kept for it"),
            .table(
                "together", title: "Heads that write most where nobody speaks, knocked out together",
                "The first, the first two, and so on"),
            .table("recordings", title: "Recordings", "What is written with all heads"),
            .text("summary", title: "In words"),
        ]

    func emit(_ results: Results) throws {
        try results.emit("heads", headTable, mayBeNaN: true)
        for kind in kinds { try emitMaps(kind, results) }
        if !pairs.isEmpty { try results.emit("pairs", pairTable, mayBeNaN: true) }
        if !groups.isEmpty { try results.emit("together", groupTable, mayBeNaN: true) }
        try results.emit("recordings", recordingTable, mayBeNaN: true)
        try results.emit("summary", .text(summary))
    }

    private var headTable: ResultValue {
        .table(
            columns: [
                "attention", "layer", "head", "wer", "change", "low_95", "high_95", "bounded_change", "differing",
                "words_nonspeech", "nonspeech_change",
            ],
            rows: findings.map { finding in
                [
                    .text(finding.head.kind.rawValue), .number(Double(finding.head.layer)),
                    .number(Double(finding.head.head)), .number(finding.errors.rate), .number(finding.change),
                    .number(finding.interval.low), .number(finding.interval.high), .number(finding.boundedChange),
                    .number(Double(finding.differing)), .number(invented(finding.invented)),
                    .number(invented(finding.inventedChange)),
                ]
            })
    }

    /// NaN where no recording is without speech.
    private func invented(_ words: Int) -> Double { census.nonSpeech.isEmpty ? .nan : Double(words) }

    private func emitMaps(_ kind: AttentionHead.Kind, _ results: Results) throws {
        let (layers, heads) = AttentionHead.count(of: kind, in: run)
        func map(_ value: (Census.Finding) -> Double) -> ResultValue {
            var values = [Double](repeating: .nan, count: layers * heads)
            for finding in findings where finding.head.kind == kind {
                values[finding.head.layer * heads + finding.head.head] = value(finding)
            }
            let axes = [("layer", layers), ("head", heads)].map { Axis($0, labels: (0..<$1).map(String.init)) }
            return .matrix(values, rows: layers, columns: heads, axes: axes)
        }
        if !census.speech.isEmpty { try results.emit("\(kind.rawValue)-change", map(\.boundedChange), mayBeNaN: true) }
        if !census.nonSpeech.isEmpty {
            try results.emit("\(kind.rawValue)-invented", map { Double($0.inventedChange) }, mayBeNaN: true)
        }
    }

    private var pairTable: ResultValue {
        .table(
            columns: [
                "first", "second", "wer", "bounded_wer", "all_heads", "without_first", "without_second", "excess",
            ],
            rows: pairs.map { pair in
                [
                    .text(pair.heads[0].name), .text(pair.heads[1].name), .number(pair.errors.rate),
                    .number(pair.errors.boundedRate), .number(pair.unchanged.boundedRate),
                    .number(pair.alone[0].boundedRate), .number(pair.alone[1].boundedRate), .number(pair.excess),
                ]
            })
    }

    private var groupTable: ResultValue {
        .table(
            columns: ["heads", "words_nonspeech", "with_all_heads", "wer", "wer_all_heads"],
            rows: groups.map { group in
                [
                    .text(group.heads.map(\.name).joined(separator: ", ")), .number(Double(group.invented)),
                    .number(Double(group.inventedUnchanged)), .number(group.errors.rate),
                    .number(group.unchanged.rate),
                ]
            })
    }

    private var recordingTable: ResultValue {
        .table(
            columns: ["recording", "reference", "wer", "words", "all_heads_write", "said", "heads_that_change_it"],
            rows: census.inOrder.map { entry in
                [
                    .text(entry.name),
                    .text(entry.isNonSpeech ? "nothing" : entry.isReferenceOwn ? "all heads" : "data set"),
                    .number(entry.unchanged.errors.rate), .number(Double(entry.unchanged.written)),
                    .text(entry.transcript), .text(entry.reference),
                    .number(Double(entry.knockedOut.count { $0.differs })),
                ]
            })
    }

    private var summary: String {
        let speech = census.speech, nonSpeech = census.nonSpeech
        var parts: [String] = []
        if speech.isEmpty {
            parts.append("No recording has words that are known or written.")
        } else {
            let all = speech.map(\.unchanged.errors).total
            let own = speech.count(where: \.isReferenceOwn)
            parts.append(
                "\(speech.count) recordings with \(all.words) words\(own > 0 ? ", of \(own) of them what all heads write" : ""): "
                    + "word error rate \(percent(all.rate)) with all heads.")
            let harmful = findings.mostHarmful(3)
            if harmful.isEmpty {
                parts.append("No head alone makes it worse.")
            } else {
                let named = harmful.map { "\($0.head.name) (\(percent($0.boundedChange, signed: true)))" }
                parts.append("Worst to be without: \(named.joined(separator: ", ")).")
            }
            let idle = findings.count { $0.differing == 0 }
            parts.append("\(idle) of \(findings.count) heads change no transcript.")
        }
        if !nonSpeech.isEmpty {
            let words = nonSpeech.reduce(0) { $0 + $1.unchanged.written }
            parts.append("\(nonSpeech.count) recordings in which nobody speaks: \(words) words with all heads.")
            if let most = groups.last {
                parts.append(
                    "Without \(most.heads.map(\.name).joined(separator: ", ")): \(most.invented) of \(most.inventedUnchanged), and "
                        + "word error rate \(percent(most.errors.rate)) instead of \(percent(most.unchanged.rate)) on \(most.errors.words) words."
                )
            }
        }
        return parts.joined(separator: " ")
    }
}
