import CDescriptors
import Foundation
import Logging
import TestSupport
import Testing
import Wire

@Suite("Descriptors handed over", .timeLimit(.minutes(2))) struct HandoffTests {
    private struct Setting {
        let folder: TemporaryFolder
        let handoff: DescriptorHandoff

        init(lifetime: Duration = .seconds(600), authorize: @escaping @Sendable (Peer) -> Bool = { _ in true }) throws {
            folder = try TemporaryFolder()
            handoff = try DescriptorHandoff(
                listening: try UnixSocket.listening(at: folder("fd")), path: folder("fd"), lifetime: lifetime,
                authorize: authorize, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        /// Blocks on a thread that is no one else's.
        func fetch(_ token: [UInt8]) async throws -> Int32 {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread { [path = handoff.path] in
                    continuation.resume(with: Result { try DescriptorHandoff.fetch(from: path, token: token) })
                }
            }
        }
    }

    private func memory(_ text: String) throws -> Int32 {
        let descriptor = auscult_memory_create("test", 0)
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        let written = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == text.utf8.count else { throw SystemError("write") }
        return descriptor
    }

    /// A pipe tells when the last descriptor of its writing end is closed.
    private func isClosedByAll(reading end: Int32) -> Bool {
        var poll = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        return Foundation.poll(&poll, 1, 0) == 1 && poll.revents & Int16(POLLHUP) != 0
    }

    private func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        guard Foundation.pipe(&ends) == 0 else { throw SystemError("pipe") }
        return (ends[0], ends[1])
    }

    @Test("a descriptor is fetched once, sealed, and not twice")
    func once() async throws {
        let setting = try Setting()
        defer { setting.handoff.close() }
        let descriptor = try memory("tensors")
        #expect(auscult_memory_is_sealed(descriptor) == 0)
        #expect(auscult_memory_seal(descriptor) == 0)
        let token = setting.handoff.offer(descriptor)
        #expect(token.count == 16)
        let fetched = try await setting.fetch(token)
        defer { close(fetched) }
        #expect(auscult_memory_is_sealed(fetched) == 1)
        #expect(fcntl(fetched, F_GETFD) & FD_CLOEXEC != 0)
        var bytes = [UInt8](repeating: 0, count: 7)
        #expect(pread(fetched, &bytes, 7, 0) == 7)
        #expect(String(decoding: bytes, as: UTF8.self) == "tensors")
        #expect(write(fetched, "x", 1) == -1 && errno == EPERM)
        #expect(ftruncate(fetched, 0) == -1 && errno == EPERM)
        let error = await #expect(throws: WireError.self) { try await setting.fetch(token) }
        #expect(error?.code == .notFound)
        #expect(setting.handoff.waiting == 0)
    }

    @Test("a wrong token gets nothing, and takes nothing from the right one", arguments: [0, 8, 15])
    func wrongToken(position: Int) async throws {
        let setting = try Setting()
        defer { setting.handoff.close() }
        let token = setting.handoff.offer(try memory("x"))
        var wrong = token
        wrong[position] ^= 1
        #expect(await #expect(throws: WireError.self) { try await setting.fetch(wrong) }?.code == .notFound)
        close(try await setting.fetch(token))
    }

    @Test("half a token gets nothing and the next client is served")
    func halfToken() async throws {
        let setting = try Setting()
        defer { setting.handoff.close() }
        let token = setting.handoff.offer(try memory("x"))
        let raw = try RawConnection(to: setting.handoff.path)
        try await raw.send(Array(token.prefix(7)))
        close(try await setting.fetch(token))
        raw.cut()
    }

    @Test("what nobody fetches in time is closed without anyone asking")
    func expired() async throws {
        let setting = try Setting(lifetime: .milliseconds(50))
        defer { setting.handoff.close() }
        let (reading, writing) = try pipe()
        defer { close(reading) }
        let token = setting.handoff.offer(writing)
        try await eventually { isClosedByAll(reading: reading) }
        #expect(setting.handoff.waiting == 0)
        #expect(await #expect(throws: WireError.self) { try await setting.fetch(token) }?.code == .notFound)
    }

    @Test("of too many, the oldest is given up")
    func tooMany() async throws {
        let setting = try Setting()
        defer { setting.handoff.close() }
        let (reading, writing) = try pipe()
        defer { close(reading) }
        let first = setting.handoff.offer(writing)
        let rest = try (0..<256).map { _ in setting.handoff.offer(try memory("x")) }
        #expect(isClosedByAll(reading: reading))
        #expect(setting.handoff.waiting == 256)
        #expect(await #expect(throws: WireError.self) { try await setting.fetch(first) }?.code == .notFound)
        close(try await setting.fetch(rest[0]))
    }

    @Test("a peer that may not is given nothing")
    func unauthorized() async throws {
        let setting = try Setting { peer in peer.uid != SystemUser.id }
        defer { setting.handoff.close() }
        let token = setting.handoff.offer(try memory("x"))
        await #expect(throws: WireError.self) { try await setting.fetch(token) }
        #expect(setting.handoff.waiting == 1)
    }

    @Test("closing closes what waits and what comes after, and nobody answers any more")
    func closing() async throws {
        let setting = try Setting()
        let (reading, writing) = try pipe()
        defer { close(reading) }
        let token = setting.handoff.offer(writing)
        setting.handoff.close()
        #expect(isClosedByAll(reading: reading))
        let (late, lateWriting) = try pipe()
        defer { close(late) }
        _ = setting.handoff.offer(lateWriting)
        #expect(isClosedByAll(reading: late))
        await #expect(throws: WireError.self) { try await setting.fetch(token) }
        setting.handoff.close()
    }

    @Test("a byte without a descriptor, and a path that is none, are errors", arguments: [false, true])
    func badServers(exists: Bool) async throws {
        let server = try await HandWrittenServer()
        let path = exists ? server.path : server.path + "x"
        async let connection = exists ? server.connection() : nil
        let fetch = Task {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            try DescriptorHandoff.fetch(from: path, token: [UInt8](repeating: 0, count: 16))
                        })
                }
            }
        }
        try await connection?.send([0])
        let error = await #expect(throws: WireError.self) { try await fetch.value }
        #expect(error?.code == (exists ? .notFound : .unavailable))
        let long = #expect(throws: WireError.self) {
            try DescriptorHandoff.fetch(from: "/" + String(repeating: "x", count: 200), token: [])
        }
        #expect(long?.code == .invalidArgument)
    }
}
