import Files
import Atlas
import AtlasSupport
import Foundation
import GRDB
import TestSupport
import Testing

@Suite("An atlas's file") struct VersionTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func expect(
        _ code: ErrorCode, _ text: String, _ mode: AtlasStore.Mode = .read, _ path: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(sourceLocation: sourceLocation) {
            let store = try AtlasStore(path: path, mode: mode)
            _ = try store.scans()
            var query = AtlasQuery()
            query.pageSize = 10_000
            for row in try store.features(query).rows { _ = try store.card(feature: row.feature.id) }
        } throws: { error in
            guard let error = error as? AtlasError else { return false }
            #expect(
                error.code == code && error.message.contains(text) && error.message.contains(path), "\(error)",
                sourceLocation: sourceLocation)
            return true
        }
    }

    /// A database of an older version, as Tests/Fixtures/atlas/generate.py made it.
    private func old(_ version: Int) throws -> String {
        let name = "old-\(version)"
        let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/atlas/version\(version).sql")
        // The dump has its rows in the order of the tables' names.
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let database = try DatabaseQueue(path: folder(name), configuration: configuration)
        try database.writeWithoutTransaction { db in
            try db.execute(sql: String(contentsOf: fixture, encoding: .utf8))
        }
        try database.close()
        return folder(name)
    }

    @Test(
        "an atlas of any version is brought up to date, opened for reading or writing, and keeps its rows",
        arguments: 1...6, [AtlasStore.Mode.read, .write])
    func migration(version: Int, mode: AtlasStore.Mode) throws {
        let path = try old(version)
        let store = try AtlasStore(path: path, mode: mode)
        let scan = try #require(try store.scans().first)
        #expect(scan.model.name == "tiny" && scan.problems.map(\.reason) == ["is empty"])
        let provenance = scan.scan.provenance
        #expect(
            provenance?.padding == (version < 6 ? nil : "mel")
                && provenance?.arguments == (version < 6 ? nil : ["k": "5"]))
        #expect(scan.selective.map(\.share) == (version == 1 ? [] : [0.5]))
        let card = try store.card(hook: "encoder.conv1", number: 7)
        #expect(
            card.feature.maximum == 2.5 && card.histogram.map(\.count) == [9, 1] && card.labels.map(\.label) == ["s"])
        #expect(card.examples.map(\.activation) == [[0.5, 2.5]])
        // What was not known then is not made up.
        let label = try #require(card.labels.first)
        #expect(
            label.precision == 0.9 && label.namedPrecision == 0.95 && label.base == nil && label.lift == nil
                && label.ap == (version < 5 ? nil : 0.6))
        let now = try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(now == AtlasSchema.version)
    }

    @Test(
        "labels of an older atlas have no lift: sorted by it they come last, and none is above any",
        arguments: 1...6)
    func withoutLift(version: Int) throws {
        let store = try AtlasStore(path: try old(version), mode: .write)
        // A newer scan beside it, whose feature 3 has no label.
        try TestTables().write(store)
        var query = AtlasQuery()
        query.sort = .lift
        for isAscending in [false, true] {
            query.ascending = isAscending
            let rows = try store.features(query).rows
            #expect(rows.map(\.label?.lift).map { $0 == nil } == [false, false, false, true, true])
            #expect(rows.map(\.feature.hook).filter { $0 == "encoder.conv1" }.count == 1)
        }
        query.lift = 0
        #expect(try store.features(query).rows.map(\.feature.hook).allSatisfy { $0 != "encoder.conv1" })
        #expect(try store.features(query).total == 3)
    }

    @Test("the fixtures are what the migrations make", arguments: 1...6)
    func fixture(version: Int) throws {
        let made = try DatabaseQueue()
        try AtlasSchema.migrator.migrate(made, upTo: "\(version)")
        let schema = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY name"
        func statements(_ database: DatabaseQueue) throws -> [String] {
            try database.read { try String.fetchAll($0, sql: schema) }
                .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        }
        #expect(try statements(made) == statements(DatabaseQueue(path: old(version))))
    }

    @Test("an atlas of a newer version is refused, and named", arguments: [AtlasStore.Mode.read, .write])
    func newer(mode: AtlasStore.Mode) throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        let database = try DatabaseQueue(path: folder("a"))
        try database.write {
            try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99'); PRAGMA user_version = 99")
        }
        try database.close()
        expect(.unsupported, "version 99; this program knows \(AtlasSchema.version)", mode, folder("a"))
        #expect(try !folder.names().contains("a.lock"))
    }

    @Test("what is no atlas is refused, and left as it is", arguments: [AtlasStore.Mode.read, .write])
    func noAtlas(mode: AtlasStore.Mode) throws {
        try folder.write(Array(repeating: UInt8(ascii: "x"), count: 5000), to: "text")
        expect(.dataLoss, "expected an SQLite database", mode, folder("text"))
        #expect(try Data(contentsOf: URL(filePath: folder("text"))) == Data(repeating: UInt8(ascii: "x"), count: 5000))
        let other = try DatabaseQueue(path: folder("other"))
        try other.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        try other.close()
        let bytes = try Data(contentsOf: URL(filePath: folder("other")))
        expect(.dataLoss, "of something else", mode, folder("other"))
        #expect(try Data(contentsOf: URL(filePath: folder("other"))) == bytes)
        expect(.dataLoss, "expected a file", mode, folder.path)
    }

    @Test("nothing there, or an empty file, is no atlas to read")
    func nothing() throws {
        expect(.notFound, "there is no atlas", .read, folder("none"))
        try folder.write([], to: "empty")
        expect(.dataLoss, "it is empty", .read, folder("empty"))
        #expect(try folder.names() == ["empty"])
        #expect(throws: (any Error).self) { try AtlasStore(path: folder("no/such/a"), mode: .write) }
    }

    @Test("a damaged atlas is an error and never the end of the program, wherever the damage is")
    func damage() throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        let whole = try Data(contentsOf: URL(filePath: folder("a")))
        var random = SeededGenerator(seed: 5)
        var refused = 0
        for trial in 0..<60 {
            var bytes = whole
            switch trial % 3 {
            case 0: bytes = whole.prefix(Int.random(in: 1..<whole.count, using: &random))
            case 1:
                let start = Int.random(in: 100..<whole.count - 600, using: &random)
                for place in start..<start + 600 { bytes[place] = UInt8.random(in: 0...255, using: &random) }
            default:
                for _ in 0..<200 {
                    bytes[Int.random(in: 100..<whole.count, using: &random)] ^=
                        1 << Int.random(in: 0..<8, using: &random)
                }
            }
            let path = folder("damaged-\(trial)")
            try bytes.write(to: URL(filePath: path))
            do {
                _ = try AtlasContents(path)
            } catch let error as AtlasError {
                refused += 1
                #expect(error.message.contains(path) || error.message.contains("damaged"), "\(error)")
            }
        }
        // Damage to unused room, or to a number, is not seen.
        #expect(refused > 20)
    }

    @Test("a schema that only looks like an atlas's is an error, whatever its columns hold")
    func foreignSchema() throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        for (number, change) in [
            "DROP TABLE labels", "ALTER TABLE features DROP COLUMN mean", "UPDATE features SET histogram = 'x'",
            "UPDATE features SET histogram = '{\"+\": [[1, 2], \"a\"]}'", "UPDATE recordings SET labels = '[1]'",
            "UPDATE scans SET started = 'yesterday'", "UPDATE examples SET curve = x'007e'",
            "DROP TABLE features; CREATE TABLE features (id, scan_id, hook, number, name, frames, mean, variance, minimum,"
                + " maximum, density, histogram); INSERT INTO features (id, scan_id, hook) VALUES (1, 1, x'00')",
            "PRAGMA foreign_keys = OFF; DELETE FROM recordings", "PRAGMA foreign_keys = OFF; DELETE FROM models",
        ].enumerated() {
            let path = folder("\(number)")
            try FileManager.default.copyItem(atPath: folder("a"), toPath: path)
            let database = try DatabaseQueue(path: path)
            try database.writeWithoutTransaction { try $0.execute(sql: change) }
            try database.close()
            expect(.dataLoss, "/", .read, path)
        }
    }
}
