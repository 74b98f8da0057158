import ArgumentParser
import Client
import Foundation
import Messages
import Results
import StrictJSON
import TerminalText

/// `auscult status`: how the daemon is.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the daemon's state: its models, its clients and what runs.",
        discussion: """
            With --no-start the exit status is 69 where no daemon runs.
            """)

    @OptionGroup var format: FormatOption
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func run() async throws {
        let status = try await connection.use(Verbosity.notices) { try await $0.call(V1.DaemonRPC.status, .init()) }
        switch format.format {
        case .text: try Console.current.print(status.text)
        case .json: try Console.current.print(status.json.text)
        }
    }
}

extension V1.DaemonStatus {
    fileprivate var text: String {
        var table = TextTable("DAEMON", "auscultd \(version), process \(pid)\(draining ? ", stopping" : "")")
        table.append("socket", socket)
        table.append("data", dataFolder)
        table.append("up", duration(uptimeSeconds))
        table.append(
            "leaves", idleExitSeconds > 0 ? "after \(duration(idleExitSeconds)) without work" : "on 'auscult stop'")
        let kept = keptBytes > 0 ? ", \(byteCount(Int(clamping: keptBytes))) of it kept activations" : ""
        table.append("memory", byteCount(Int(clamping: memoryBytes)) + kept)
        table.append("clients", "\(connections) of at most \(connectionLimit)")
        table.append("queue", "\(queueLength) of at most \(queueLimit)")
        table.append("jobs", "\(jobsRunning) not ended")
        if let kernels { table.append("kernels", kernels.text) }
        if let plugins { table.append("plugins", "confined by \(plugins.means)") }
        let warnings = ((kernels?.warnings ?? []) + (plugins?.gaps ?? [])).map { "WARNING: \($0)" }
        return ([table.text] + warnings + [modelTable, callTable].compactMap { $0 }).joined(separator: "\n\n")
    }

    private var modelTable: String? {
        guard !models.isEmpty else { return nil }
        var table = TextTable("MODEL", "PRECISION", "MEMORY", "IN USE BY", "IDLE", "SHA-256")
        for model in models {
            table.append(
                model.name, model.precision.name, byteCount(Int(clamping: model.memoryBytes)), "\(model.users)",
                duration(model.idleSeconds),
                model.sha256.isEmpty ? "-" : String(model.sha256.prefix(12)))
        }
        return table.text
    }

    private var callTable: String? {
        guard !calls.isEmpty else { return nil }
        var table = TextTable("CALL", "SINCE", "PROCESS", "SUBSCRIPTION")
        for call in calls {
            let subscription = call.subscriptionId.isEmpty ? "-" : call.subscriptionId
            table.append(call.method, duration(call.seconds), "\(call.peerPid)", subscription)
        }
        return table.text
    }

    fileprivate var json: JSON {
        [
            "version": .string(version), "pid": .integer(Int(pid)), "socket": .string(socket),
            "data_folder": .string(dataFolder), "uptime_seconds": .number(uptimeSeconds), "draining": .bool(draining),
            "idle_exit_seconds": .number(idleExitSeconds), "memory_bytes": JSON(memoryBytes),
            "model_memory_limit_bytes": JSON(modelMemoryLimitBytes), "kept_bytes": JSON(keptBytes),
            "connections": .integer(Int(connections)),
            "connection_limit": .integer(Int(connectionLimit)), "queue_length": .integer(Int(queueLength)),
            "queue_limit": .integer(Int(queueLimit)), "jobs_running": .integer(Int(jobsRunning)),
            "kernels": kernels?.json ?? .null, "plugins": plugins?.json ?? .null, "models": .array(models.map(\.json)),
            "calls": .array(calls.map(\.json)),
        ]
    }
}

extension V1.KernelStatus {
    fileprivate var text: String { "\(implementation) (products: \(products)); OpenBLAS \(blasVersion), \(blasCore)" }

    fileprivate var json: JSON {
        [
            "implementation": .string(implementation), "products": .string(products),
            "blas_version": .string(blasVersion), "blas_core": .string(blasCore),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }
}

extension V1.PluginConfinement {
    fileprivate var json: JSON { ["means": .string(means), "gaps": .array(gaps.map { .string($0) })] }
}

extension V1.ResidentModel {
    fileprivate var json: JSON {
        [
            "name": .string(name), "precision": .string(precision.name), "sha256": JSON(present: sha256),
            "memory_bytes": JSON(memoryBytes),
            "idle_seconds": .number(idleSeconds), "users": .integer(Int(users)),
        ]
    }
}

extension V1.CallInfo {
    fileprivate var json: JSON {
        [
            "subscription_id": JSON(present: subscriptionId), "method": .string(method), "seconds": .number(seconds),
            "peer_pid": .integer(Int(peerPid)),
        ]
    }
}

/// Seconds for people: 0.3 s, 12 s, 5 min, 2 h 10 min.
func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.1f s", max(seconds, 0)) }
    let whole = seconds.clamped
    if whole < 120 { return "\(whole) s" }
    let minutes = whole / 60
    return minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
}
