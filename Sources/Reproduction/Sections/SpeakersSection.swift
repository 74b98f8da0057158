import Messages
import Results

extension Section {
    /// A question below the post: features that follow the speaker.
    package static let speakers = Section(
        id: "speakers",
        title: "Where the speaker changes, features jump",
        claim: """
            Asked below the post: with several speakers, are there features of the encoder that shift if, and only if, the \
            speaker changes?
            """,
        method: """
            The end of what somebody says is followed by the beginning of what another says, and by that of another recording \
            of the same person: as loud, behind the same pause. A column of the residual stream jumps by the difference of its \
            means over half a second on both sides of the seam. The columns whose jumps tell the two kinds of seam apart best \
            are found with half of the speakers and scored with the others, by AUC: 0.5 is chance, 1 is a feature that shifts \
            if and only if the speaker changes. All columns of a block together are scored by the cosine distance \
            across the seam. Speakers of a corpus differ in their rooms and microphones too, which this cannot tell from their voices.
            """,
        parts: [.plugin(PluginPart("jumps", "speakers-and-noise", arguments: { try SpeakerStudy.arguments($0) }))],
        criteria: [
            Criterion(
                "columns",
                "mean AUC of the \(SpeakerStudy.most) best columns, with speakers that they were not found with",
                holds: 0.8, partly: 0.65, least: SpeakerStudy.fewest,
                because:
                    "four of five seams told right by one column; at 0.65 it is more than chance and far from “if and only if”"
            ),
            Criterion(
                "together", "mean over blocks of the AUC of all columns together", holds: 0.8, partly: 0.65,
                least: SpeakerStudy.fewest, because: "the same"),
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "blocks", "How well all columns of a block together tell another speaker."),
            Exhibit("jumps", "splice", "Somebody, and then another."),
            Exhibit("jumps", "hooks", "All columns together, as numbers.", folded: true),
            Exhibit("jumps", "jumps", "The columns that tell best.", folded: true),
        ],
        study: { try SpeakerStudy($0).findings() })
}

/// The study of seams between speakers.
struct SpeakerStudy {
    /// Columns that are looked at.
    static let most = 20
    /// Pairs of seams.
    static let fewest = 10
    /// Pairs of splices: each takes two passes.
    private static let splices = 20
    /// Recordings that splices are made of, the first ones.
    private static let kept = 60

    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    /// How many of those recordings each speaker has, of the speakers who have two.
    private static func speakers(_ situation: Situation) -> [String: Int] {
        let spoken = situation.samples.samples.compactMap { $0.label("speaker") }
        return Dictionary(spoken.prefix(kept).map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value >= 2 }
    }

    static func arguments(_ situation: Situation) throws -> [(key: String, value: String)] {
        let count = speakers(situation).count
        guard count >= 2 else {
            throw Unsuitable(
                "it takes two speakers with two recordings each, by a column 'speaker', among the first \(kept); there \(count == 1 ? "is 1" : "are \(count)")"
            )
        }
        return [
            ("splices", "\(splices)"), ("side", "1"), ("top", "\(most)"), ("overlaps", "0"), ("made", "false"),
            ("kept", "\(kept)"),
        ]
    }

    func findings() throws -> Findings {
        var findings = Findings()
        let hooks = try evidence.table("jumps", "hooks"), jumps = try evidence.table("jumps", "jumps")
        let blocks = hooks.rows.map { (name: hooks.text($0, "hook"), area: hooks.number($0, "auc")) }
            .filter(\.area.isFinite)
        // A column that half of the speakers say nothing about has no score.
        let scores = jumps.rows.map { jumps.number($0, "auc_scored") }.filter(\.isFinite)
        let pairs = hooks.rows.compactMap { hooks.integer($0, "pairs") }.max() ?? 0
        findings.measures = [
            Measure("columns", Self.mean(scores), count: pairs, "pairs of seams"),
            Measure("together", Self.mean(blocks.map(\.area)), count: pairs, "pairs of seams"),
        ]
        findings.sentence =
            "\(pairs) pairs of seams. With speakers that they were not found with, the \(scores.count) best columns tell another speaker from the same "
            + "one at an AUC of \(Digits.short(Self.mean(scores))) on average; all columns of a block together at "
            + "\(Digits.short(Self.mean(blocks.map(\.area)))) over \(blocks.count) blocks."
        if !blocks.isEmpty {
            findings.results.bars(
                "blocks", "AUC of all columns of a block", "0.5 is chance", groups: ("block", blocks.map(\.name)),
                series: ("", ["AUC"]), values: blocks.map { [$0.area] })
        }
        return findings
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }
}
