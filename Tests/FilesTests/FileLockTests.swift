import Files
import Foundation
import TestSupport
import Testing

@Suite("Locks beside files") struct FileLockTests {
    @Test(
        "two names of a file, by symbolic links to it or to folders on the way, are one lock, whether it is there or not"
    )
    func links() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("d"), withIntermediateDirectories: true)
        #expect(symlink("d", folder("e")) == 0 && symlink("d/file", folder("link")) == 0)
        for isThere in [false, true] {
            if isThere { _ = try folder.write([1], to: "d/file") }
            let names = ["d/file", "e/file", "link"].map { folder($0) }
            for first in names {
                let lock = try FileLock(beside: first)
                #expect(lock != nil)
                for second in names { #expect(try FileLock(beside: second) == nil, "\(first), \(second)") }
                withExtendedLifetime(lock) {}
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder("d")) == (isThere ? ["file"] : []))
        }
    }

    @Test("a file whose name is not UTF-8 is locked like any other, and its lock goes")
    func otherBytes() throws {
        let folder = try TemporaryFolder()
        let name = folder(PathText.text(Array("s".utf8) + [0xFF] + Array(".state".utf8)))
        do {
            let lock = try FileLock(beside: name)
            #expect(try lock != nil && FileLock(beside: name) == nil)
        }
        #expect(try FileLock(beside: name) != nil)
        #expect(try FolderListing.files(below: folder.path).isEmpty)
    }
}
