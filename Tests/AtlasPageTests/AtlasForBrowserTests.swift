import Foundation
import Testing

@Suite struct AtlasForBrowserTests {
    private static let folder = ProcessInfo.processInfo.environment["ATLAS_FOLDER"]

    @Test(
        "the atlases for the browser are written where ATLAS_FOLDER says",
        .enabled(if: folder != nil, "ATLAS_FOLDER is not set; Tests/integration/atlas-page.sh sets it"))
    func write() throws {
        let folder = try #require(Self.folder)
        for (name, features) in [("few", 40), ("many", 10_000)] {
            let place = "\(folder)/\(name)"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let atlas = try SyntheticAtlas(in: place, features: features, detailed: name == "few" ? 10 : 3)
            #expect(FileManager.default.fileExists(atPath: atlas.path))
        }
    }
}
