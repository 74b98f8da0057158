import Foundation
import TestSupport
import Testing

@testable import Daemon

/// The most memory that a process has had so far, as the system counts it; nil where it has ended.
private func peakMemory(of process: Process) -> Int? {
    let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
}

@Suite("Results larger than memory", .serialized, .timeLimit(.minutes(10))) struct LargeResultsTests {
    private static let limit = 300 << 20
    /// Recordings, each with 4 MB of results: 400 MB; by hand $AUSCULT_LARGE_RESULTS of them, 500 for 2 GB.
    private static let count =
        ProcessInfo.processInfo.environment["AUSCULT_LARGE_RESULTS"].flatMap { Int($0) } ?? 100

    @Test(
        "hundreds of megabytes of results, kept in a state and shown, leave daemon and client below 300 MB",
        .enabled(
            if: PluginDaemon.isPossible
                && FileManager.default.isExecutableFile(atPath: PluginDaemon.programs + "/auscult"),
            "needs a C compiler, auscult, auscultd and auscult-plugin-host"),
        arguments: [["--format", "text"], ["--out", "files"]])
    func memory(output: [String]) async throws {
        let folder = try TemporaryFolder()
        try PluginDaemon.install(in: folder)
        // Plots and pages of fewer and larger results take long; what stays in memory does not depend on their number.
        let count = Self.count
        try writeRecordings(count, in: folder("set"))
        let daemon = try PluginDaemon(folder)
        await (try daemon.connect()).close()
        let client = Process()
        client.executableURL = URL(fileURLWithPath: PluginDaemon.programs + "/auscult")
        client.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        client.arguments =
            ["run", "counting", "set", "-p", "numbers=1000000", "--checkpoint", "state", "--socket", daemon.socket]
            + output
        client.environment = daemon.process.environment
        try Data().write(to: URL(fileURLWithPath: folder("shown")))
        client.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder("shown")))
        try client.run()
        var peak = 0
        while client.isRunning {
            peak = max(peak, peakMemory(of: client) ?? 0)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(client.terminationStatus == 0)
        let kept = try FileManager.default.attributesOfItem(atPath: folder("state"))[.size] as? Int ?? 0
        #expect(kept > count * 4_000_000)
        #expect(peak > 0 && peak < Self.limit, "the client had \(peak >> 20) MB")
        let daemonPeak = try #require(peakMemory(of: daemon.process))
        #expect(daemonPeak < Self.limit, "the daemon had \(daemonPeak >> 20) MB")
        if count != 100 { print("\(kept >> 20) MB of results: client \(peak >> 20) MB, daemon \(daemonPeak >> 20) MB") }
        daemon.kill()
    }
}
