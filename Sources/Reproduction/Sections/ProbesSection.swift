import Client
import Messages
import Results

extension Section {
    /// Claim 8: linear probes read language and speech out of the encoder.
    package static let probes = Section(
        id: "probes",
        title: "Language and speech can be read off the residual stream",
        claim: """
            Below the post, asked about earlier layers, its author says that simple linear probes on layers 2 and 3 of tiny \
            suggest that they learn language (is_french) and is_speech.
            """,
        method: """
            A logistic regression on the mean of each recording's frames after each encoder block, on standardised inputs, \
            with its penalty chosen on a validation part; no speaker is in two parts where there are speakers enough. \
            What counts is the share of the errors of always answering with the most frequent class that the probe \
            avoids, at the block with the smallest loss on the validation part. The probe for phonemes has 1000 frames and a \
            fixed penalty, because each fit takes long.
            """,
        parts: Probe.all.map { probe in
            var part = PluginPart(probe.id, "probes", arguments: { try probe.arguments($0) })
            part.isOptional = true
            return .plugin(part)
        },
        criteria: [
            Criterion(
                "language", "errors of the baseline that a probe for the language avoids", holds: 0.8, partly: 0.4,
                least: 10, because: "a language that can be read off linearly is told right nearly always",
                isRequired: false),
            Criterion(
                "speech", "errors of the baseline that a probe for speech avoids", holds: 0.8, partly: 0.4, least: 10,
                because: "the same", isRequired: false),
        ],
        exhibits: [
            Exhibit("language", "accuracy", "Which language is spoken: accuracy by block."),
            Exhibit("speech", "accuracy", "Whether it is speech: accuracy by block."),
            Exhibit("speaker", "accuracy", "Who speaks (not in the post): accuracy by block."),
            Exhibit("phoneme", "accuracy", "Which sound each frame is of (not in the post): accuracy by block."),
            Exhibit("language", "layers", "The language probe's figures.", folded: true),
            Exhibit("speech", "layers", "The speech probe's figures.", folded: true),
            Exhibit("speaker", "layers", "The speaker probe's figures.", folded: true),
            Exhibit("phoneme", "layers", "The phoneme probe's figures.", folded: true),
        ],
        study: { try ProbeStudy($0).findings() })
}

/// A probe, and which labels it needs.
struct Probe: Sendable {
    let id: String
    let words: String
    /// The plugin's target for these samples.
    /// - Throws: ``Unsuitable``.
    let target: @Sendable (SampleList) throws -> String

    static let all = [
        Probe(id: "language", words: "the language") { samples in
            let values = try classes("language", samples)
            return values.keys.contains { $0.hasPrefix("fr") } ? "is_french" : "language"
        },
        Probe(id: "speech", words: "whether it is speech") { samples in
            let kinds = samples.values(of: "kind")
            let speech = kinds["speech"] ?? 0
            let others = kinds.values.reduce(0, +) - speech
            guard speech >= least, others >= least else {
                throw Unsuitable(
                    "a probe for speech needs \(least) recordings of speech and \(least) of something else, by a column "
                        + "'kind'; there are \(speech) and \(others)")
            }
            return "is_speech"
        },
        Probe(id: "speaker", words: "who speaks") { samples in
            _ = try classes("speaker", samples)
            return "speaker"
        },
        Probe(id: "phoneme", words: "which sound a frame is of") { samples in
            guard samples.samples.count(where: { !$0.item.phonemes.isEmpty }) >= least else {
                throw Unsuitable("a probe for sounds needs \(least) recordings whose sounds are known with their times")
            }
            return "phoneme"
        },
    ]

    /// Recordings that a class needs, so that each part may have one.
    private static let least = 3

    /// - Throws: ``Unsuitable`` where fewer than two classes have recordings enough.
    private static func classes(_ column: String, _ samples: SampleList) throws -> [String: Int] {
        let values = samples.values(of: column).filter { $0.value >= least }
        guard values.count >= 2 else {
            throw Unsuitable(
                "a probe for '\(column)' needs two values of that column with \(least) recordings each; there are "
                    + "\(values.count)")
        }
        return values
    }

    func arguments(_ situation: Situation) throws -> [(key: String, value: String)] {
        var arguments = [(key: "target", value: try target(situation.samples))]
        // There are many sounds, and a fit takes time with each row.
        if id == "phoneme" { arguments += [("max_rows", "1000"), ("l2", "0.01")] }
        return arguments
    }
}

/// The study of probes.
struct ProbeStudy {
    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    private struct Best {
        let hook: String
        let accuracy, majority, low, high: Double
        let tested: Int
        /// Of the baseline's errors.
        var avoided: Double { majority < 1 ? (accuracy - majority) / (1 - majority) : .nan }
    }

    func findings() throws -> Findings {
        var findings = Findings()
        var sentences: [String] = []
        for probe in Probe.all {
            if let reason = evidence.unsuitable[probe.id] {
                findings.measures.append(Measure(probe.id, missing: reason))
                findings.notes.append("Not probed: \(reason).")
                continue
            }
            let best = try self.best(probe.id)
            findings.measures.append(Measure(probe.id, best.avoided, count: best.tested, "rows of the test part"))
            sentences.append(
                "\(probe.words) is told right in \(best.accuracy.percent) of \(best.tested) (always the most frequent: "
                    + "\(best.majority.percent)), at \(best.hook)")
            if case .text(let method)? = try evidence.typed(probe.id, "method").first?.value {
                findings.notes.append("\(probe.id): \(method)")
            }
        }
        let text = sentences.joined(separator: "; ")
        findings.sentence = text.isEmpty ? "" : text.prefix(1).uppercased() + text.dropFirst() + "."
        findings.listening = voices()
        return findings
    }

    private func best(_ part: String) throws -> Best {
        let table = try evidence.table(part, "layers")
        let row = table.rows.min {
            let (a, b) = (table.number($0, "validation_loss"), table.number($1, "validation_loss"))
            // What has no validation loss comes last.
            return (a.isNaN ? .infinity : a) < (b.isNaN ? .infinity : b)
        }
        guard let row else { throw Unsuitable("the probe for '\(part)' gave no layer") }
        var tested = 0
        if case .matrix(let confusion)? = try evidence.typed(part, "confusion").first?.value {
            tested = Int(exactly: confusion.values.reduce(0, +).rounded()) ?? 0
        }
        return Best(
            hook: table.text(row, "hook"), accuracy: table.number(row, "accuracy"),
            majority: table.number(row, "majority"), low: table.number(row, "low_95"),
            high: table.number(row, "high_95"), tested: tested)
    }

    /// What the classes sound like: a few recordings of each.
    private func voices() -> [Listening] {
        var rows: [[ListeningCell]] = []
        for column in ["language", "kind"] {
            let values = evidence.samples.values(of: column)
            guard values.count >= 2 else { continue }
            for value in values.keys.sorted() {
                let samples = evidence.samples.samples.filter { $0.label(column) == value }.prefix(4)
                rows.append([
                    .text(column), .text(value), .number(Double(values[value] ?? 0)),
                    .sounds(
                        samples.map {
                            PlayableMoment(
                                label: $0.text ?? $0.name,
                                sound: SoundRequest(sample: $0.name, start: 0, end: ListeningCard.longest))
                        }),
                ])
            }
        }
        guard !rows.isEmpty else { return [] }
        return [
            .table(
                ListeningTable(
                    title: "What the classes sound like", columns: ["column", "value", "recordings", "examples"],
                    rows: rows))
        ]
    }
}
