import Foundation
import TestSupport
import Testing

@testable import Atlas
@testable import AtlasPage

/// What an export of a feature holds of a recording of ten seconds, and of the data set's columns.
@Suite("What an export leaves out") struct PageExportSizeTests {
    let folder: TemporaryFolder
    let store: AtlasStore
    /// A third of it has more digits than anything that is kept needs.
    static let mean = 1.0 / 3

    /// Two features whose largest values lie at 2 s and at 8 s of the same recording.
    init() throws {
        folder = try TemporaryFolder()
        let writing = try AtlasStore(path: folder("a"), mode: .write)
        let description = AtlasScanDescription(
            model: "m", modelSHA256: "", dimensions: [:], dataSet: "/d", recordings: 1, plugin: "features",
            version: "1", arguments: [:], seed: 0)
        let writer = try AtlasWriter(writing, description) { _, _ in
            AtlasRecordingPlace(path: "/ten.wav", start: nil, end: nil)
        }
        func take(_ name: String, _ columns: String, _ rows: [[AtlasTable.Cell]]) throws {
            try writer.take(AtlasTable(name: name, columns: columns.components(separatedBy: " "), rows: rows))
        }
        let zero = AtlasTable.Cell.number(0), hook = AtlasTable.Cell.text("encoder.blocks.0")
        try take("recordings", "recording name seconds", [[zero, .text("ten"), .number(10)]])
        try take("features", "hook feature maximum", [0, 1].map { [hook, .number($0), .number(1)] })
        try take(
            "examples", "hook feature side rank recording frame seconds value",
            [(0.0, 2.0), (1.0, 8.0)].map { feature, seconds in
                [
                    hook, .number(feature), .text("+"), .number(1), zero, .number(seconds * 50), .number(seconds),
                    .number(1),
                ]
            })
        let sexes = ["f", "m"].map { ("sex", $0) }, names = (0..<41).map { ("id", "\($0)") }
        try take(
            "columns", "hook feature column value frames mean",
            (sexes + names).map { [hook, zero, .text($0.0), .text($0.1), .number(9), .number(Self.mean)] })
        try writer.finish()
        store = try AtlasStore(path: folder("a"), mode: .read)
    }

    @Test("A recording lies there once, however many of its parts are played")
    func sounds() async throws {
        let summary = try await PageExport(store: store, makeSound: { _ in [0] }).write(to: folder("site"))
        #expect(summary.features == 2 && summary.sounds == 1)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder("site/sound"))
        #expect(files == ["1-0-10000.js"])
        let card = PageCard(try store.card(hook: "encoder.blocks.0", number: 1))
        #expect(card.examples.first?.excerpt?.name == "1-6500-9500")
    }

    @Test("A column that has a value for each recording is no part of an export, and a number has four digits")
    func columns() throws {
        let feature = try store.card(hook: "encoder.blocks.0", number: 0)
        #expect(PageCard(feature).columns.count == 43)
        let short = PageCard(feature, columnValues: 40)
        #expect(short.columns.map(\.value) == ["f", "m"])
        #expect(short.columns.allSatisfy { $0.mean == 0.3333 })
    }
}
