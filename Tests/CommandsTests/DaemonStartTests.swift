import Client
import Files
import Foundation
import Logging
import Messages
import TestSupport
import Testing

@Suite("A daemon on demand") struct DaemonStartTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    private var socket: String { Child.socket(data) }

    private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> CommandResult {
        try Child(arguments, data: data, environment: environment).result()
    }

    /// The process of the daemon that runs now.
    private func pid() throws -> pid_t {
        let result = try run("status", "--format", "json", "--no-start")
        let status = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        return pid_t(try #require(status?["pid"] as? Int, "\(result.error)"))
    }

    @Test("the first command starts one, and the next is served by the same")
    func onDemand() throws {
        #expect(!FileManager.default.fileExists(atPath: socket))
        let first = try run("hooks", "encoder.ln_post")
        #expect(first.status == 0, "\(first.error)")
        #expect(first.error.isEmpty)
        let daemon = try pid()
        #expect(try run("samples").status == 0)
        #expect(try pid() == daemon)
        // It has a session of its own, so that Ctrl-C in the terminal does not reach it, and keeps no folder busy.
        #expect(getsid(daemon) == daemon)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(daemon)/cwd") == "/")
    }

    @Test("several commands at once are all served, by one daemon")
    func atOnce() throws {
        let children = try (0..<4).map { _ in try Child(["samples"], data: data) }
        for child in children {
            let result = child.result()
            #expect(result.status == 0, "\(result.error)")
            #expect(result.output.contains("en-slt-01"))
        }
        #expect(try pid() > 0)
    }

    @Test("what a killed daemon leaves behind does not stand in the way")
    func killed() throws {
        #expect(try run("samples").status == 0)
        let first = try pid()
        kill(first, SIGKILL)
        // Gone, or not yet fetched by whoever inherited it; either way it does not answer.
        while try run("status", "--no-start").status == 0 {}
        #expect(FileManager.default.fileExists(atPath: socket))
        #expect(try run("samples").status == 0)
        #expect(try pid() != first)
    }

    @Test("a daemon that ends at once is named in the error, with its status and its last words")
    func broken() throws {
        let silent = try run("hooks", environment: ["AUSCULT_DAEMON": "/bin/false"])
        #expect(silent.status == 69)
        #expect(silent.error.hasPrefix("auscult: error: /bin/false ended with status 1"))
        #expect(silent.error.split(separator: "\n").count == 1)
        try data.write(Array("#!/bin/sh\necho 'the library is missing' >&2\nexit 127\n".utf8), to: "auscultd")
        chmod(data("auscultd"), 0o755)
        let talking = try run("hooks", environment: ["AUSCULT_DAEMON": data("auscultd")])
        #expect(talking.status == 69)
        #expect(talking.error.contains("status 127"))
        #expect(talking.error.contains("the library is missing"))
    }

    /// Opens a connection by a daemon that is a shell script, whose `$DAEMON "$@"` is the real one. It is a child of the tests' own process.
    private func open(_ script: String, _ patience: StartPatience) async throws -> DaemonConnection {
        try data.write(Array("#!/bin/sh\nDAEMON=\(try Child.built("auscultd"))\n\(script)\n".utf8), to: "auscultd")
        chmod(data("auscultd"), 0o755)
        let environment = try Child.environment(data).merging(["AUSCULT_DAEMON": data("auscultd")]) { $1 }
        return try await DaemonConnection.open(
            at: SocketPath(socket, environment: [:]), launcher: DaemonLauncher(environment: environment),
            patience: patience, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a daemon that is slow to start is waited for as long as it gets on")
    func slow() async throws {
        // Works for longer than it may stand still.
        let daemon = try await open(
            "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done; exec $DAEMON \"$@\"",
            StartPatience(standstill: .seconds(1)))
        #expect(try await daemon.call(V1.DaemonRPC.status, .init()).version == auscultVersion)
        await daemon.close()
        let process = try pid()
        #expect(try run("stop").status == 0)
        // A program that lives on fetches the status of the daemon that it started, and no process stays behind.
        let limit = ContinuousClock.now + .seconds(30)
        while kill(process, 0) == 0, .now < limit { try await Task.sleep(for: .milliseconds(10)) }
        #expect(kill(process, 0) != 0 && errno == ESRCH)
    }

    @Test("a daemon that stands still, or works without end, is given up, and the message says which")
    func neverServes() async throws {
        for (script, patience, said) in [
            ("exec sleep 60", StartPatience(standstill: .milliseconds(500)), "stood still for"),
            ("while :; do :; done", StartPatience(longest: .seconds(2)), "worked for more than"),
        ] {
            let error = await #expect(throws: CommandError.self) {
                _ = try await open("echo $$ >'\(data("pid"))'; \(script)", patience)
            }
            #expect(error?.status == .unavailable && "\(error.map { "\($0)" } ?? "")".contains(said), "\(error as Any)")
            let text = try String(contentsOfFile: data("pid"), encoding: .utf8)
            let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
    }

    @Test("a daemon that is not there is an error with the name that was looked for")
    func absent() throws {
        for name in ["/no/such/auscultd", "no-such-auscultd"] {
            let result = try run("hooks", environment: ["AUSCULT_DAEMON": name])
            #expect(result.status == 69)
            #expect(result.error.contains(name))
        }
    }

    @Test("a socket that cannot be one is refused as the daemon says")
    func impossibleSocket() throws {
        let long = try run("samples", "--socket", String(repeating: "x", count: 200))
        #expect(long.status == 64)
        chmod(data.path, 0o777)
        let open = try run("samples", "--socket", data("s"))
        #expect(open.status == 69)
        #expect(open.error.contains("can be written to by others"), "\(open.error)")
    }

    @Test("with --no-start none is started")
    func noStart() throws {
        let result = try run("hooks", "--no-start")
        #expect(result.status == 69)
        #expect(result.error.contains(socket))
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    @Test("stop ends the daemon and returns when it is gone; where none runs it says so")
    func stop() throws {
        let nobody = try run("stop")
        #expect(nobody.status == 0)
        #expect(nobody.output == "no daemon runs at \(socket)\n")
        #expect(try run("samples").status == 0)
        let daemon = try pid()
        let stopped = try run("stop")
        #expect(stopped.status == 0, "\(stopped.error)")
        #expect(stopped.output.contains("has stopped"))
        #expect(!FileManager.default.fileExists(atPath: socket))
        let state = (try? String(contentsOfFile: "/proc/\(daemon)/stat", encoding: .utf8)) ?? "() Z"
        #expect(state.contains(") Z"))
    }

    @Test("status tells about the daemon in words and in JSON")
    func status() throws {
        #expect(try run("transcribe", "demo:en-slt-01", "--temperature", "0").status == 0)
        let text = try run("status")
        #expect(text.output.contains("socket   \(socket)"))
        #expect(text.output.contains("default"))
        let kernels = text.output.split(separator: "\n").first { $0.hasPrefix("kernels") }
        #expect(kernels?.contains("products: ") == true && kernels?.contains("OpenBLAS ") == true)
        let json = try run("status", "--format", "json")
        let status = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(status["socket"] as? String == socket)
        #expect(status["idle_exit_seconds"] as? Double == 60)
        #expect((status["models"] as? [[String: Any]])?.first?["name"] as? String == "default")
        #expect((status["kernels"] as? [String: Any])?["implementation"] as? String != nil)
    }

    @Test("status warns of a setting of the kernels that could not be followed")
    func kernelWarning() throws {
        let result = try run("status", environment: ["AUSCULT_KERNELS": "fastest"])
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains("\nWARNING: AUSCULT_KERNELS is 'fastest'; it can be "), "\(result.output)")
    }
}
