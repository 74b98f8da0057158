import Atlas
import AtlasSupport
import Files
import Foundation
import TestSupport
import Testing

@Suite("An atlas that several use") struct SharingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("a second writer is told so; when the first has gone there is nothing in its way, and no lock left")
    func secondWriter() throws {
        var first: AtlasStore? = try AtlasStore(path: folder("a"), mode: .write)
        #expect { try AtlasStore(path: folder("a"), mode: .write) } throws: { error in
            (error as? AtlasError)?.code == .unavailable
                && "\(error)".contains("another process, writes to \(folder("a"))")
        }
        try TestTables().write(#require(first))
        #expect(try AtlasStore(path: folder("a"), mode: .read).features(AtlasQuery()).total == 4)
        first = nil
        #expect(try folder.names() == ["a"])
        _ = try AtlasStore(path: folder("a"), mode: .write)
    }

    @Test("what was opened for reading writes nothing")
    func readOnly() throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        let store = try AtlasStore(path: folder("a"), mode: .read)
        #expect { try AtlasWriter(store, TestTables.description()) } throws: {
            ($0 as? AtlasError)?.code == .invalidArgument
        }
    }

    @Test("many readers at once see whole scans while they are replaced, and nothing else")
    func readersBesideWriter() async throws {
        let path = folder("a")
        let store = try AtlasStore(path: path, mode: .write)
        try TestTables(features: 30).write(store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let reader = try AtlasStore(path: path, mode: .read)
                    for _ in 0..<60 {
                        let page = try reader.features(AtlasQuery())
                        // All of one scan: each maximum has the scan's own offset.
                        let offsets = Set(
                            page.rows.compactMap { row in
                                row.feature.number == 3
                                    ? nil : (row.feature.maximum ?? -1) - Double(row.feature.number + 1)
                            })
                        #expect(page.total == 30 && offsets.count == 1)
                    }
                }
            }
            group.addTask {
                for round in 1...8 { try TestTables(features: 30, offset: Double(round)).write(store) }
            }
            try await group.waitForAll()
        }
        #expect(try store.card(hook: QueryTests.hook, number: 0).feature.maximum == 9)
    }

    @Test(
        "a writer by another name of the same file is told so, before the file is there and after",
        arguments: [false, true])
    func links(isThere: Bool) throws {
        if isThere { try TestTables().write(AtlasStore(path: folder("a"), mode: .write)) }
        try FileManager.default.createDirectory(atPath: folder("d"), withIntermediateDirectories: true)
        #expect(symlink("a", folder("link")) == 0 && symlink("../link", folder("d/link")) == 0)
        #expect(symlink(folder.path, folder("d/here")) == 0)
        do {
            let first = try AtlasStore(path: folder("d/link"), mode: .write)
            for name in ["a", "link", "d/link", "d/here/a"] {
                let error = #expect(throws: AtlasError.self) { try AtlasStore(path: folder(name), mode: .write) }
                #expect(error?.code == .unavailable, "\(name): \(String(describing: error))")
            }
            withExtendedLifetime(first) {}
        }
        _ = try AtlasStore(path: folder("a"), mode: .write)
    }

    @Test("a file with two names is not written to: its log would lie beside one of them")
    func hardLink() throws {
        try TestTables().write(AtlasStore(path: folder("a"), mode: .write))
        #expect(link(folder("a"), folder("b")) == 0)
        for name in ["a", "b"] {
            let error = #expect(throws: AtlasError.self) { try AtlasStore(path: folder(name), mode: .write) }
            #expect(error?.code == .cannotCreate && error?.message.contains("2 names") == true)
        }
        #expect(try AtlasStore(path: folder("a"), mode: .read).scans().count == 1)
    }

    @Test("a name that is not UTF-8 is refused, and nothing is made")
    func otherBytes() throws {
        let name = folder(PathText.text([0x61, 0xFF]))
        for mode in [AtlasStore.Mode.write, .read] {
            let error = #expect(throws: AtlasError.self) { try AtlasStore(path: name, mode: mode) }
            #expect(error?.code == .invalidArgument && error?.message.contains("a\\xFF") == true)
        }
        #expect(try folder.names().isEmpty)
    }

    @Test("what is made and holds no scan can be discarded, and what has one stays")
    func discard() throws {
        do { #expect(try AtlasStore(path: folder("a"), mode: .write).discardIfEmpty()) }
        #expect(try folder.names().isEmpty)
        do {
            let store = try AtlasStore(path: folder("a"), mode: .write)
            try TestTables().write(store)
            #expect(try !store.discardIfEmpty())
        }
        do { #expect(try !AtlasStore(path: folder("a"), mode: .write).discardIfEmpty()) }
        #expect(try AtlasStore(path: folder("a"), mode: .read).scans().count == 1)
    }

    @Test("when the disk is full it is said, the scans that were there stay, and with room again the atlas goes on")
    func fullDisk() throws {
        let path = folder("a")
        try TestTables().write(AtlasStore(path: path, mode: .write))
        let before = try AtlasContents(path).lines
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        do {
            let store = try AtlasStore(path: path, mode: .write)
            try store.limit(bytes: size + (64 << 10))
            #expect { try TestTables(features: 3000, offset: 1).write(store) } throws: { error in
                (error as? AtlasError)?.code == .inputOutput && "\(error)".contains("the disk is full")
            }
        }
        #expect(try AtlasContents(path).lines == before)
        let store = try AtlasStore(path: path, mode: .write)
        try TestTables(offset: 1).write(store)
        #expect(try store.scans().count == 1)
        #expect(try store.card(hook: QueryTests.hook, number: 0).feature.maximum == 2)
    }
}
