import Foundation
import Messages
import Results

extension Section {
    /// Claim 7: the decoder alone is a weak language model.
    package static let bigrams = Section(
        id: "bigrams",
        title: "The decoder alone is a weak language model",
        claim: """
            The decoder learns weak language modelling although it was never trained on text alone. With padding as all that \
            it hears, and a prompt of one word (very, traffic, good) behind its start tokens, its most likely next tokens \
            are those of learnt bigrams.
            """,
        method: """
            The encoder hears padding alone. The decoder reads <|startoftranscript|>, the language, <|transcribe|> and one \
            word; its 20 most probable next tokens are compared with the words that do follow in the texts of the \
            samples. The baseline knows the texts: it always answers with the 20 words that most often come second in \
            them. Nothing is to be heard here; that is the experiment.
            """,
        parts: [.plugin(PluginPart("next", "bigrams", hears: false, arguments: Bigrams.arguments))],
        criteria: [
            Criterion(
                "hits", "share of the texts' word pairs whose second word is among the 20 most probable", holds: 0.5,
                partly: 0.25, least: 20, because: "a model that knows bigrams expects every other word that comes"),
            Criterion(
                "gain", "how much larger that share is than the baseline's", holds: 0.1, partly: 0.001, least: 20,
                because: "it has to know which word comes after which, not only which words are frequent"),
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "hits", "How often the word that follows is among the most probable."),
            Exhibit(Exhibit.findings, "prompts", "What comes next, by prompt; ✓ where it does follow in the texts."),
            Exhibit("next", "next", "All next tokens of all prompts.", folded: true),
        ],
        study: { try await Bigrams($0).findings() })
}

/// The study of next words.
struct Bigrams {
    private static let most = 20
    private static let mostPrompts = 100
    /// The post's own.
    private static let postPrompts = ["very", "traffic", "good"]
    private static let depths = [1, 5, 20]
    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    /// The words that have others after them, in the language in which most is said: the most frequent ones first.
    private static func pairs(
        _ situation: Situation
    ) async throws -> (pairs: [String: [String: Int]], order: [String], language: String, areKnown: Bool) {
        let (texts, areKnown) = try await situation.texts()
        var counts: [String: Int] = [:]
        for text in texts { counts[text.language, default: 0] += 1 }
        guard let language = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else {
            throw Unsuitable("there is no text: nothing is said in the samples, as far as is known")
        }
        var pairs: [String: [String: Int]] = [:]
        for text in texts where text.language == language {
            let words = WordComparison.words(text.text).map(WordComparison.normalised)
            for (a, b) in zip(words, words.dropFirst()) { pairs[a, default: [:]][b, default: 0] += 1 }
        }
        let total = pairs.mapValues { $0.values.reduce(0, +) }
        let order = pairs.keys.sorted { (total[$0] ?? 0, $1) > (total[$1] ?? 0, $0) }
        guard !order.isEmpty else { throw Unsuitable("no text of the samples has two words") }
        return (pairs, Array(order.prefix(mostPrompts)), language, areKnown)
    }

    static func arguments(_ situation: Situation) async throws -> [(key: String, value: String)] {
        let (_, order, language, _) = try await pairs(situation)
        let languages = situation.model.languages
        let spoken = languages.contains(language) ? language : languages.contains("en") ? "en" : languages.first ?? ""
        return [
            ("prompt", (order + postPrompts.filter { !order.contains($0) }).joined(separator: "|")),
            ("language", spoken), ("top", "\(most)"),
        ]
    }

    private struct Next {
        let token: Int
        let text: String
        let probability: Double
    }

    func findings() async throws -> Findings {
        var findings = Findings()
        let table = try evidence.table("next", "next")
        let (pairs, order, language, areKnown) = try await Self.pairs(evidence.situation)
        var next: [String: [Next]] = [:]
        for row in table.rows {
            guard let token = table.integer(row, "token") else { continue }
            next[table.text(row, "prompt"), default: []].append(
                Next(token: token, text: table.text(row, "text"), probability: table.number(row, "probability")))
        }
        var firstTokens: [String: Int] = [:]
        for word in Set(order.flatMap { (pairs[$0] ?? [:]).keys }) {
            firstTokens[word] = try await evidence.situation.tokenize(" " + word).first.map { Int($0.id) }
        }
        // What the baseline answers: the tokens that come second most often.
        var frequency: [Int: Int] = [:]
        for first in order {
            for (second, count) in pairs[first] ?? [:] {
                if let token = firstTokens[second] { frequency[token, default: 0] += count }
            }
        }
        let frequent = frequency.keys.sorted { (frequency[$0] ?? 0, $1) > (frequency[$1] ?? 0, $0) }
        var total = 0
        var hits = Self.depths.map { _ in 0 }
        var baseline = hits
        for first in order {
            let answers = (next[first] ?? []).map(\.token)
            for (second, count) in pairs[first] ?? [:] {
                guard let token = firstTokens[second] else { continue }
                total += count
                for (index, depth) in Self.depths.enumerated() {
                    if answers.prefix(depth).contains(token) { hits[index] += count }
                    if frequent.prefix(depth).contains(token) { baseline[index] += count }
                }
            }
        }
        func share(_ part: Int) -> Double { total > 0 ? Double(part) / Double(total) : .nan }
        let things = "pairs of words"
        findings.measures = [
            Measure("hits", share(hits[2]), count: total, things),
            Measure("gain", share(hits[2]) - share(baseline[2]), count: total, things),
            Measure("first", share(hits[0]), count: total, things),
        ]
        findings.results.bars(
            "hits", "Next words", "Share of the texts' word pairs whose second word is among the most probable",
            groups: ("most probable tokens", Self.depths.map { "\($0)" }),
            series: ("", ["decoder on padding", "most frequent words"]),
            values: zip(hits, baseline).map { [share($0), share($1)] })
        findings.results.table(
            "prompts", "Next tokens", columns: ["prompt", "next tokens", "follows in the texts"],
            rows: (Self.postPrompts + order.prefix(40).filter { !Self.postPrompts.contains($0) }).map { first in
                let followers = pairs[first] ?? [:]
                let expected = Set(followers.keys.compactMap { firstTokens[$0] })
                let answers = (next[first] ?? []).prefix(5).map {
                    "\(expected.contains($0.token) ? "✓ " : "")\($0.text.trimmingCharacters(in: .whitespaces)) "
                        + $0.probability.percent
                }
                return [
                    .text(first), .text(answers.joined(separator: " · ")),
                    .text(followers.keys.sorted().joined(separator: ", ")),
                ]
            })
        findings.sentence =
            "The word that follows is among the decoder's 20 most probable in \(share(hits[2]).percent) of \(total) word "
            + "pairs, and its very first in \(share(hits[0]).percent); the 20 most frequent words would be right in "
            + "\(share(baseline[2]).percent)."
        findings.notes = [
            areKnown
                ? "The pairs are those of the samples' known texts (\(language))."
                : "No text is known, so the pairs are those of the model's own transcripts of the samples (\(language)), "
                    + "which it may have written because it expects them."
        ]
        return findings
    }
}
