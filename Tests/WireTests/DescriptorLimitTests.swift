import Foundation
import Messages
import Testing
import Wire

@Suite("Without descriptors") struct DescriptorLimitTests {
    /// In a process of its own, since the limit is the process'.
    @Test("a server that cannot accept for want of descriptors serves again when there are some")
    func exhausted() async throws {
        await #expect(processExitsWith: .success) {
            let server = try await TestServer()
            try await server.run { server in
                let first = try server.rawConnection()
                try await first.send(.echo(1, "before"))
                #expect(try await first.frame()?.echoed == "before")

                var limit = rlimit(rlim_cur: 128, rlim_max: 128)
                let isSet = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
                try #require(isSet)
                var taken: [Int32] = []
                while true {
                    let descriptor = open("/dev/null", O_RDONLY)
                    if descriptor < 0 { break }
                    taken.append(descriptor)
                }
                #expect(errno == EMFILE)
                // One for the client's side. The server's had its own reserved when it began to wait for a connection.
                close(taken.removeLast())
                let second = try server.rawConnection()
                try await second.send(.echo(1, "reserved"))
                #expect(try await second.frame()?.echoed == "reserved")
                // For the next there is none.
                close(taken.removeLast())
                let third = try server.rawConnection()
                try await third.send(.echo(1, "after"))
                // Who is connected is served meanwhile.
                for id in [3, 5, 7] as [UInt32] {
                    try await first.send(.echo(id, "meanwhile"))
                    #expect(try await first.frame()?.echoed == "meanwhile")
                }
                #expect(server.server.connectionCount == 2)
                for descriptor in taken { close(descriptor) }
                #expect(try await third.frame()?.echoed == "after")
                withExtendedLifetime((first, second)) {}
            }
        }
    }
}
