import Foundation
import PluginKit
import PluginStatistics
import TestSupport
import Testing

@testable import Bigrams

/// A decoder that expects what it was given: token + 1 after a token, with a logit of 5.
private struct PlantedModel: LanguageModel {
    static let words = [
        "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>", " traffic", " light", " a", " b",
    ]

    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
        if parseSpecial { return Self.words.firstIndex(of: text).map { [Int32($0)] } ?? [4, 5] }
        return text.split(separator: " ").compactMap { word in Self.words.firstIndex(of: " \(word)").map(Int32.init) }
    }

    func text(of tokens: [Int32]) throws -> String { tokens.map { Self.words[Int($0)] }.joined() }
    func checkCancellation() throws {}
    func report(_ done: Int, of total: Int) {}

    func logits(after sequences: [[Int32]]) throws -> [Float] {
        sequences.flatMap { sequence in
            let count = Self.words.count
            var row = (0..<count).map { -0.1 * Float($0) }
            row[(Int(sequence.last ?? 0) + 1) % count] = 5 + Float(sequence.count) / 100
            return row
        }
    }
}

@Suite("Bigrams")
struct BigramTests {
    private func run(_ settings: Settings) throws -> [String: ResultValue] {
        var results: [String: ResultValue] = [:]
        let study = BigramStudy(
            model: PlantedModel(), settings: settings, vocabulary: PlantedModel.words.count, context: 8,
            facts: ["model": "planted"]
        ) { results[$0] = $1 }
        try study.run()
        return results
    }

    private func table(_ value: ResultValue?) throws -> (columns: [String], rows: [[Cell]]) {
        guard case .table(let columns, let rows) = try #require(value) else { throw PluginError(.failed, "no table") }
        return (columns, rows)
    }

    @Test("the bigram that was planted comes first, with its logit and probability")
    func planted() throws {
        var settings = Settings()
        settings.prompts = ["traffic", " light"]
        settings.top = 3
        let rows = try table(run(settings)["next"]).rows
        #expect(rows.count == 6)
        #expect(rows[0][4] == .text(" light") && rows[3][4] == .text(" a"))
        let others = [0, 1, 2, 3, 4, 6, 7].reduce(0.0) { $0 + exp(Double(-0.1 * Float($1))) }
        let peak = Double(5 + Float(4) / 100)
        #expect(rows[0][5] == .number(peak))
        guard case .number(let probability) = rows[0][6] else { throw PluginError(.failed, "no number") }
        #expect(abs(probability - exp(peak) / (exp(peak) + others)) < 1e-12)
    }

    @Test("<|notimestamps|> stands behind <|transcribe|>, and a language that is no token is refused")
    func prefix() throws {
        #expect(try Prompts(language: "en", noTimestamps: true, PlantedModel()).prefix == [0, 1, 2, 3])
        #expect(try Prompts(language: "", noTimestamps: false, PlantedModel()).prefix == [0])
        #expect(throws: PluginError.self) { try Prompts(language: "xx", noTimestamps: false, PlantedModel()) }
    }

    @Test("a prompt of several tokens conditions on all of them; one that is too long, or unknown, is refused")
    func longPrompt() throws {
        var settings = Settings()
        settings.prompts = ["traffic light"]
        settings.top = 1
        #expect(try table(run(settings)["next"]).rows[0][1] == .text("4 5"))
        for prompt in ["a b a b a b", "unheard"] {
            settings.prompts = [prompt]
            #expect(throws: PluginError.self) { try run(settings) }
        }
    }

    @Test("the whole matrix: each token's next, the file's bytes, and any batch the same", arguments: [1, 3, 8])
    func matrix(batch: Int) throws {
        let folder = try TemporaryFolder()
        var settings = Settings()
        settings.matrix = true
        settings.batch = batch
        settings.rows = 2
        settings.out = folder("matrix.safetensors")
        let results = try run(settings)
        let rows = try table(results["matrix"]).rows
        #expect(rows.map { $0[3] } == (0..<8).map { Cell.number(Double(($0 + 1) % 8)) })
        let certain = try table(results["deterministic"]).rows
        #expect(certain.count == 2)
        // 7 → 0 takes the place of the largest of the other logits, 0: what is left is the least.
        #expect(certain[0][0] == .number(7))
        let data = try #require(FileManager.default.contents(atPath: settings.out ?? ""))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: [String: Any]])
        #expect(header["__metadata__"]?["prefix"] as? String == "[0,1,2]")
        #expect(header["logits"]?["shape"] as? [Int] == [8, 8])
        let numbers = data.dropFirst(8 + length)
        #expect(numbers.count == 8 * 8 * 4)
        let expected = try PlantedModel().logits(after: (0..<8).map { [0, 1, 2, $0] })
        #expect(Data(numbers) == expected.withUnsafeBytes { Data($0) })
        #expect(try folder.names() == ["matrix.safetensors"])
    }

    @Test("a corpus that says what the model says: a small divergence, and counts by hand")
    func corpus() throws {
        let folder = try TemporaryFolder()
        let path = folder("corpus.txt")
        try "traffic light a\ntraffic light\nb".write(toFile: path, atomically: true, encoding: .utf8)
        var settings = Settings()
        settings.corpus = path
        let results = try run(settings)
        let rows = try table(results["corpus"]).rows
        #expect(rows.map { $0[0] } == [.number(4), .number(5)])
        #expect(rows.map { $0[2] } == [.number(2), .number(1)])
        guard case .number(let divergence) = rows[0][4] else { throw PluginError(.failed, "no number") }
        let next = Distribution(try PlantedModel().logits(after: [[0, 1, 2, 4]])[...])
        #expect(abs(divergence + next.logProbability(5)) < 1e-12)
        settings.corpus = folder("absent.txt")
        #expect(throws: PluginError.self) { try run(settings) }
    }

    @Test("Spearman against values by hand, ties having their mean rank")
    func spearman() {
        #expect(Corpus.spearman([1, 2, 3], [10, 20, 30]) == 1)
        #expect(Corpus.spearman([1, 2, 3], [3, 2, 1]) == -1)
        #expect(Ranks.of([5, 1, 5, 2]) == [3.5, 1, 3.5, 2])
        #expect(abs(Corpus.spearman([1, 2, 3, 4], [1, 2, 2, 4]) - 0.9486832980505138) < 1e-12)
        #expect(Corpus.spearman([1, 1, 1], [1, 2, 3]).isNaN && Corpus.spearman([1, 2], [1, 2]).isNaN)
    }

    @Test("of equal logits the smaller id comes first; probabilities sum to 1; masked tokens have none")
    func distribution() {
        let next = Distribution([1, 3, 3, -.infinity, 2][...])
        #expect(next.top(3) == [1, 2, 4] && next.top(9).count == 5 && next.top(0).isEmpty)
        #expect(abs((0..<5).reduce(0.0) { $0 + next.probability($1) } - 1) < 1e-12)
        #expect(next.probability(3) == 0 && next.entropy.isFinite)
        let even = Distribution([Float](repeating: 2, count: 8)[...])
        #expect(abs(even.entropy - log(8.0)) < 1e-12)
    }
}
