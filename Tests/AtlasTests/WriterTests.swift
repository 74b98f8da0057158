import Atlas
import AtlasSupport
import Foundation
import TestSupport
import Testing

@Suite("Writing a scan") struct WriterTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// What an atlas says of everything, without ids and moments.
    private func contents(_ path: String) throws -> [String] { try AtlasContents(path).lines }

    @Test("the tables' order does not matter")
    func order() throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        try TestTables().write(AtlasStore(path: folder("b"), mode: .write), order: >)
        #expect(try contents(folder("a")) == contents(folder("b")))
        #expect(try contents(folder("a")).count > 60)
    }

    @Test("readers see a scan when it is complete, all at once, and until then what it will replace")
    func replacing() throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        try TestTables().write(store)
        let reader = try AtlasStore(path: folder("a"), mode: .read)
        let before = try contents(folder("a"))
        let changed = TestTables(offset: 10)
        let writer = try AtlasWriter(store, TestTables.description())
        for table in changed.tables {
            try writer.take(table)
            #expect(try reader.features(AtlasQuery()).total == 4)
            #expect(try reader.card(hook: QueryTests.hook, number: 0).feature.maximum == 1)
        }
        try writer.finish()
        #expect(try reader.card(hook: QueryTests.hook, number: 0).feature.maximum == 11)
        #expect(try reader.scans().count == 1)
        #expect(try contents(folder("a")) != before)
        try changed.write(AtlasStore(path: folder("b"), mode: .write), TestTables.description())
        #expect(try AtlasContents(folder("a"), places: false).lines == AtlasContents(folder("b"), places: false).lines)
    }

    @Test("another data set, another plugin and other hook points stay; of an older scan only the same hook points go")
    func keeping() throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        try TestTables(hooks: ["encoder.conv1", "encoder.conv2"]).write(store)
        try TestTables(hooks: ["encoder.conv2"], offset: 1).write(store)
        try TestTables(hooks: ["encoder.conv2"]).write(store, TestTables.description(dataSet: "/other"))
        try TestTables(hooks: ["encoder.conv2"]).write(store, TestTables.description(plugin: "sae"))
        let scans = try store.scans().map { $0.hooks.map(\.hook) }
        #expect(scans == [["encoder.conv2"], ["encoder.conv2"], ["encoder.conv2"], ["encoder.conv1"]])
        try TestTables(hooks: ["encoder.conv1"], offset: 2).write(store)
        #expect(try store.scans().count == 4)
        #expect(try store.features(AtlasQuery()).total == 16)
    }

    @Test(
        "features made of something else at the same hook point stay: neurons, latents and directions are three scans")
    func makers() throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        func description(_ arguments: [String: String]) -> AtlasScanDescription {
            var description = TestTables.description()
            description.arguments = arguments
            description.makers = ["dictionary", "directions"]
            return description
        }
        let all = [["k": "2"], ["dictionary": "/a"], ["dictionary": "/b"], ["directions": "/a"]]
        for (place, arguments) in all.enumerated() {
            try TestTables(offset: Double(place)).write(store, description(arguments))
        }
        #expect(try store.scans().map(\.scan.arguments) == all.reversed())
        // Made of the same, it is replaced, whatever else it was told.
        try TestTables(offset: 10).write(store, description(["dictionary": "/a", "k": "9"]))
        #expect(try store.scans().map(\.scan.arguments["k"]) == ["9", nil, nil, "2"])
        let scans = try store.scans().map(\.scan.id)
        // Without a scan, the newest has it.
        #expect(try store.card(hook: QueryTests.hook, number: 0).feature.maximum == 11)
        #expect(
            try scans.map { try store.card(hook: QueryTests.hook, number: 0, scan: $0).feature.maximum } == [
                11, 4, 3, 1,
            ])
        let named = try store.card(hook: QueryTests.hook, named: "100%_direction", scan: scans[3])
        #expect(named.feature.number == 1 && named.feature.scanId == scans[3])
        #expect { try store.card(hook: QueryTests.hook, named: "nobody", scan: scans[3]) } throws: {
            "\($0)".contains("scan \(scans[3]) of") && "\($0)".contains("none with the name 'nobody'")
        }
        #expect { try store.card(hook: QueryTests.hook, number: 0, scan: 99) } throws: {
            "\($0)".contains(
                "in a scan 99; its complete scans are \(scans.reversed().map(String.init).joined(separator: ", "))")
        }
    }

    @Test(
        "what a table has not room for is passed over, and what is wrong in one is said, and nothing of it is written")
    func badTables() throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        let writer = try AtlasWriter(store, TestTables.description())
        #expect(try !writer.take(AtlasTable(name: "unknown", columns: ["a"], rows: [[.number(1)]])))
        typealias Cells = [AtlasTable.Cell]
        let bad: [(String, [String], [Cells], String)] = [
            ("features", ["hook"], [], "no column feature; it has hook"),
            ("features", ["hook", "hook", "feature"], [], "'hook' twice"),
            ("features", ["hook", "feature"], [[.text("h")]], "2 columns, and 1 cells in row 1"),
            (
                "features", ["hook", "feature"], [[.text("h"), .number(0)], [.text("h"), .number(0)]],
                "row 2; expected each"
            ),
            (
                "features", ["hook", "feature"], [[.text("h"), .number(0.5)]],
                "0.5 for feature in row 1; expected a whole"
            ),
            ("features", ["hook", "feature"], [[.text("h"), .number(1e300)]], "expected a whole number"),
            ("features", ["hook", "feature"], [[.text("h"), .number(-1)]], "-1.0 for feature"),
            ("features", ["hook", "feature"], [[.missing, .number(1)]], "nothing for hook in row 1; expected text"),
            ("features", ["hook", "feature", "mean"], [[.text("h"), .number(1), .number(.infinity)]], "inf for mean"),
            ("features", ["hook", "feature", "mean"], [[.text("h"), .number(1), .text("x")]], "'x' for mean"),
            (
                "columns", ["hook", "feature", "column", "value", "frames"],
                [[.text("h"), .number(1), .text("c"), .text("v"), .number(1e18)]], "for frames in row 1"
            ),
            (
                "labels", ["hook", "feature", "side", "kind", "label"],
                [[.text("h"), .number(1), .text("~"), .text("word"), .text("a")]], "'~' for side"
            ),
            (
                "examples", ["hook", "feature", "rank", "recording", "frame", "value", "curve"],
                [[.text("h"), .number(1), .number(1), .number(1), .number(1), .number(1), .text("?")]], "'?' for curve"
            ),
            (
                "examples", ["hook", "feature", "rank", "recording", "frame", "value", "curve"],
                [[.text("h"), .number(1), .number(1), .number(1), .number(1), .number(1), .text("AHw=")]],
                "expected finite float16"
            ),
        ]
        for (name, columns, rows, expected) in bad {
            #expect { try writer.take(AtlasTable(name: name, columns: columns, rows: rows)) } throws: { error in
                guard let error = error as? AtlasError else { return false }
                #expect(error.code == .dataLoss && error.message.contains(expected), "\(error) (\(expected))")
                return true
            }
        }
        #expect(try store.scans().first?.hooks == [])
        // After all that the scan can still be written.
        for table in TestTables().tables { try writer.take(table) }
        #expect(try writer.finish().hooks.map(\.features) == [4])
    }

    @Test(
        "a scan whose tables name what none describes, or that has no features, does not become complete",
        arguments: ["features", "recordings", "bins"])
    func incomplete(without: String) throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        let writer = try AtlasWriter(store, TestTables.description())
        #expect { try writer.finish() } throws: { "\($0)".contains("no table 'features'") }
        for table in TestTables().tables where table.name != without { try writer.take(table) }
        #expect { try writer.finish() } throws: { "\($0)".contains("which the table '\(without)' does not have") }
        #expect(try store.features(AtlasQuery()).total == 0)
        #expect(try store.scans().map(\.scan.status) == [.running])
    }

    @Test("problems are kept with the scan, and a scan that was left goes when the next one begins")
    func leftScan() throws {
        let store = try AtlasStore(path: folder("a"), mode: .write)
        let left = try AtlasWriter(store, TestTables.description())
        try left.problem(recording: "a.wav", reason: "is empty")
        #expect(try store.scans().first?.problems.map(\.reason) == ["is empty"])
        try TestTables().write(store)
        #expect(try store.scans().map(\.scan.status) == [.complete])
        #expect(try store.scans().first?.problems == [])
    }
}
