import Daemon
import Files
import Foundation
import TestSupport
import Testing

@Suite("The socket's folder") struct RuntimeFolderTests {
    let place: SocketPlace
    init() throws { place = try SocketPlace() }

    private func refusal() -> FileError? {
        #expect(throws: FileError.self) { try RuntimeFolder.prepare(for: place.socket) }
    }

    @Test("a folder that is not there is made for the user alone")
    func new() throws {
        try RuntimeFolder.prepare(for: place.socket)
        #expect(mode(place.socket.folder) == 0o700)
        try RuntimeFolder.prepare(for: place.socket)
    }

    @Test("a folder that others may read is accepted as it is")
    func readable() throws {
        try place.makeFolder(mode: 0o755)
        try RuntimeFolder.prepare(for: place.socket)
        #expect(mode(place.socket.folder) == 0o755)
    }

    @Test("a folder that others may write to is refused with its mode", arguments: [0o770, 0o777, 0o1777] as [mode_t])
    func writable(bits: mode_t) throws {
        try place.makeFolder(mode: bits)
        let error = refusal()
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.contains("mode \(String(bits, radix: 8))") == true)
        #expect(mode(place.socket.folder) == bits)
    }

    @Test("a folder of someone else is refused with the user", .enabled(if: geteuid() == 0, "only root can give away"))
    func foreign() throws {
        try place.makeFolder()
        #expect(chown(place.socket.folder, 12345, 12345) == 0)
        let error = refusal()
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.contains("belongs to the user 12345, expected 0") == true)
    }

    @Test("the folder of another user is told apart from one's own")
    func otherUser() throws {
        try place.makeFolder()
        let error = #expect(throws: FileError.self) {
            try RuntimeFolder.prepare(for: place.socket, user: geteuid() + 1)
        }
        #expect(error?.code == .permissionDenied)
    }

    @Test("a symbolic link is refused, wherever it leads", arguments: ["own", "absent"])
    func link(target: String) throws {
        try DataFolder.create(place.folder("own"))
        #expect(symlink(place.folder(target), place.socket.folder) == 0)
        let error = refusal()
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.contains("symbolic link") == true)
        #expect(try place.folder.names() == ["d", "own"])
    }

    @Test("a file in its place is refused, and so is a folder in an absent one")
    func noFolder() throws {
        try place.folder.write([1], to: "d")
        #expect(refusal()?.code == .cannotCreate)
        let deep = try SocketPath(place.folder("absent/d/s.sock"), environment: [:])
        let error = #expect(throws: FileError.self) { try RuntimeFolder.prepare(for: deep) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.message.hasSuffix("No such file or directory") == true)
    }
}
