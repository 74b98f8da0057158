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

    @Test("Ctrl-C in the middle of a trace ends the work in the daemon, and leaves no file, not even a hidden one")
    func working() throws {
        let data = try TemporaryFolder()
        // Far longer than anything that this test waits for.
        try data.write(WAV.bytes([Int16](repeating: 100, count: 16000 * 1200)), to: "long.wav")
        let child = try Child(
            ["trace", data("long.wav"), "--hooks", "decoder.logits", "--out", data("t.npz")], data: data)
        func calls() throws -> String { try Child(["status"], data: data).result().output }
        while !(try calls()).contains("Trace/Run"), child.process.isRunning {}
        child.process.interrupt()
        let result = child.result()
        #expect(result.status == 130)
        #expect(result.error.contains("interrupted"))
        #expect(try !calls().contains("Trace/Run"))
        #expect(try data.names() == ["long.wav"])
    }

    @Test("a signal that comes twice at once, as timeout(1) sends its own, is one: a recording is completed")
    func doubled() throws {
        let data = try TemporaryFolder()
        let child = try Child(
            ["listen", "--file", "demo:en-long-01", "--record", data("kept"), "--format", "json"], data: data)
        while size(data("kept/sound.flac")) == 0, child.process.isRunning { usleep(10_000) }
        for _ in 0..<2 {
            child.process.terminate()
            // Two that come together would be taken for one by the system.
            usleep(20_000)
        }
        #expect(child.result().status == 128 + SIGTERM)
        let kept = try FileManager.default.contentsOfDirectory(atPath: data("kept")).sorted()
        #expect(kept == ["features.csv", "features.npy", "session.TextGrid", "sound.flac"])
    }

    @Test("where nobody reads the result any more, the program ends as others do, without a word")
    func closedPipe() throws {
        let data = try TemporaryFolder()
        // This process ignores SIGPIPE, as NIO has it, and its children with it.
        let script =
            "exec 3>&1; { env --default-signal=PIPE auscult samples --format json; echo $? >&3; } | head -n 1 > /dev/null"
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", script]
        let folder = (try Child.built("auscult") as NSString).deletingLastPathComponent
        shell.environment = try Child.environment(data).merging(["PATH": "\(folder):/usr/bin:/bin"]) { $1 }
        let (output, error) = (Pipe(), Pipe())
        shell.standardOutput = output
        shell.standardError = error
        #expect(try Child.run("samples", data: data).status == 0)
        try shell.run()
        shell.waitUntilExit()
        let status = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(["141\n", "0\n"].contains(status))
        #expect(error.fileHandleForReading.readDataToEndOfFile().isEmpty)
        withExtendedLifetime(data) {}
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
