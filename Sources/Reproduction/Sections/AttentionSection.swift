import Foundation
import Messages
import Results

extension Section {
    /// Claim 5: attention in the encoder is local.
    package static let attention = Section(
        id: "attention",
        title: "Encoder attention is local",
        claim: """
            Attention in the encoder is very localized: up to the end of the speech, frames attend to their \
            neighbours. Held to k frames on either side, the model still writes reasonably precise transcripts at k = \
            75 (1.5 s), ever fewer words at 50 and 20, and nothing at 10. The author adds that 4 of the 6 heads in each \
            layer of tiny are local, and may be masked at 10; one or two are not.
            """,
        method: """
            How much of each head's attention lies within ±10 frames of the frame that attends, over frames of sound only: \
            padding is not data. Then every recording of more than 75 frames (1.5 s) is written down with the attention of all \
            encoder heads held to ±k frames, without retraining, and compared with how it is written down without a window; \
            from a shorter one that window hides nothing.
            """,
        parts: [
            .plugin(PluginPart("heads", "attention-stats", ["attention": "encoder"])),
            .transcripts(
                TranscriptPart(id: "windows", isTimed: false) { _, plain in
                    guard AttentionWindows.frames(plain) > AttentionWindows.shortest else { return [] }
                    return AttentionWindows.all.map {
                        Condition(name: "±\($0)", interventions: ["encoder.blocks.*.attn window \($0)"])
                    }
                }),
        ],
        criteria: [
            Criterion(
                "local-heads", "share of heads that are local: at least half of their attention within ±10 frames",
                holds: 0.6, partly: 0.3, least: 4, because: "the post: about 4 of 6 heads in each layer"),
            Criterion(
                "window-75", "word error rate within ±75 frames, against the transcript without a window", .atMost,
                holds: 0.2, partly: 0.5, least: 5,
                because: "four words of five as before is reasonably accurate; every other word is not"),
        ],
        exhibits: [
            Exhibit("heads", "encoder-local", "How much of a head's attention lies within ±10 frames (0.2 s)."),
            Exhibit("heads", "encoder-distance", "How far a head looks on average."),
            Exhibit(Exhibit.findings, "errors", "Words that change when each frame sees only ±k frames."),
            Exhibit(Exhibit.findings, "windows", "The same as numbers.", folded: true),
            Exhibit(Exhibit.findings, "transcripts", "Every transcript under every window.", folded: true),
            Exhibit("heads", "heads", "All statistics of each head.", folded: true),
        ],
        study: { try AttentionWindows($0).findings() })
}

/// The study of attention: heads that are local, and what windows do to transcripts.
struct AttentionWindows {
    /// Frames to each side, of 20 ms.
    static let all = [1500, 100, 75, 50, 20, 10]
    /// Recordings of no more frames are not heard: that window hides nothing from them.
    fileprivate static let shortest = 75

    /// Of the encoder, 20 ms each.
    fileprivate static func frames(_ recording: WrittenText) -> Int {
        Int(exactly: (recording.seconds * 50).rounded()) ?? 0
    }

    private let evidence: Evidence
    private let transcriptions: [ChangedTranscript]

    init(_ evidence: Evidence) {
        self.evidence = evidence
        transcriptions = evidence.transcriptions["windows"] ?? []
    }

    /// What one window did to the recordings.
    private struct Row {
        let window: Int
        /// Against the transcript without a window.
        var changes = WordErrors()
        /// Against what is said, where that is known.
        var errors = WordErrors()
        var hidden = 0.0
    }

