import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Interruptions") struct InterruptionTests {
    @Test("Ctrl-C while input is awaited ends with status 130 and leaves nothing", arguments: ["transcribe", "trace"])
    func waiting(command: String) throws {
        let data = try TemporaryFolder()
        let silence = Pipe()
        let rest = command == "trace" ? ["--hooks", "log_mel", "--out", data("t.npz")] : ["--out", data("out")]
        let child = try Child([command, "-"] + rest, data: data, input: silence)
        // More than one reader's buffer: when it has gone, the program is reading.
        silence.fileHandleForWriting.write(Data(count: 400_000))
        child.process.interrupt()
        let result = child.result()
        #expect(result.status == 130)
        #expect(result.error.contains("interrupted"))
        #expect(try data.names().allSatisfy { $0 == "out" })
        #expect((try? FileManager.default.contentsOfDirectory(atPath: data("out")))?.isEmpty ?? true)
        withExtendedLifetime(silence) {}
    }

    @Test("Ctrl-C during a download keeps the part, and the next attempt goes on from it")
    func download() throws {
        let data = try TemporaryFolder()
        let arrived = DispatchSemaphore(value: 0)
        let server = try LocalHTTPServer { _ in
            arrived.signal()
            var reply = LocalHTTPServer.Reply.whole([UInt8](repeating: 7, count: 500_000))
            reply.stallAfter = 300_000
            return reply
        }
        let child = try Child(["models", "pull", "base"], data: data, environment: ["AUSCULT_MIRROR": server.base])
        #expect(arrived.wait(timeout: .now() + 60) == .success)
        let part = data("auscult/models/base/multilingual.tiktoken.part")
        while size(part) < 300_000, child.process.isRunning { usleep(10_000) }
        child.process.interrupt()
        #expect(child.result().status == 130)
        #expect(size(part) == 300_000)
        let resumed = try Child(["models", "pull", "base"], data: data, environment: ["AUSCULT_MIRROR": server.base])
        #expect(arrived.wait(timeout: .now() + 60) == .success)
        resumed.process.interrupt()
        _ = resumed.result()
        #expect(server.requests.last?.rangeStart == 300_000)
    }

    private func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
}
