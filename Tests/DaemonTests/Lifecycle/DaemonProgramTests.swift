import Daemon
import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("The program auscultd") struct DaemonProgramTests {
    private struct Result {
        var status: Int32 = 0
        var output = ""
        var error = ""
        var served: Configuration?
    }

    private func run(
        _ arguments: [String], environment: [String: String] = [:], failing failure: (any Error)? = nil
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        var result = Result()
        let served = Mutex<Configuration?>(nil)
        result.status = await DaemonProgram.run(
            arguments, environment: environment.merging(["HOME": folder.path]) { own, _ in own },
            output: { result.output += $0 }, error: { result.error += $0 },
            serve: { configuration in
                served.withLock { $0 = configuration }
                if let failure { throw failure }
            })
        result.served = served.withLock { $0 }
        return result
    }

    @Test("flags reach what serves")
    func serves() async throws {
        let result = try await run(["--socket", "/s", "--model", "a", "--models", "b", "--allow-uids", "5"])
        #expect(result.status == 0)
        #expect(result.served?.socket.path == "/s")
        #expect(result.served?.models == ["a", "b"])
        #expect(result.served?.allowUIDs == [5])
        #expect(result.output.isEmpty && result.error.isEmpty)
    }

    @Test("every key of the file has a flag of its name, which sets that key", arguments: Setting.all.map(\.key))
    func everyFlag(key: String) throws {
        let setting = try #require(Setting.named(key))
        let command = try DaemonCommand.parse([setting.flag, "value"])
        #expect(command.flags == [key: ["value"]])
    }

    @Test("every key is in the help")
    func help() async throws {
        let result = try await run(["--help"])
        #expect(result.status == 0)
        for setting in Setting.all { #expect(result.output.contains("  \(setting.flag)"), "\(setting.key)") }
        #expect(result.served == nil)
    }

    @Test("--check-config prints every value with its source and serves nothing")
    func check() async throws {
        let result = try await run(["--check-config", "--threads", "2"], environment: ["AUSCULTD_QUEUE_LIMIT": "9"])
        #expect(result.status == 0)
        #expect(result.output.contains("threads = 2  # --threads\n"))
        #expect(result.output.contains("queue_limit = 9  # $AUSCULTD_QUEUE_LIMIT\n"))
        #expect(result.output.split(separator: "\n").count == Setting.all.count)
        #expect(result.served == nil)
    }

    @Test("a configuration that cannot be is status 78, checked or served", arguments: [["--check-config"], []])
    func invalid(arguments: [String]) async throws {
        let result = try await run(arguments + ["--threads", "-3"])
        #expect(result.status == 64 || result.status == 78)
        let variable = try await run(arguments, environment: ["AUSCULTD_THREADS": "x"])
        #expect(variable.status == 78)
        #expect(
            variable.error
                == "auscultd: error: $AUSCULTD_THREADS: expected a whole number from 0 to 256, got 'x'\n")
        #expect(variable.served == nil)
    }

    @Test("a command line that makes no sense is status 64", arguments: [["--thread", "1"], ["extra"], ["--threads"]])
    func usage(arguments: [String]) async throws {
        let result = try await run(arguments)
        #expect(result.status == 64)
        #expect(result.error.hasPrefix("auscultd: error: "))
        #expect(result.output.isEmpty)
    }

    @Test(
        "what stops the service is told and has its status",
        arguments: [
            (FileError(.unavailable, "x"), 69), (FileError(.cannotCreate, "x"), 73),
            (FileError(.permissionDenied, "x"), 77), (FileError(.inputOutput, "x"), 74),
        ] as [(FileError, Int32)])
    func failures(error: FileError, status: Int32) async throws {
        let result = try await run([], failing: error)
        #expect(result.status == status)
        #expect(result.error == "auscultd: error: x\n")
    }
}
