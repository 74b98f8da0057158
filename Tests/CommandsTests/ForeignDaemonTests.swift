import Client
import Commands
import Daemon
import Files
import Foundation
import Logging
import Messages
import Synchronization
import TestSupport
import Testing
import Wire

/// Peers that are not the daemon of this build.
@Suite("Other daemons") struct ForeignDaemonTests {
    private func run(_ arguments: [String], _ methods: [ServerMethod]) async throws -> CommandResult {
        let folder = try TemporaryFolder()
        let path = try SocketPath(folder("s"), environment: [:])
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(path.withAddress { bind(listener, $0, $1) } == 0)
        let server = WireServer(methods, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try server.listen(on: listener)
        let written = Mutex((output: "", error: ""))
        let console = Console(
            output: { text in written.withLock { $0.output += text } },
            error: { text in written.withLock { $0.error += text } },
            showsProgress: false, environment: ["AUSCULT_SOCKET": path.path])
        let status = await Program.run(arguments + ["--no-start"], console: console)
        await server.drain(timeout: .seconds(1))
        return written.withLock { CommandResult(status: status.rawValue, output: $0.output, error: $0.error) }
    }

    private static let healthy = Health.HealthRPC.check.handle { _, _ in Health.HealthCheckResponse(status: .serving) }

    @Test("one of another version serves, with a warning that names both and says what to do")
    func version() async throws {
        let status = V1.DaemonRPC.status.handle { _, _ in V1.DaemonStatus(version: "0.0.9") }
        let hooks = V1.ModelRPC.hooks.handle { _, _ in V1.HookList() }
        let result = try await run(["hooks"], [Self.healthy, status, hooks])
        #expect(result.status == 0)
        #expect(result.error.hasPrefix("auscult: warning: "))
        #expect(result.error.contains("0.0.9") && result.error.contains(auscultVersion))
        #expect(result.error.contains("auscult stop"))
        #expect(try await run(["hooks", "--quiet"], [Self.healthy, status, hooks]).error.isEmpty)
    }

    @Test("one that lacks a method is one that does not serve us")
    func older() async throws {
        let result = try await run(["hooks"], [Self.healthy])
        #expect(result.status == 69)
        #expect(result.error.hasPrefix("auscult: error: "))
    }

    private static let statuses: [(error: WireError, status: Int32)] = [
        (WireError(.invalidArgument, "m", reason: "invalid_argument"), 64),
        (WireError(.unimplemented, "m", reason: "unsupported"), 65), (WireError(.dataLoss, "m"), 65),
        (WireError(.notFound, "m", reason: "a_new_one"), 66), (WireError(.unavailable, "m"), 69),
        (WireError(.failedPrecondition, "m", reason: "cannot_create"), 73),
        (WireError(.internal, "m", reason: "input_output"), 74), (WireError(.resourceExhausted, "m"), 75),
        (WireError(.deadlineExceeded, "m"), 75), (WireError(.cancelled, "m", reason: "cancelled"), 130),
        (WireError(WireError.Code(rawValue: 77), "m"), 1), (WireError(.internal, "m"), 1),
    ]

    @Test(
        "its errors become exit statuses by their reason, and by their code where the reason is not known",
        arguments: statuses.indices)
    func status(index: Int) async throws {
        let (error, expected) = Self.statuses[index]
        let hooks = V1.ModelRPC.hooks.handle { _, _ -> V1.HookList in throw error }
        let result = try await run(["hooks", "-q"], [Self.healthy, hooks])
        #expect(result.status == expected)
        #expect(result.error == "auscult: error: m\n")
    }

    @Test("numbers from it that no number stands for do not end the program")
    func absurdNumbers() async throws {
        let absurd = V1.Segment(start: .infinity, end: .nan, text: " a\u{1B}[2J")
        let transcript = V1.Transcript(file: "f", duration: -.infinity, segments: [absurd])
        let stream: ServerMethod = V1.TranscribeRPC.stream.handle {
            (_: V1.TranscribeRequest, answers: ResponseStream<V1.TranscribeEvent>, _: CallContext) in
            try await answers.send(V1.TranscribeEvent(event: .progress(V1.Progress(done: .nan, total: .infinity))))
            try await answers.send(V1.TranscribeEvent(event: .segment(absurd)))
            try await answers.send(V1.TranscribeEvent(event: .done(transcript)))
        }
        for format: String in ["text", "json", "srt", "vtt"] {
            let result = try await run(["transcribe", "/f", "-q", "--format", format], [Self.healthy, stream])
            #expect(result.status == 0, "\(result.error)")
        }
    }
}
