import PluginKit

/// The results, and how they are declared.
enum GlitchReport {
    static let outputs: [Output] = [
        .table(
            "tokens", title: "Suspects",
            "Tokens like those that no text has, and the shortest; by their probability when repeated"),
        .table("groups", title: "Groups of tokens", "Beside tokens drawn at random"),
        .scalar(
            "untrained", title: "Tokens of which hardly anything was learned", "Of text, with a cosine of 0.99 and more"
        ),
        .scalar(
            "verified", title: "Tokens that are verified",
            "Among the suspects; those that are known to be unused not counted"),
        .table("sounds", title: "Sounds and broken words", "By how far broken words go with a sound"),
        .vector(
            "excess", title: "Broken words beyond what is expected", unit: "share of words", plot: .bar,
            "Of words with a sound, beyond the share among words of the same speaker and length"),
        .scalar("words", title: "Words"),
        .scalar("broken", title: "Broken words"),
    ]

    static func tell(_ study: TokenStudy, _ results: Results, _ host: Host) throws {
        let suspects = study.findings.filter { $0.group != .control }
            .sorted { ($0.probability, $0.token) < ($1.probability, $1.token) }
        try results.emit(
            "tokens",
            .table(
                columns: [
                    "token", "text", "group", "kind", "cosine", "norm", "norm percentile", "probability", "rank", "p",
                    "verified",
                ],
                rows: try suspects.map { finding in
                    let text = try host.decode([Int32(finding.token)])
                    return [
                        .number(Double(finding.token)), .text(text), .text(finding.group.rawValue),
                        .text(try kind(finding.token, text, host)), .number(finding.cosine), .number(finding.norm),
                        .number(finding.percentile), .number(finding.probability), .number(Double(finding.rank)),
                        .number(finding.pValue), .text(study.isVerified(finding) ? "yes" : "no"),
                    ]
                }), mayBeNaN: true)
        try results.emit(
            "groups",
            .table(
                columns: ["group", "tokens", "norm", "cosine", "median probability", "share verified"],
                rows: TokenStudy.Group.allCases.compactMap { group in
                    guard let own = study.summary(group) else { return nil }
                    return [
                        .text(group.rawValue), .number(Double(own.count)), .number(own.norm), .number(own.cosine),
                        .number(own.probability), .number(own.verified),
                    ]
                }), mayBeNaN: true)
        let verified = suspects.count { $0.group != .unused && study.isVerified($0) }
        try results.emit("verified", .scalar(Double(verified)))
        try results.emit("untrained", .scalar(Double(study.untrained)))
    }

    /// What a token is for the tokenizer: whole text that leads back to it, text that it is never made of, or a part of a character.
    private static func kind(_ token: Int, _ text: String, _ host: Host) throws -> String {
        if text.contains("\u{FFFD}") { return "part of a character" }
        return try host.encode(text) == [Int32(token)] ? "text" : "unreachable"
    }

    static func tell(_ study: SoundStudy, _ results: Results) throws {
        try results.emit("words", .scalar(Double(study.words.count)))
        try results.emit("broken", .scalar(Double(study.words.count { $0.isBroken })))
        guard !study.findings.isEmpty else { return }
        try results.emit(
            "sounds",
            .table(
                columns: [
                    "sound", "words", "broken", "share broken", "share without", "excess", "score", "p", "p of all",
                ],
                rows: study.findings.map { finding in
                    [
                        .text(finding.phoneme), .number(Double(finding.words)), .number(Double(finding.broken)),
                        .number(Double(finding.broken) / Double(finding.words)), .number(finding.without),
                        .number(finding.excess), .number(finding.score), .number(finding.pValue),
                        .number(finding.pValueOfAll),
                    ]
                }), mayBeNaN: true)
        try results.emit(
            "excess",
            .vector(study.findings.map(\.excess), axis: Axis("sound", labels: study.findings.map(\.phoneme))))
    }
}