    func findings() throws -> Findings {
        var findings = Findings()
        let heads = try evidence.table("heads", "heads")
        let local = heads.rows.filter { ["local", "positional"].contains(heads.text($0, "class")) }.count
        findings.measures.append(Measure("local-heads", share: local, of: heads.rows.count, "heads"))
        let rows = Self.all.map(row)
        for row in rows {
            let id = "window-\(row.window)"
            findings.measures.append(
                row.changes.words > 0
                    ? Measure(id, row.changes.rate, count: row.changes.texts, "recordings")
                    : Measure(
                        id,
                        missing: "no recording with words is longer than \(Self.shortest) frames (1.5 s)",
                        Shortage(ofRecordings: 0, needed: 5)))
        }
        addFigures(rows, to: &findings)
        findings.listening = cards()
        let middle = rows.first { $0.window == 75 }
        let least = rows.last
        findings.sentence =
            "\(local) of \(heads.rows.count) heads are local. "
            + (middle.map {
                "Within ±75 frames \($0.changes.keptShare.percent) of the words in \($0.changes.texts) recordings stay "
                    + "(word error rate \($0.changes.rate.percent))"
            } ?? "")
            + (least.map {
                ", within ±\($0.window) frames \($0.changes.keptShare.percent) (\($0.changes.rate.percent))."
            } ?? ".")
        return findings
    }

    private func row(_ window: Int) -> Row {
        var row = Row(window: window)
        for one in transcriptions where one.condition.name == "±\(window)" {
            let frames = Self.frames(one.plain)
            guard frames > Self.shortest else { continue }
            if let changes = WordComparison(one.plain.text, one.changed.text), !changes.before.isEmpty {
                row.changes.add(changes)
                row.hidden += Self.hidden(frames, window)
            }
            if let text = one.sample.text, let errors = WordComparison(text, one.changed.text) {
                row.errors.add(errors)
            }
        }
        return row
    }

    /// The share of pairs of a recording's frames that are farther apart than the window.
    private static func hidden(_ frames: Int, _ window: Int) -> Double {
        guard frames > window + 1 else { return 0 }
        let beyond = Double(frames - window - 1)
        return beyond * (beyond + 1) / (Double(frames) * Double(frames))
    }

    private func addFigures(_ rows: [Row], to findings: inout Findings) {
        findings.results.bars(
            "errors", "Word error rate by window",
            "Against the transcript without a window, and against what is said where that is known; above 1 where a text "
                + "repeats itself",
            groups: ("window (frames)", rows.map { "±\($0.window)" }),
            series: ("", ["against no window", "against what is said"]),
            values: rows.map { [$0.changes.rate, $0.errors.rate] })
        findings.results.table(
            "windows", "Windows",
            columns: [
                "window", "seconds", "recordings", "pairs of frames hidden", "words that stay",
                "error rate against no window", "error rate against what is said",
            ],
            rows: rows.map { row in
                let count = Double(row.changes.texts)
                return [
                    .number(Double(row.window)), .number(Double(row.window) / 50), .number(count),
                    .number(count > 0 ? row.hidden / count : .nan), .number(row.changes.keptShare),
                    .number(row.changes.rate), .number(row.errors.rate),
                ]
            })
        findings.results.table(
            "transcripts", "Transcripts", columns: ["recording", "window", "transcript", "error rate"],
            rows: transcriptions.map { one in
                [
                    .text(one.sample.name), .text(one.condition.name), .text(one.changed.text),
                    .number(WordComparison(one.plain.text, one.changed.text)?.rate ?? .nan),
                ]
            })
    }

    /// The recordings that the windows change most, and one that they do not.
    private func cards() -> [Listening] {
        let byName = Dictionary(grouping: transcriptions) { $0.sample.name }
        func changes(_ all: [ChangedTranscript]) -> Int {
            all.reduce(0) { $0 + (WordComparison($1.plain.text, $1.changed.text)?.errors ?? 0) }
        }
        let ranked = byName.values.filter { ($0.first?.plain.seconds ?? .infinity) <= ListeningCard.longest }
            .map { (all: $0, changes: changes($0)) }
            .sorted { ($0.changes, $1.all[0].sample.name) > ($1.changes, $0.all[0].sample.name) }
        let chosen = ranked.prefix(3) + ranked.dropFirst(3).suffix(1)
        return chosen.compactMap { all, _ in
            guard let first = all.first else { return nil }
            var card = ListeningCard(first.sample, first.plain)
            card.texts = all.map { ComparedText($0.condition.name, before: first.plain.text, after: $0.changed.text) }
            return .recording(card)
        }
    }
}
