import Files
import Foundation
import Testing

@Suite("The socket's path") struct SocketPathTests {
    private func path(_ environment: [String: String]) throws -> String { try path(nil, environment) }

    private func path(_ named: String?, _ environment: [String: String]) throws -> String {
        try SocketPath(named, environment: environment, user: 1234, currentFolder: "/here").path
    }

    @Test("what is named counts before AUSCULT_SOCKET, that before the runtime folder, that before /tmp")
    func order() throws {
        let environment = ["AUSCULT_SOCKET": "/e/s", "XDG_RUNTIME_DIR": "/run/user/1", "TMPDIR": "/elsewhere"]
        #expect(try path("/n/s", environment) == "/n/s")
        #expect(try path(environment) == "/e/s")
        #expect(try path(["XDG_RUNTIME_DIR": "/run/user/1/", "TMPDIR": "/x"]) == "/run/user/1/auscult/auscult.sock")
        #expect(try path(["TMPDIR": "/elsewhere"]) == "/tmp/auscult-1234/auscult.sock")
    }

    @Test("an empty variable and a relative runtime folder count as none")
    func none() throws {
        #expect(try path(["AUSCULT_SOCKET": "", "XDG_RUNTIME_DIR": ""]) == "/tmp/auscult-1234/auscult.sock")
        #expect(try path(["XDG_RUNTIME_DIR": "run"]) == "/tmp/auscult-1234/auscult.sock")
    }

    @Test("a relative path is taken from the current folder")
    func relative() throws {
        #expect(try path("a/s.sock", [:]) == "/here/a/s.sock")
        #expect(try path(["AUSCULT_SOCKET": "s.sock"]) == "/here/s.sock")
        #expect(try SocketPath("/a/b.sock").folder == "/a")
    }

    @Test("a path may have 107 bytes; one more is an error that names both numbers")
    func length() throws {
        let fits = "/" + String(repeating: "x", count: 106)
        #expect(try path(fits, [:]) == fits)
        let error = #expect(throws: FileError.self) { try path(fits + "x", [:]) }
        #expect(
            error
                == FileError(
                    .invalidArgument, "the socket's path \(fits)x has 108 bytes; the system allows at most 107"))
        // Bytes, not characters.
        #expect(throws: FileError.self) { try path("/" + String(repeating: "é", count: 54), [:]) }
        #expect(throws: FileError.self) { try path(["XDG_RUNTIME_DIR": "/" + String(repeating: "r", count: 100)]) }
    }

    @Test("what names no file is refused", arguments: ["", "/tmp/", "a\0b"])
    func noFile(named: String) throws {
        let error = #expect(throws: FileError.self) { try path(named, [:]) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("an address ends with a terminator for a path, and with its length for an abstract name")
    func address() throws {
        let lengths = try SocketPath("/abc").withAddress { ($1, $0.pointee.sa_family) }
        #expect(lengths.0 == 2 + 4 + 1)
        #expect(lengths.1 == sa_family_t(AF_UNIX))
        #expect(withUnixAddress([0] + "abc".utf8) { $1 } == 2 + 4)
    }
}
