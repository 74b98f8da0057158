import Foundation
import PluginKit
import PluginVocabulary
import TestHost
import TestSupport
import Testing

@testable import Neighbours

@Suite("Neighbours")
struct NeighboursTests {
    private static let words = [
        " rug", " mug", " carpet", "Rug", " bug", " floor", " sky", "ug", "<|endoftext|>", "<|startoftranscript|>",
    ]
    private static let dictionary = """
        ;;; a comment
        RUG  R AH1 G
        MUG  M AH1 G
        BUG  B AH1 G   # an insect
        CARPET  K AA1 R P AH0 T
        CARPET(2)  K AA1 R P IH0 T
        floor\tf l ˈɔː
        SKY  S K AY1

        """

    /// Rows of angles to the first: mug, then carpet, then "Rug", then bug, floor, "ug", sky; of several lengths.
    private static let angles: [Double] = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.5, 0.6, 0.05, 3]
    private static var rows: [Float] {
        angles.enumerated().flatMap { place, angle in
            [Float(cos(angle)), Float(sin(angle))].map { $0 * Float(place + 1) }
        }
    }

    private func services() -> TestServices {
        var services = TestServices()
        services.encode = { text, special in
            if special { return Self.words.firstIndex(of: text).map { [Int32($0)] } ?? [] }
            return Self.words.firstIndex(of: text).map { [Int32($0)] } ?? [7, 4]
        }
        services.decode = { ids in ids.map { Self.words[Int($0)] }.joined() }
        services.weights = { _ in
            TestTensor("", axes: ["vocab", "state"], shape: [Self.words.count, 2], values: Self.rows)
        }
        return services
    }

    private func run() -> TestRun {
        var run = TestRun()
        (run.nVocab, run.nTextState) = (Self.words.count, 2)
        return run
    }

    private func table(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw PluginError(.failed, "no table") }
        return rows.map { Dictionary(zip(columns, $0)) { first, _ in first } }
    }

    private func number(_ cell: Cell?) -> Double { if case .number(let number) = cell { number } else { .nan } }

    @Test("planted neighbours come by their cosines, special tokens left out, each told by its sound")
    func planted() throws {
        let folder = try TemporaryFolder(), path = folder("words.dict")
        try Self.dictionary.write(toFile: path, atomically: true, encoding: .utf8)
        let plugin = try TestPlugin.built("neighbours", in: folder.path)
        let instance = try plugin.instance(
            ["words": "rug", "count": "6", "pronunciations": path], services: services())
        #expect(instance.needs.flags == 1 << 5)
        try instance.run([], run())
        let rows = try table(instance.result("neighbours"))
        #expect(rows.map { $0["text"] } == [" mug", " carpet", "Rug", " bug", " floor", "ug"])
        #expect(rows.map { $0["kind"] } == ["acoustic", "semantic", "form", "acoustic", "semantic", "unknown"])
        for (row, angle) in zip(rows, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) {
            #expect(abs(number(row["cosine"]) - cos(angle)) < 1e-6)
        }
        #expect(abs(number(rows[0]["distance"]) - 1.0 / 3) < 1e-12)
        // R AH G and K AA R P AH T: two letters stay in their order.
        #expect(abs(number(rows[1]["distance"]) - 4.0 / 6) < 1e-12)
        let summary = try #require(table(instance.result("words")).first)
        // Of mug, carpet, bug, floor and sky, two sound alike; among the neighbours two of four.
        #expect(abs(number(summary["by chance"]) - 0.4) < 1e-12 && number(summary["share acoustic"]) == 0.5)
        // P(X ≥ 2) of four with 0.4 each.
        let two: Double = 6 * 0.16 * 0.36, three: Double = 4 * 0.064 * 0.6, four: Double = 0.0256
        #expect(abs(number(summary["p"]) - (two + three + four)) < 1e-9)
    }

    @Test(
        "without a dictionary nothing is told by its sound, and that is said; words of several tokens are left out in words"
    )
    func withoutDictionary() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("neighbours", in: folder.path)
        let instance = try plugin.instance(["words": "mug, carpets,#2", "count": "2"], services: services())
        try instance.run([], run())
        let rows = try table(instance.result("neighbours"))
        #expect(rows.count == 4 && rows.allSatisfy { $0["kind"] == "unknown" })
        #expect(instance.log.contains { $0.contains("pronunciations=") })
        #expect(instance.log.contains { $0.contains("'carpets'") && $0.contains("#7 'ug'") })
        let none = try plugin.instance(["words": "carpets"], services: services())
        #expect { try none.run([], run()) } throws: { "\($0)".contains("one token") }
        for words in [" , ", "#8", "#x"] {
            #expect(throws: (any Error).self) {
                let instance = try plugin.instance(["words": words], services: services())
                try instance.run([], run())
            }
        }
    }

    @Test("centring takes the mean of the text's tokens away first")
    func centre() throws {
        var embedding = TokenEmbedding([1, 0, 3, 0, 2, 6], width: 2)
        let mean = embedding.mean(of: 0..<3)
        #expect(mean == [2, 2])
        embedding.subtract(mean)
        let cosines = embedding.cosines(with: embedding.row(0), norms: embedding.norms)
        // (−1, −2), (1, −2), (0, 4).
        #expect(abs(cosines[0] - 1) < 1e-12 && abs(cosines[1] - 0.6) < 1e-12)
        #expect(abs(cosines[2] + 2 / 5.0.squareRoot()) < 1e-12)
        #expect(TokenEmbedding([0, 0, 1, 1], width: 2).cosines(with: [1, 0], norms: [0, 2.0.squareRoot()])[0] == 0)
    }

    @Test(
        "dictionaries: variants, stress and comments are read; a line without phonemes is named, and no words are refused"
    )
    func dictionaries() throws {
        let read = try Pronunciations(Self.dictionary, name: "x")
        #expect(read.ways(to: "rug") == [["R", "AH", "G"]] && read.ways(to: "bug") == [["B", "AH", "G"]])
        #expect(read.ways(to: "carpet").count == 2 && read.ways(to: "floor") == [["f", "l", "ɔː"]])
        #expect(read.ways(to: "absent").isEmpty)
        #expect(Pronunciations.distance(read.ways(to: "carpet"), [["K", "AA", "R", "P", "IH", "T"]]) == 0)
        #expect(Pronunciations.distance([], [["A"]]) == nil)
        #expect { try Pronunciations("rug R AH G\nmug\n", name: "x") } throws: { "\($0)".contains("line 2 of x") }
        #expect(throws: PluginError.self) { try Pronunciations(";;; nothing", name: "x") }
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("neighbours", in: folder.path)
        let lost = try plugin.instance(["pronunciations": folder("absent")], services: services())
        #expect { try lost.run([], run()) } throws: { "\($0)".contains("cannot be read") }
    }

    @Test("the tail of the binomial distribution, by hand and at its ends")
    func tail() {
        #expect(abs(NeighbourSearch.Answer.upperTail(1, of: 2, 0.5) - 0.75) < 1e-12)
        #expect(
            NeighbourSearch.Answer.upperTail(0, of: 9, 0.1) == 1 && NeighbourSearch.Answer.upperTail(3, of: 9, 0) == 0)
        #expect(NeighbourSearch.Answer.upperTail(3, of: 2, 0.5) == 0)
    }
}
