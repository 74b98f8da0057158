import Atlas
import Foundation
import TestSupport
import Testing

@Suite("Features of a decoder, in an atlas") struct TokenTests {
    let folder: TemporaryFolder
    let store: AtlasStore
    static let hook = "decoder.blocks.0.mlp.1"

    /// A recording of two windows of a model with 64 tokens: the decoder read four tokens in each. Feature n is largest at
    /// the n-th of `positions`.
    static let positions = [1, 66, 67]

    init() throws {
        folder = try TemporaryFolder()
        let writing = try AtlasStore(path: folder("a"), mode: .write)
        let writer = try AtlasWriter(writing, TestTables.description())
        func take(_ name: String, _ columns: String, _ rows: [[any CellValue]]) throws {
            try writer.take(
                AtlasTable(name: name, columns: columns.components(separatedBy: " "), rows: rows.map { $0.map(\.cell) })
            )
        }
        try take(
            "features", "hook feature maximum", [[Self.hook, 0, 2.0], [Self.hook, 1, 2.0], [Self.hook, 2, 2.0]])
        try take("recordings", "recording name text", [[0, "long.wav", "one two three four"]])
        let read =
            ["<|en|>", " one", " two", "!"].enumerated().map { ($0, $1) }
            + ["<|en|>", " three", " four", " <b>"].enumerated().map { (64 + $0, $1) }
        try take(
            "sounds", "recording kind start end label",
            read.map { position, label in [0, "token", Double(position), Double(position + 1), label] })
        try take(
            "examples", "hook feature side rank recording frame seconds value",
            Self.positions.enumerated().map { feature, position in
                [Self.hook, feature, "+", 1, 0, position, Double.nan, 2.0]
            })
        try take("bins", "hook feature kind bin low high count", [[Self.hook, 1, "width", 0, 0.0, 2.0, 1]])
        try take(
            "bin_examples", "hook feature kind bin recording frame seconds value",
            [[Self.hook, 1, "width", 0, 0, 65, Double.nan, 1.0]])
        try writer.finish()
        store = try AtlasStore(path: folder("a"), mode: .read)
    }

    @Test(
        "the token at the position is marked, in the window that it was read in, and not the one of that number in the list",
        arguments: zip(
            0..<3,
            [(" one", "<|en|> «one» two!"), (" four", "<|en|> three «four» <b>"), (" <b>", "<|en|> three four «<b>»")]))
    func marked(feature: Int, expected: (heard: String, text: String)) throws {
        let example = try #require(try store.card(hook: Self.hook, number: feature).examples.first)
        #expect(example.heard == expected.heard && example.markedText == expected.text)
    }

    @Test("examples of ranges say which token was read")
    func bins() throws {
        let bin = try #require(try store.card(hook: Self.hook, number: 1).bins.first)
        #expect(bin.examples.map(\.heard) == [[" three"]])
    }
}
