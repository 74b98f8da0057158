import Files
import Foundation
import TestSupport
import Testing

@Suite("Folders and names") struct FolderAndNameTests {
    @Test("a folder is made with its parents, and one that is there will do")
    func create() throws {
        let folder = try TemporaryFolder()
        try DataFolder.create(folder("a/b//c"))
        try DataFolder.create(folder("a/b/c/"))
        try DataFolder.create("/")
        #expect(try folder.names() == ["a"])
        #expect(FileManager.default.fileExists(atPath: folder("a/b/c")))
    }

    @Test("a folder that cannot be made is refused with the reason", arguments: ["file", "file/a", "file/a/b"])
    func refused(name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        let error = #expect(throws: FileError.self) { try DataFolder.create(folder(name)) }
        #expect(error == FileError(.cannotCreate, "cannot make the folder \(folder(name)): File exists"))
    }

    @Test("nearest names come by edit distance, nearest first")
    func nearest() {
        #expect(nearestNames(to: "tny", in: ["tiny", "base", "tin", "large"]) == ["tiny", "tin"])
        #expect(nearestNames(to: "zzzzzzzz", in: ["tiny", "base"]).isEmpty)
        #expect(nearestNames(to: "zzzzzzzz", in: ["tiny", "base"], similarOnly: false) == ["base", "tiny"])
        #expect(nearestNames(to: "", in: []).isEmpty)
        #expect(nearestNames(to: "TINY", in: ["tiny"]) == ["tiny"])
    }
}
