import Foundation
import PluginKit
import TensorFiles

/// The analysis without a host: what it asks of a model, and its results.
struct BigramStudy<Model: LanguageModel> {
    let model: Model
    let settings: Settings
    let vocabulary: Int
    /// Tokens that the decoder can read.
    let context: Int
    /// About the model, for the file.
    let facts: [String: String]
    let emit: (String, ResultValue) throws -> Void

    func run() throws {
        let prompts = try Prompts(language: settings.language, noTimestamps: settings.noTimestamps, model)
        try emit(
            "method",
            .text(
                "The encoder hears nothing but padding. The decoder reads \(try model.text(of: prompts.prefix)) "
                    + "\(prompts.prefix) and the prompt; a prompt of several tokens conditions on all of them. "
                    + "Probabilities are over the whole vocabulary of \(vocabulary) tokens, nothing suppressed."))
        if !settings.prompts.isEmpty { try tellPrompts(prompts) }
        if settings.matrix { try tellMatrix(prompts) }
        if let corpus = settings.corpus { try tellCorpus(corpus, prompts) }
    }

    // MARK: - Prompts

    private func tellPrompts(_ prompts: Prompts) throws {
        var (rows, labels, probabilities) = ([[Cell]](), [String](), [Double]())
        for prompt in settings.prompts {
            try model.checkCancellation()
            let tokens = try Prompts.tokens(prompt, model)
            let logits = try model.logits(after: [prompts.sequence(tokens, context: context)])
            let next = Distribution(logits[...])
            for (place, token) in next.top(settings.top).enumerated() {
                let text = try model.text(of: [Int32(token)])
                rows.append([
                    .text(prompt), .text(tokens.map(String.init).joined(separator: " ")), .number(Double(place + 1)),
                    .number(Double(token)), .text(text), .number(next.logit(token)), .number(next.probability(token)),
                ])
                labels.append(settings.prompts.count > 1 ? "\(prompt) →\(text)" : text)
                probabilities.append(next.probability(token))
            }
        }
        try emit(
            "next",
            .table(
                columns: ["prompt", "prompt_tokens", "rank", "token", "text", "logit", "probability"], rows: rows))
        try emit("probabilities", .vector(probabilities, axis: Axis("next token", labels: labels)))
    }

    // MARK: - All tokens

    /// Calls `body` with what may come after each of `tokens`, in batches.
    private func each(_ tokens: [Int32], _ prompts: Prompts, _ body: (Int32, Distribution) throws -> Void) throws {
        for start in stride(from: 0, to: tokens.count, by: settings.batch) {
            try model.checkCancellation()
            model.report(start, of: tokens.count)
            let batch = Array(tokens[start..<min(start + settings.batch, tokens.count)])
            let logits = try model.logits(after: batch.map { try prompts.sequence([$0], context: context) })
            for (place, token) in batch.enumerated() {
                try body(token, Distribution(logits[(place * vocabulary)..<((place + 1) * vocabulary)]))
            }
        }
    }

    private func tellMatrix(_ prompts: Prompts) throws {
        var facts = facts
        facts["format"] = "auscult-bigrams/1"
        facts["prefix"] = "[\(prompts.prefix.map(String.init).joined(separator: ","))]"
        let file = try settings.out.map {
            try SafetensorsOutput(path: $0, [.init("logits", [vocabulary, vocabulary])], metadata: facts)
        }
        let texts = try (0..<Int32(vocabulary)).map { try model.text(of: [$0]) }
        var rows: [(certainty: Double, token: Int32, cells: [Cell])] = []
        try each(Array(0..<Int32(vocabulary)), prompts) { token, next in
            try file?.append(Array(next.logits))
            let top = next.top(settings.matrixTop)
            var cells: [Cell] = [.number(Double(token)), .text(texts[Int(token)]), .number(next.entropy)]
            for other in top {
                cells += [
                    .number(Double(other)), .text(texts[other]), .number(next.logit(other)),
                    .number(next.probability(other)),
                ]
            }
            rows.append((top.first.map(next.probability) ?? 0, token, cells))
        }
        try file?.finish()
        let columns =
            ["token", "text", "entropy"]
            + (1...max(1, min(settings.matrixTop, vocabulary))).flatMap {
                ["next_\($0)", "next_text_\($0)", "logit_\($0)", "probability_\($0)"]
            }
        let certain = rows.sorted { ($1.certainty, $0.token) < ($0.certainty, $1.token) }.prefix(settings.rows)
        try emit("deterministic", .table(columns: columns, rows: certain.map(\.cells)))
        try emit("matrix", .table(columns: columns, rows: rows.map(\.cells)))
    }

    // MARK: - A corpus

    private func tellCorpus(_ path: String, _ prompts: Prompts) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PluginError(.notFound, "corpus: \(path) cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw PluginError(.invalidArgument, "corpus: \(path) is not UTF-8")
        }
        var corpus = Corpus()
        for line in text.split(whereSeparator: \.isNewline) {
            try model.checkCancellation()
            corpus.add(try model.encode(" \(line)", parseSpecial: false))
        }
        guard corpus.bigrams > 0 else {
            throw PluginError(.invalidArgument, "corpus: \(path) has no line of two tokens")
        }
        let frequency = corpus.counts.mapValues { $0.values.reduce(0, +) }
        let shared = frequency.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(settings.corpusRows)
            .map(\.key).filter { (0..<Int32(vocabulary)).contains($0) }
        var agreements: [Corpus.Agreement] = []
        try each(shared, prompts) { token, next in
            if let agreement = corpus.agreement(token, next) { agreements.append(agreement) }
        }
        try emit(
            "corpus",
            .table(
                columns: ["token", "text", "occurrences", "spearman", "kl_nats"],
                rows: try agreements.map { agreement in
                    [
                        .number(Double(agreement.token)), .text(try model.text(of: [agreement.token])),
                        .number(Double(agreement.occurrences)), .number(agreement.spearman),
                        .number(agreement.divergence),
                    ]
                }))
        try emit("agreement", .text(Self.summary(agreements, bigrams: corpus.bigrams)))
    }

    static func summary(_ agreements: [Corpus.Agreement], bigrams: Int) -> String {
        let weight = agreements.reduce(0.0) { $0 + Double($1.occurrences) }
        let divergence = agreements.reduce(0.0) { $0 + Double($1.occurrences) * $1.divergence } / max(weight, 1)
        let ranked = agreements.map(\.spearman).filter { !$0.isNaN }.sorted()
        let middle = ranked.isEmpty ? "none has a rank correlation" : "median Spearman \(median(ranked))"
        return
            "\(bigrams) bigrams; \(agreements.count) first tokens are compared, \(ranked.count) of them by rank (three "
            + "followers or more, not all equally frequent): \(middle). KL(corpus ‖ model), weighted by occurrence: "
            + "\(divergence) nats; what few occurrences cannot show makes it larger."
    }

    private static func median(_ sorted: [Double]) -> Double {
        (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
