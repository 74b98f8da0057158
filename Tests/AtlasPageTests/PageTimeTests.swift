import Foundation
import TestSupport
import Testing

@testable import Atlas
@testable import AtlasPage

@Suite("Times on the page") struct PageTimeTests {
    let folder: TemporaryFolder
    let store: AtlasStore

    /// A recording that is the part from 10 s to 12 s of a file, with a vowel from 10.5 s to 11 s and a feature of encoder
    /// frames and one of log-mel frames that are largest in it.
    init() throws {
        folder = try TemporaryFolder()
        let writing = try AtlasStore(path: folder("a"), mode: .write)
        let description = AtlasScanDescription(
            model: "m", modelSHA256: "", dimensions: [:], dataSet: "/d", recordings: 1, plugin: "features",
            version: "1",
            arguments: [:], seed: 0)
        let writer = try AtlasWriter(writing, description) { _, _ in
            AtlasRecordingPlace(path: "/long.wav", start: 10, end: 12)
        }
        func take(_ name: String, _ columns: String, _ rows: [[AtlasTable.Cell]]) throws {
            try writer.take(AtlasTable(name: name, columns: columns.components(separatedBy: " "), rows: rows))
        }
        let hooks: [(AtlasTable.Cell, AtlasTable.Cell, AtlasTable.Cell)] = [
            (.text("encoder.blocks.0"), .number(30), .number(10.61)),
            (.text("encoder.conv1"), .number(60), .number(10.605)),
        ]
        let zero = AtlasTable.Cell.number(0)
        try take("recordings", "recording name seconds", [[zero, .text("part"), .number(2)]])
        try take(
            "sounds", "recording kind start end label",
            [
                [zero, .text("phoneme"), .number(10.5), .number(11), .text("aa")],
                [zero, .text("token"), zero, .number(1), .text(" a")],
            ])
        try take("features", "hook feature maximum", hooks.map { [$0.0, zero, .number(1)] })
        try take(
            "examples", "hook feature side rank recording frame seconds value",
            hooks.map { [$0.0, zero, .text("+"), .number(1), zero, $0.1, $0.2, .number(1)] })
        try take(
            "bins", "hook feature kind bin low high count",
            hooks.map { [$0.0, zero, .text("width"), zero, zero, .number(1), .number(1)] })
        try take(
            "bin_examples", "hook feature kind bin recording frame seconds value",
            hooks.map { [$0.0, zero, .text("width"), zero, zero, $0.1, $0.2, .number(1)] })
        try writer.finish()
        store = try AtlasStore(path: folder("a"), mode: .read)
    }

    @Test(
        "of a part of a file times are from the part's beginning, where its sound begins",
        arguments: [("encoder.blocks.0", 0.61, 50.0), ("encoder.conv1", 0.605, 100)])
    func part(hook: String, seconds: Double, rate: Double) throws {
        let card = PageCard(try store.card(hook: hook, number: 0))
        let example = try #require(card.examples.first), bin = try #require(card.bins.first?.examples.first)
        for (found, place, excerpt) in [
            (example.seconds, example.rate, example.excerpt), (bin.seconds, bin.rate, bin.excerpt),
        ] {
            #expect(abs((found ?? .nan) - seconds) < 1e-9 && place == rate)
            #expect(excerpt?.start == 0 && excerpt?.end == 2)
        }
        #expect(bin.heard == ["aa"])
    }

    @Test("so are those of what is heard, and of the features that a recording excites; tokens keep their positions")
    func recording() throws {
        let id = try #require(try store.card(hook: "encoder.conv1", number: 0).examples.first?.recording.id)
        let detail = PageRecordingDetail(try store.recording(id))
        let sounds = Dictionary(uniqueKeysWithValues: detail.sounds.map { ($0.kind, [$0.start, $0.end]) })
        #expect(sounds == ["phoneme": [0.5, 1], "token": [0, 1]])
        #expect(detail.features.compactMap(\.seconds).map { ($0 * 1000).rounded() } == [610, 605])
    }
}
