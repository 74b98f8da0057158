import PluginKit
import PluginVocabulary

/// The tokens nearest to words in the token embedding, each of them told by its sound: a word that sounds alike, or one that does not.
public struct NeighboursPlugin: AnalysisPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.neighbours", name: "Neighbours", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: "The tokens that lie nearest to words in the token embedding, and whether they sound alike.",
        needs: Needs(nothingToHear: true),
        parameters: [
            .text(
                "words", default: "the",
                """
                words between commas; a space is put before each, as before a word within a sentence. Also tokens by their \
                ids: "#1234"
                """),
            .integer("count", default: 20, in: 1...1000, "neighbours of each"),
            .path(
                "pronunciations",
                """
                a pronouncing dictionary: lines of a word and its phonemes, as the CMU dictionary and pocketsphinx's have \
                them. Without one, neighbours are not told apart
                """),
            .number(
                "acoustic", default: 0.4, in: 0...1,
                "the part of the longer word's phonemes up to which two words sound alike where they differ in it"),
            .boolean(
                "centre", default: false, "whether the mean of all tokens is taken from each before they are compared"),
        ],
        outputs: [
            .table("neighbours", title: "Nearest tokens", "By cosine, each with its kind and its distance in phonemes"),
            .table(
                "words", title: "How neighbours are like a word",
                "Beside the share of all words that sound as near: what neighbours by chance would have"),
            .vector("kinds", title: "Kinds of neighbours", unit: "neighbours", plot: .bar),
        ])

    private let words: [String]
    private let count: Int
    private let path: String?
    private let acoustic: Double
    private let centres: Bool
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        words = try arguments.list("words").filter { !$0.isEmpty }
        guard !words.isEmpty else {
            throw PluginError(.invalidArgument, "words is empty; expected words between commas, or tokens as \"#1234\"")
        }
        count = try arguments.integer("count")
        path = try arguments.path("pronunciations")
        acoustic = try arguments.number("acoustic")
        centres = try arguments.boolean("centre")
        self.host = host
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        let pronunciations = try path.map(Pronunciations.init(contentsOf:))
        if pronunciations == nil {
            host.log("without pronunciations= (a pronouncing dictionary) no neighbour is told by its sound", .warning)
        }
        let tokens = try TextTokens(host, vocabulary: run.nVocab)
        let asked = try words.compactMap { try token($0, tokens) }
        guard !asked.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "none of the words is one token (\(words.joined(separator: ", "))); the log says what they are made of")
        }
        var embedding = try TokenEmbedding(host, run)
        if centres { embedding.subtract(embedding.mean(of: 0..<min(tokens.count, embedding.count))) }
        let search = NeighbourSearch(embedding, tokens, pronunciations, acoustic: acoustic)
        let answers = try asked.enumerated().map { place, token in
            try host.checkCancellation()
            host.progress(Double(place + 1), of: Double(asked.count), unit: "words")
            return search.nearest(to: token, count: count)
        }
        try Self.tell(answers, search, results)
    }

    /// The token of a word; nil, and said in the log, where it is none.
    private func token(_ word: String, _ tokens: TextTokens) throws -> Int? {
        if word.hasPrefix("#"), word.count > 1 {
            guard let id = Int(word.dropFirst()), tokens.texts.indices.contains(id) else {
                throw PluginError(
                    .invalidArgument,
                    "words has \(word); expected a token from #0 to #\(tokens.count - 1), those of text")
            }
            return id
        }
        let ids = try host.encode(" \(word)")
        if ids.count == 1, let id = ids.first, tokens.texts.indices.contains(Int(id)) { return Int(id) }
        let parts = try ids.map { "#\($0) '\(try host.decode([$0]))'" }.joined(separator: ", ")
        host.log(
            "'\(word)' is left out: it is \(ids.count) tokens (\(parts)), and only a single one has neighbours",
            .warning)
        return nil
    }

    private static func tell(
        _ answers: [NeighbourSearch.Answer], _ search: NeighbourSearch, _ results: Results
    ) throws {
        let texts = search.tokens.texts
        try results.emit(
            "neighbours",
            .table(
                columns: ["word", "rank", "token", "text", "cosine", "kind", "distance", "phonemes"],
                rows: answers.flatMap { answer in
                    answer.neighbours.enumerated().map { place, neighbour in
                        [
                            .text(texts[answer.token]), .number(Double(place + 1)), .number(Double(neighbour.token)),
                            .text(texts[neighbour.token]), .number(neighbour.cosine), .text(neighbour.kind.rawValue),
                            .number(neighbour.distance ?? .nan),
                            .text(search.ways(to: neighbour.token).first?.joined(separator: " ") ?? ""),
                        ]
                    }
                }), mayBeNaN: true)
        try results.emit(
            "words",
            .table(
                columns: [
                    "word", "token", "phonemes", "acoustic", "semantic", "form", "unknown", "share acoustic",
                    "by chance", "p", "mean distance of all",
                ],
                rows: answers.map { answer in
                    [
                        .text(texts[answer.token]), .number(Double(answer.token)),
                        .text(search.ways(to: answer.token).first?.joined(separator: " ") ?? ""),
                    ]
                        + [NeighbourSearch.Kind.acoustic, .semantic, .form, .unknown].map {
                            .number(Double(answer.count($0)))
                        }
                        + [
                            .number(answer.share), .number(answer.chance), .number(answer.pValue),
                            .number(answer.meanDistance),
                        ]
                }), mayBeNaN: true)
        let kinds: [NeighbourSearch.Kind] = [.acoustic, .semantic, .form, .unknown]
        try results.emit(
            "kinds",
            .vector(
                kinds.map { kind in Double(answers.reduce(0) { $0 + $1.count(kind) }) },
                axis: Axis("kind", labels: kinds.map(\.rawValue))))
    }
}
