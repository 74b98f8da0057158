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
            The encoder hears padding alone. The decoder reads its start tokens (<|startoftranscript|>, and of a \
            multilingual model the language and <|transcribe|>) and one word; its 20 most probable next tokens are compared \
            with the words that do follow in the texts of the samples. Frequent words follow often, whatever is before \
            them: so the same texts are also compared with the lists that the other prompts gave. Beside the post's own \
            prompts there are words that have a well-known companion in English. Nothing is to be heard here; that is the \
            experiment.
            """,
        parts: [.plugin(PluginPart("next", "bigrams", hears: false, arguments: Bigrams.arguments))],
        criteria: [
            Criterion(
                "hits", "share of the texts' word pairs whose second word is among the 20 most probable", holds: 0.25,
                partly: 0.1, least: 100,
                because:
                    "of text that it never saw a good table of bigrams expects about half; the post calls the decoder's weak"
            ),
            Criterion(
                "gain", "how much larger that share is than with the lists of other prompts", holds: 0.1,
                partly: 0.02, least: 100,
                because: "it has to know which word comes after which, not only which words are frequent"),
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "hits", "How often the word that follows is among the most probable."),
            Exhibit(
                Exhibit.findings, "known",
                "What comes next after the post's prompts, and after words with a companion; ✓ it."),
            Exhibit(
                Exhibit.findings, "prompts", "The texts' most frequent words; ✓ what does follow them there.",
                folded: true),
            Exhibit("next", "next", "All next tokens of all prompts.", folded: true),
        ],
        study: { try await Bigrams($0).findings() })
}

/// The study of next words.
struct Bigrams {
    private static let most = 20
    private static let mostPrompts = 100
    /// The post's own, and words that have a well-known companion in English.
    private static let known: KeyValuePairs = [
        "very": "", "traffic": "", "good": "", "peanut": "butter", "thank": "you", "ice": "cream", "climate": "change",
        "solar": "system", "social": "media", "human": "rights", "high": "school", "merry": "Christmas",
        "ladies": "and", "each": "other", "according": "to", "instead": "of", "rather": "than",
    ]
    private static let depths = [1, 5, 20]
    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    /// The words that have others after them, in that of the model's languages in which most is said: the most frequent
    /// ones first.
    private static func pairs(
        _ situation: Situation
    ) async throws -> (pairs: [String: [String: Int]], order: [String], language: String, areKnown: Bool) {
        let (all, areKnown) = try await situation.texts()
        let texts = all.filter { situation.model.knows($0.language) }
        var counts: [String: Int] = [:]
        for text in texts { counts[text.language, default: 0] += 1 }
        guard let language = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else {
            throw Unsuitable(
                all.isEmpty
                    ? "there is no text: nothing is said in the samples, as far as is known"
                    : "all texts are in languages that the model does not know")
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
        // Of an English-only model there are none, and its start tokens are without one.
        let spoken = languages.contains(language) ? language : languages.contains("en") ? "en" : languages.first ?? ""
        return [
            ("prompt", (order + known.map(\.key).filter { !order.contains($0) }).joined(separator: "|")),
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
        // A word may be written with a capital.
        var firstTokens: [String: Set<Int>] = [:]
        for word in Set(order.flatMap { (pairs[$0] ?? [:]).keys }) {
            for form in [word, word.prefix(1).uppercased() + word.dropFirst()] {
                guard let token = try await evidence.situation.tokenize(" " + form).first else { continue }
                firstTokens[word, default: []].insert(Int(token.id))
            }
        }
        var total = 0
        var hits = Self.depths.map { _ in 0 }
        var others = Self.depths.map { _ in 0.0 }
        let answers = Dictionary(uniqueKeysWithValues: order.map { ($0, (next[$0] ?? []).map(\.token)) })
        // In how many prompts' lists, cut to a depth, a word is.
        let listed = Self.depths.map { depth in
            firstTokens.mapValues { tokens in answers.values.count { !tokens.isDisjoint(with: $0.prefix(depth)) } }
        }
        for first in order {
            let own = answers[first] ?? []
            for (second, count) in pairs[first] ?? [:] {
                guard let tokens = firstTokens[second] else { continue }
                total += count
                for (index, depth) in Self.depths.enumerated() {
                    let isHit = !tokens.isDisjoint(with: own.prefix(depth))
                    if isHit { hits[index] += count }
                    guard order.count > 1 else { continue }
                    let elsewhere = (listed[index][second] ?? 0) - (isHit ? 1 : 0)
                    others[index] += Double(count) * Double(elsewhere) / Double(order.count - 1)
                }
            }
        }
        func share(_ part: Double) -> Double { total > 0 ? part / Double(total) : .nan }
        let own = hits.map { share(Double($0)) }
        let chance = others.map(share)
        let things = "pairs of words"
        findings.measures = [
            Measure("hits", own[2], count: total, things),
            Measure("gain", own[2] - chance[2], count: total, things),
            Measure("first", own[0], count: total, things),
        ]
        findings.results.bars(
            "hits", "Next words", "Share of the texts' word pairs whose second word is among the most probable",
            groups: ("most probable tokens", Self.depths.map { "\($0)" }),
            series: ("", ["after its own prompt", "after other prompts"]), values: zip(own, chance).map { [$0, $1] })
        addTables(next, order, pairs, firstTokens, language, to: &findings)
        findings.sentence =
            "The word that follows is among the decoder's 20 most probable in \(own[2].percent) of \(total) word "
            + "pairs, and its very first in \(own[0].percent); in the lists after other prompts it is in "
            + "\(chance[2].percent)."
        findings.notes = [
            areKnown
                ? "The pairs are those of the samples' known texts (\(language))."
                : "No text is known, so the pairs are those of the model's own transcripts of the samples (\(language)), "
                    + "which it may have written because it expects them."
        ]
        return findings
    }

    private func addTables(
        _ next: [String: [Next]], _ order: [String], _ pairs: [String: [String: Int]],
        _ firstTokens: [String: Set<Int>],
        _ language: String, to findings: inout Findings
    ) {
        func answers(_ prompt: String, _ isExpected: (Next) -> Bool) -> ComputedResults.Cell {
            .text(
                (next[prompt] ?? []).prefix(5).map {
                    "\(isExpected($0) ? "✓ " : "")\($0.text.trimmingCharacters(in: .whitespaces)) \($0.probability.percent)"
                }.joined(separator: " · "))
        }
        // The companions are English.
        let known =
            language.isEmpty || language.hasPrefix("en") ? Self.known.map { $0 } : Self.known.prefix(3).map { $0 }
        findings.results.table(
            "known", "Words with a companion",
            columns: ["prompt", "next tokens", "companion", "its place", "probability"],
            rows: known.map { prompt, companion in
                func isCompanion(_ next: Next) -> Bool {
                    !companion.isEmpty && next.text == " \(companion)"
                }
                let place = (next[prompt] ?? []).firstIndex(where: isCompanion)
                return [
                    .text(prompt), answers(prompt, isCompanion), .text(companion),
                    place.map { .number(Double($0 + 1)) },
                    place.flatMap { next[prompt]?[$0].probability }.map { .number($0) },
                ]
            })
        findings.results.table(
            "prompts", "Next tokens", columns: ["prompt", "next tokens", "follows in the texts"],
            rows: order.prefix(40).map { first in
                let followers = pairs[first] ?? [:]
                let expected = followers.keys.reduce(into: Set<Int>()) { $0.formUnion(firstTokens[$1] ?? []) }
                return [
                    .text(first), answers(first) { expected.contains($0.token) },
                    .text(followers.keys.sorted().joined(separator: ", ")),
                ]
            })
    }
}
