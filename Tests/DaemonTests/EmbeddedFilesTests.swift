import Daemon
import Foundation
import Testing

@Suite("Embedded files") struct EmbeddedFilesTests {
    /// The repository's models/ folder, found from this file.
    private var models: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("models")
    }

    @Test("the table in the binary equals the folders models/default and models/demo, byte for byte")
    func tableEqualsFolders() throws {
        var expected: [String] = []
        for folder in ["default", "demo"] {
            let root = models.appendingPathComponent(folder)
            guard let walk = FileManager.default.enumerator(atPath: root.path) else { continue }
            for case let path as String in walk {
                let parts = path.split(separator: "/")
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: root.path + "/" + path, isDirectory: &isFolder)
                if isFolder.boolValue || parts.contains(where: { $0.hasPrefix(".") || $0.hasPrefix("__") }) { continue }
                expected.append(folder + "/" + path)
            }
        }
        #expect(
            EmbeddedFile.all.map(\.path) == expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) },
            "run python3 models/embed.py")
        for file in EmbeddedFile.all {
            let onDisk = try Data(contentsOf: models.appendingPathComponent(file.path))
            #expect(onDisk.elementsEqual(file.bytes), "\(file.path) differs: build again")
        }
    }

    @Test("embedded bytes are aligned, so that weights can be read where they lie")
    func aligned() {
        #expect(EmbeddedFile.all.allSatisfy { UInt(bitPattern: $0.bytes.baseAddress) % 64 == 0 })
    }
}
