import Daemon
import Digests
import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Downloads") struct ModelDownloadTests {
    let folder: TemporaryFolder
    let content: [UInt8]
    let sha256: String

    init() throws {
        folder = try TemporaryFolder()
        var generator = SystemRandomNumberGenerator()
        content = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        sha256 = try SHA256.hex(of: content)
    }

    private func download(from server: LocalHTTPServer, retries: Int = 3) throws -> ModelDownload {
        let url = try #require(URL(string: server.base + "/model.pt"))
        var download = ModelDownload(from: url, to: folder("model.pt"), sha256: sha256)
        download.retries = retries
        download.retryDelay = .milliseconds(1)
        download.idleTimeout = 20
        return download
    }

    private func downloaded() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: folder("model.pt"))))
    }

    @Test("a whole file arrives, with its progress, and leaves nothing beside it")
    func whole() async throws {
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        let steps = Mutex<[DownloadProgress]>([])
        try await download(from: server).run { step in steps.withLock { $0.append(step) } }
        #expect(try downloaded() == content)
        #expect(try folder.names() == ["model.pt"])
        let seen = steps.withLock { $0 }
        #expect(seen.first == .receiving(done: 0, total: content.count))
        #expect(seen.contains(.receiving(done: content.count, total: content.count)))
        #expect(seen.last == .verifying)
    }

    @Test("a file that is there already is verified and not loaded again")
    func alreadyThere() async throws {
        try folder.write(content, to: "model.pt")
        let server = try LocalHTTPServer { _ in .status(500) }
        try await download(from: server).run()
        #expect(server.requests.isEmpty)
    }

    @Test("a damaged file under the final name is loaded again")
    func damagedFile() async throws {
        try folder.write(content.dropLast(), to: "model.pt")
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
    }

    @Test("a part left by an earlier attempt is resumed with a Range request")
    func resumes() async throws {
        try folder.write(content.prefix(123_456), to: "model.pt.part")
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
        #expect(server.requests.map(\.rangeStart) == [123_456])
    }

    @Test("a server that ignores Range starts the file again cleanly")
    func ignoredRange() async throws {
        try folder.write(content.prefix(123_456).map { $0 ^ 0xFF }, to: "model.pt.part")
        let content = content
        let server = try LocalHTTPServer { _ in .whole(content) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
        #expect(server.requests.count == 1)
    }

    @Test("a connection cut in the middle is resumed from the byte where it broke")
    func cut() async throws {
        let content = content
        let server = try LocalHTTPServer { request in
            .range(of: content, for: request, cutAfter: request.index < 2 ? 100_000 : nil)
        }
        try await download(from: server, retries: 3).run()
        #expect(try downloaded() == content)
        let starts = server.requests.map(\.rangeStart)
        #expect(starts.count == 3)
        #expect(starts.first == .some(nil))
        #expect(starts.dropFirst().allSatisfy { $0 ?? 0 > 0 })
    }

    @Test("a connection that keeps breaking is reported, and the part stays for the next time")
    func cutForGood() async throws {
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0, cutAfter: 100_000) }
        let error = await #expect(throws: ServiceError.self) {
            try await download(from: server, retries: 0).run()
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("resume") == true)
        #expect(try folder.names() == ["model.pt.part"])
        let healthy = try LocalHTTPServer { .range(of: content, for: $0) }
        try await download(from: healthy).run()
        #expect(try downloaded() == content)
        #expect(healthy.requests.allSatisfy { $0.rangeStart != nil })
    }

    @Test("a body shorter than announced is a broken connection, not a file")
    func shorterThanAnnounced() async throws {
        let content = content
        let server = try LocalHTTPServer { _ in
            var reply = LocalHTTPServer.Reply.whole(Array(content.prefix(1000)))
            reply.announcedLength = content.count
            return reply
        }
        let error = await #expect(throws: ServiceError.self) {
            try await download(from: server, retries: 0).run()
        }
        #expect(error?.code == .unavailable)
    }

    @Test("a busy server is asked again")
    func busy() async throws {
        let content = content
        let server = try LocalHTTPServer { $0.index < 2 ? .status(503) : .range(of: content, for: $0) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
        #expect(server.requests.count == 3)
    }

    @Test("a wrong digest removes the file and says so")
    func wrongDigest() async throws {
        var wrong = content
        wrong[7] ^= 1
        let server = try LocalHTTPServer { [wrong] in .range(of: wrong, for: $0) }
        let error = await #expect(throws: ServiceError.self) { try await download(from: server).run() }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains("SHA-256") == true)
        #expect(try folder.names().isEmpty)
    }

    @Test("a part of another version of the file gives way to the whole file")
    func staleParts() async throws {
        try folder.write(content.prefix(1000).map { $0 ^ 0xFF }, to: "model.pt.part")
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
        #expect(server.requests.map(\.rangeStart) == [1000, nil])
    }

    @Test("a part that is complete, or longer than the file, is settled by its digest", arguments: [0, 5])
    func exhaustedRange(extra: Int) async throws {
        try folder.write(content + [UInt8](repeating: 0, count: extra), to: "model.pt.part")
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        try await download(from: server).run()
        #expect(try downloaded() == content)
        #expect(server.requests.count == (extra == 0 ? 1 : 2))
    }

    @Test("a missing file is an error at once, and leaves no part", arguments: [404, 410, 403])
    func missing(status: Int) async throws {
        let server = try LocalHTTPServer { _ in .status(status) }
        let error = await #expect(throws: ServiceError.self) { try await download(from: server).run() }
        #expect(error?.code == (status == 403 ? .unavailable : .notFound))
        #expect(error?.message.contains("\(status)") == true)
        #expect(server.requests.count == 1)
        #expect(try folder.names().isEmpty)
    }

    @Test("no server at all is an error that names the address")
    func unreachable() async throws {
        let download: ModelDownload
        do { download = try self.download(from: LocalHTTPServer { _ in .status(500) }, retries: 1) }
        let error = await #expect(throws: ServiceError.self) { try await download.run() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("127.0.0.1") == true)
    }

    @Test("a full disk is reported as such")
    func fullDisk() async throws {
        try FileManager.default.createSymbolicLink(atPath: folder("model.pt.part"), withDestinationPath: "/dev/full")
        let content = content
        let server = try LocalHTTPServer { .range(of: content, for: $0) }
        let error = await #expect(throws: FileError.self) { try await download(from: server).run() }
        #expect(error?.code == .inputOutput)
        #expect(error?.message.contains("No space left") == true)
    }

    @Test("a download that is cancelled stops and keeps its part")
    func cancelled() async throws {
        let content = content
        let started = AsyncStream<Void>.makeStream()
        let server = try LocalHTTPServer { request in
            var reply = LocalHTTPServer.Reply.range(of: content, for: request)
            reply.announcedLength = content.count
            reply.stallAfter = 100_000
            return reply
        }
        let download = try download(from: server)
        let task = Task {
            try await download.run { step in
                if case .receiving(let done, _) = step, done >= 100_000 { started.continuation.finish() }
            }
        }
        for await _ in started.stream {}
        task.cancel()
        let error = await #expect(throws: ServiceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try folder.names() == ["model.pt.part"])
    }

    @Test("two downloads of one file do not mix")
    func locked() async throws {
        let descriptor = open(folder("model.pt.part"), O_RDWR | O_CREAT, 0o644)
        defer { close(descriptor) }
        try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let server = try LocalHTTPServer { _ in .status(500) }
        let error = await #expect(throws: ServiceError.self) { try await download(from: server).run() }
        #expect(error?.code == .unavailable)
        #expect(server.requests.isEmpty)
    }
}
