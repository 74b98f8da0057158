import Files
import Foundation
import TestSupport
import Testing

@Suite("Opening what others name") struct RegularFileTests {
    @Test("a regular file is opened, also by way of a link and of an open descriptor's name")
    func regular() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3], to: "file")
        #expect(symlink(path, folder("link")) == 0)
        let file = try FileDescriptor(reading: folder("link"))
        #expect(try file.size == 3)
        #expect(try FileDescriptor(reading: "/proc/self/fd/\(file.number)").size == 3)
    }

    @Test("a pipe, a folder, a device and a socket are refused by name, and nobody is waited for")
    func refused() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        #expect(symlink(folder("pipe"), folder("link")) == 0)
        let socket = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("/tmp/auscult-\(getpid())-\(UInt32.random(in: 0 ... .max))".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        let place = String(decoding: name, as: UTF8.self)
        defer { unlink(place) }
        let kinds = [
            (folder("pipe"), "pipe"), (folder("link"), "pipe"), (folder.path, "folder"), ("/dev/zero", "device"),
            (place, "socket"),
        ]
        for (path, kind) in kinds {
            let error = #expect(throws: FileError.self) { try FileDescriptor(reading: path, name: "it") }
            #expect(error == FileError(.invalidArgument, "it is a \(kind); expected a regular file"))
        }
    }

    @Test("what is not there is not found, also below a file")
    func absent() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        for path in [folder("nothing"), folder("file/below")] {
            let error = #expect(throws: FileError.self) { try FileDescriptor(reading: path) }
            #expect(error?.code == .notFound && error?.message.contains(path) == true)
        }
    }
}
