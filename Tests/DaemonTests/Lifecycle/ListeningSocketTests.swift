import Daemon
import Files
import Foundation
import TestSupport
import Testing

@Suite("The listening socket") struct ListeningSocketTests {
    let place: SocketPlace
    init() throws { place = try SocketPlace() }

    private func refusal() -> FileError? {
        #expect(throws: FileError.self) { try ListeningSocket.bind(to: place.socket) }
    }

    @Test("the socket is for the user alone, non-blocking, closed on exec, and takes connections")
    func bound() throws {
        let listener = try ListeningSocket.bind(to: place.socket)
        defer { close(listener.descriptor) }
        #expect(mode(place.socket.path) == 0o600)
        #expect(mode(place.socket.folder) == 0o700)
        #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(listener.descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(try canConnect(place.socket))
        #expect(listener.path == place.socket.path)
        #expect(!listener.isActivated)
    }

    @Test("a shared socket lets others in, but not into its folder")
    func shared() throws {
        let listener = try ListeningSocket.bind(to: place.socket, isShared: true)
        defer { close(listener.descriptor) }
        #expect(mode(place.socket.path) == 0o666)
        #expect(mode(place.socket.folder) == 0o711)
    }

    @Test("a second daemon is refused with the number of the first, which goes on")
    func second() throws {
        let listener = try ListeningSocket.bind(to: place.socket)
        defer { close(listener.descriptor) }
        #expect(
            refusal() == FileError(.unavailable, "another auscultd (pid \(getpid())) serves \(place.socket.path)"))
        #expect(try canConnect(place.socket))
        withExtendedLifetime(listener) {}
    }

    @Test("the socket of a daemon that is gone is replaced")
    func stale() throws {
        do {
            let listener = try ListeningSocket.bind(to: place.socket)
            close(listener.descriptor)
        }
        #expect(mode(place.socket.path) != nil)
        #expect(try !canConnect(place.socket))
        let listener = try ListeningSocket.bind(to: place.socket)
        defer { close(listener.descriptor) }
        #expect(try canConnect(place.socket))
    }

    @Test("a socket on which another program listens is left to it")
    func foreignListener() throws {
        try place.makeFolder()
        let other = try boundSocket(place.socket, listening: true)
        let error = refusal()
        #expect(error == FileError(.unavailable, "another program listens on \(place.socket.path)"))
        #expect(try canConnect(place.socket))
        withExtendedLifetime(other) {}
    }

    @Test("what is no socket is refused and left as it is", arguments: ["file", "folder", "link"])
    func noSocket(kind: String) throws {
        try place.makeFolder()
        switch kind {
        case "file": try place.folder.write([1, 2], to: "d/s.sock")
        case "folder": try DataFolder.create(place.socket.path)
        default: #expect(symlink(place.folder("elsewhere"), place.socket.path) == 0)
        }
        let before = mode(place.socket.path)
        let error = refusal()
        #expect(error?.code == .cannotCreate)
        #expect(error?.message == "\(place.socket.path) is there and is not a socket; it was left as it is")
        #expect(mode(place.socket.path) == before)
        #expect(mode(place.folder("elsewhere")) == nil)
    }

    @Test("at the end the socket's file goes, but not one that another put in its place")
    func removal() throws {
        let listener = try ListeningSocket.bind(to: place.socket)
        defer { close(listener.descriptor) }
        listener.removeFile()
        #expect(mode(place.socket.path) == nil)
        let other = try boundSocket(place.socket, listening: true)
        listener.removeFile()
        #expect(mode(place.socket.path) != nil)
        withExtendedLifetime(other) {}
    }
}

@Suite("The lock of an instance") struct InstanceLockTests {
    let place: SocketPlace
    init() throws {
        place = try SocketPlace()
        try place.makeFolder()
    }

    private var path: String { InstanceLock.path(of: place.socket) }

    @Test("it lies beside the socket, for the user alone, and stays when it is released")
    func released() throws {
        do {
            let lock = try InstanceLock(of: place.socket)
            #expect(FileManager.default.contents(atPath: path) == Data("\(getpid())\n".utf8))
            #expect(throws: FileError.self) { try InstanceLock(of: place.socket) }
            withExtendedLifetime(lock) {}
        }
        #expect(mode(path) == 0o600)
        _ = try InstanceLock(of: place.socket)
    }

    @Test(
        "what stands in the file is not believed: without a lock it says nothing, and nonsense is not repeated",
        arguments: ["1\n", "", "not a number", "99999999999999999999"])
    func contents(text: String) throws {
        try place.folder.write(text.utf8, to: "d/s.sock.lock")
        let other = try FileDescriptor(path, O_RDWR)
        #expect(try other.lock(waiting: false))
        let error = #expect(throws: FileError.self) { try InstanceLock(of: place.socket) }
        let pid = text == "1\n" ? " (pid 1)" : ""
        #expect(error == FileError(.unavailable, "another auscultd\(pid) serves \(place.socket.path)"))
        other.unlock()
        _ = try InstanceLock(of: place.socket)
    }

    @Test("a link, a folder or a pipe is no lock", arguments: ["link", "folder", "pipe"])
    func noFile(kind: String) throws {
        switch kind {
        case "link": #expect(symlink(place.folder("target"), path) == 0)
        case "folder": try DataFolder.create(path)
        default: #expect(mkfifo(path, 0o600) == 0)
        }
        #expect(throws: FileError.self) { try InstanceLock(of: place.socket) }
        #expect(mode(place.folder("target")) == nil)
    }
}
