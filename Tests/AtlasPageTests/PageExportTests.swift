import Files
import Foundation
import TestSupport
import Testing

@testable import Atlas
@testable import AtlasPage

@Suite struct PageExportTests {
    let folder: TemporaryFolder
    let atlas: SyntheticAtlas

    init() throws {
        folder = try TemporaryFolder()
        atlas = try SyntheticAtlas(in: folder.path)
    }

    private func export(_ choice: PageExport.Choice = .init(), to name: String = "site") async throws
        -> PageExport.Summary
    {
        let store = try AtlasStore(path: atlas.path, mode: .read)
        return try await PageExport(store: store, makeSound: ServedPage.sound).write(to: folder(name), choice)
    }

    /// What a file of the export hands to the page.
    private func value(_ name: String) throws -> Any {
        let text = try String(contentsOfFile: folder("site/\(name).js"), encoding: .utf8)
        let head = "auscultAtlas(\"\(name)\", "
        try #require(text.hasPrefix(head) && text.hasSuffix(");\n"))
        let json = Data(text.dropFirst(head.count).dropLast(3).utf8)
        return try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
    }

    @Test("Everything that the page can ask for is there, each recording's sound once")
    func whole() async throws {
        let summary = try await export()
        #expect(summary.features == 44 && summary.recordings == 12 && summary.sounds == 12)
        #expect(summary.silent.isEmpty)
        let index = try #require(try value("data/features") as? [String: Any])
        let rows = try #require(index["rows"] as? [[Any]])
        #expect(rows.count == 44)
        for row in rows {
            let feature = try #require((row.first as? [Any])?.first as? Int)
            let card = try #require(try value("data/feature-\(feature)") as? [String: Any])
            for example in try #require(card["examples"] as? [[String: Any]]) {
                let recording = try #require(example["recording"] as? Int)
                #expect(FileManager.default.fileExists(atPath: folder("site/data/recording-\(recording).js")))
                let name = try #require((example["excerpt"] as? [String: Any])?["name"] as? String)
                #expect(FileManager.default.fileExists(atPath: folder("site/sound/\(name).js")))
            }
        }
        let sound = try #require(try value("sound/1-0-2000") as? String)
        #expect(Data(base64Encoded: sound)?.count == 64044)
        let page = try String(contentsOfFile: folder("site/index.html"), encoding: .utf8)
        #expect(page.contains("data-atlas=\"files\"") && page.contains("src=\"page.js\"") && !page.contains("module"))
        let bytes = try FileManager.default.subpathsOfDirectory(atPath: folder("site")).map { name in
            let attributes = try FileManager.default.attributesOfItem(atPath: folder("site/\(name)"))
            return attributes[.type] as? FileAttributeType == .typeRegular ? attributes[.size] as? Int ?? 0 : 0
        }.reduce(0, +)
        #expect(summary.bytes == bytes)
    }

    @Test("Two scans of the same files have each sound once, and both play it")
    func twoScans() async throws {
        let folder = folder
        try atlas.write(try AtlasStore(path: atlas.path, mode: .write), model: "another") {
            folder("recording-\($0).wav")
        }
        let summary = try await export()
        #expect(summary.features == 88 && summary.recordings == 24 && summary.sounds == 12)
        let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder("site/sound")))
        #expect(files.count == 12)
        for recording in 1...24 {
            let detail = try #require(try value("data/recording-\(recording)") as? [String: Any])
            let name = try #require((detail["excerpt"] as? [String: Any])?["name"] as? String)
            #expect(files.contains("\(name).js"))
        }
        let index = try #require(try value("data/features") as? [String: Any])
        for row in try #require(index["rows"] as? [[Any]]) {
            let feature = try #require((row.first as? [Any])?.first as? Int)
            let card = try #require(try value("data/feature-\(feature)") as? [String: Any])
            for example in try #require(card["examples"] as? [[String: Any]]) {
                let name = try #require((example["excerpt"] as? [String: Any])?["name"] as? String)
                #expect(files.contains("\(name).js"))
            }
        }
    }

    @Test("Nothing tells where recordings lie on this machine")
    func places() async throws {
        _ = try await export()
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder("site")) where name.hasSuffix(".js") {
            let text = try String(contentsOfFile: folder("site/\(name)"), encoding: .utf8)
            #expect(!text.contains(folder.path), "\(name)")
        }
    }

    @Test("A choice of features and examples is kept to, links between them too")
    func choice() async throws {
        var choice = PageExport.Choice()
        choice.hook = SyntheticAtlas.hook
        choice.features = 3
        choice.sort = .number
        choice.examples = 2
        choice.binExamples = 1
        choice.sounds = false
        let summary = try await export(choice)
        #expect(summary.features == 3 && summary.sounds == 0)
        let rows = try #require((try value("data/features") as? [String: Any])?["rows"] as? [[Any]])
        let ids = Set(rows.compactMap { ($0.first as? [Any])?.first as? Int })
        #expect(ids.count == 3)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder("site/data"))
        #expect(files.filter { $0.hasPrefix("feature-") }.count == 3)
        for id in ids {
            let card = try #require(try value("data/feature-\(id)") as? [String: Any])
            let examples = try #require(card["examples"] as? [[String: Any]])
            #expect(examples.filter { $0["side"] as? String == "+" }.count == 2)
            for bin in try #require(card["bins"] as? [[String: Any]]) {
                #expect((bin["examples"] as? [Any])?.count == 1)
            }
        }
        for name in files where name.hasPrefix("recording-") {
            let detail = try #require(try value("data/\(name.dropLast(3))") as? [String: Any])
            for feature in try #require(detail["features"] as? [[String: Any]]) {
                #expect(ids.contains(try #require(feature["featureId"] as? Int)))
            }
        }
    }

    @Test("A recording that is gone is told, and the others are there")
    func silent() async throws {
        try FileManager.default.removeItem(atPath: folder("recording-2.wav"))
        let summary = try await export()
        #expect(summary.sounds == 11 && summary.silent.count == 1)
        #expect(summary.silent.first?.contains("recording-2.wav") == true)
    }

    @Test("A folder in use is left alone, and a place that cannot be written is told")
    func refusals() async throws {
        try FileManager.default.createDirectory(atPath: folder("used"), withIntermediateDirectories: true)
        try folder.write([1], to: "used/file")
        await #expect(throws: FileError.self) { try await export(to: "used") }
        await #expect(throws: FileError.self) { try await export(to: "used/file") }
        await #expect(throws: FileError.self) { try await export(to: "used/file/below") }
    }
}
