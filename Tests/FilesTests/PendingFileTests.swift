import Files
import Foundation
import TestSupport
import Testing

@Suite("Pending files") struct PendingFileTests {
    private func write(_ bytes: [UInt8], to pending: PendingFile) throws {
        try bytes.withUnsafeBytes { try pending.write($0) }
    }

    @Test("a pending file appears under its name only when it is complete", arguments: [false, true])
    func pending(durably: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "out")
        do {
            let pending = try PendingFile(folder("out"))
            try write([2, 3], to: pending)
        }
        #expect(try folder.names() == ["out"])
        #expect(FileManager.default.contents(atPath: folder("out")) == Data([1]))
        let pending = try PendingFile(folder("out"))
        try write([2], to: pending)
        try write([3], to: pending)
        #expect(FileManager.default.contents(atPath: folder("out")) == Data([1]))
        try pending.commit(durably: durably)
        #expect(try folder.names() == ["out"])
        #expect(FileManager.default.contents(atPath: folder("out")) == Data([2, 3]))
    }

    @Test("a pending file can be appended to another of the same name")
    func appending() throws {
        let folder = try TemporaryFolder()
        let spool = try PendingFile(folder("out"))
        try write([3, 4], to: spool)
        let file = try PendingFile(folder("out"))
        try write([1, 2], to: file)
        try file.append(contentsOf: spool)
        try file.commit()
        #expect(FileManager.default.contents(atPath: folder("out")) == Data([1, 2, 3, 4]))
        #expect(try folder.names() == ["out"])
    }

    @Test(
        "a place that cannot be written is refused before any work",
        arguments: ["absent/out", ".", "file/out", "new/", String(repeating: "x", count: 256)])
    func unwritable(name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        let error = #expect(throws: FileError.self) { try PendingFile(folder(name)) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.message.contains(folder(name)) == true)
        #expect(try folder.names() == ["file"])
    }

    @Test("a device is not replaced by a file")
    func device() {
        let error = #expect(throws: FileError.self) { try PendingFile.write(Data([1]), to: "/dev/null") }
        #expect(error?.message == "cannot write /dev/null: it exists and is not a regular file")
    }

    @Test("after a process has discarded its files none of them is completed")
    func discarded() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let pending = try PendingFile(folder("out"))
            PendingFile.discardAll()
            let error = #expect(throws: FileError.self) { try pending.commit() }
            let names = try folder.names()
            exit(error?.code == .unavailable && names.isEmpty ? 0 : 1)
        }
    }

    @Test("a full disk is told apart from a place that cannot be written")
    func fullDisk() throws {
        let full = try FileDescriptor("/dev/full", O_WRONLY)
        let error = #expect(throws: FileError.self) { try [UInt8](repeating: 0, count: 10).withUnsafeBytes(full.write) }
        #expect(error == FileError(.inputOutput, "cannot write /dev/full: No space left on device"))
    }

    @Test("a lock is held by one descriptor at a time")
    func lock() throws {
        let folder = try TemporaryFolder()
        let first = try FileDescriptor(folder("lock"), O_RDWR | O_CREAT)
        let second = try FileDescriptor(folder("lock"), O_RDWR)
        #expect(try first.lock(waiting: false))
        #expect(try !second.lock(waiting: false))
        first.unlock()
        #expect(try second.lock(waiting: false))
    }
}
