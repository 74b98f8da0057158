import ArgumentParser
import Client
import Files
import Foundation
import Messages
import Results
import Wire

/// `auscult stop`: ends the daemon.
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the daemon.",
        discussion: """
            The daemon accepts no new calls; those that run have --drain seconds to finish before they are cancelled. \
            The command returns when the daemon has ended. Where none runs, the exit status is 0.
            """)

    @Option(
        help: ArgumentHelp(
            "Time for running work to finish; by default the daemon's own setting.", valueName: "seconds"))
    var drain: Double?

    @Option(
        help: ArgumentHelp("The daemon's socket; by default the same as for every command.", valueName: "path"),
        completion: .file())
    var socket: String?

    func validate() throws {
        guard let drain, !(0...Self.longestDrain).contains(drain) else { return }
        throw ValidationError("--drain takes seconds from 0 to \(Int(Self.longestDrain)), not \(drain).")
    }

    private static let longestDrain = 86_400.0

    func run() async throws {
        let path = try SocketPath(socket, environment: Console.current.environment)
        guard case .listening = SocketProbe(path) else {
            return try Console.current.print("no daemon runs at \(path)")
        }
        let client = try await WireClient.connect(to: path.path)
        let pid: UInt32
        do {
            pid = try await client.call(V1.DaemonRPC.status, .init(), timeout: .seconds(10)).pid
            // 0 stands for the daemon's own setting, so at once is a millisecond.
            let limit = drain.map { max(1, UInt32(clamping: ($0 * 1000).clamped)) } ?? 0
            _ = try await client.call(V1.DaemonRPC.stop, V1.StopRequest(drainMs: limit), timeout: .seconds(10))
        } catch {
            await client.close()
            throw error
        }
        // It closes our connection when it has drained.
        while client.isOpen { try await Task.sleep(for: .milliseconds(20)) }
        try await waitForEnd(of: pid)
        try Console.current.print("the daemon at \(path) has stopped")
    }

    /// Waits until the process has ended. One that goes on without its socket, as a program does that has a server
    /// among other things, has stopped serving all the same.
    private func waitForEnd(of pid: UInt32) async throws {
        let limit = ContinuousClock.now + .seconds(5)
        while pid != UInt32(clamping: getpid()), Self.runs(pid), .now < limit {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Whether there is such a process, and not only what its parent has not fetched yet.
    private static func runs(_ pid: UInt32) -> Bool {
        guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let name = line.lastIndex(of: ")")
        else { return false }
        // proc(5): the state follows the name, in brackets.
        return !line[line.index(after: name)...].hasPrefix(" Z")
    }
}
