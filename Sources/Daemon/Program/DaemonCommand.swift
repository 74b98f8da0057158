import ArgumentParser
import Files

/// The command line of `auscultd`. Every flag is a key of the configuration file in another spelling, and a variable:
/// ``Configuration`` knows which of them counts.
package struct DaemonCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "auscultd",
        abstract: "Keeps speech models in memory and answers what listens to them, over a Unix socket.",
        discussion: """
            Without arguments it serves the embedded model at $XDG_RUNTIME_DIR/auscult/auscult.sock, to its own user \
            only. The command 'auscult' starts it when it is needed, systemd may, and so may you.

            Every option can also stand in a TOML file, as 'max_connections = 64', or in the environment, as \
            AUSCULTD_MAX_CONNECTIONS=64; lists have commas there. An option counts before the environment, the \
            environment before the file. The file is ~/.config/auscult/auscultd.toml, if it is there.

            SIGTERM and SIGINT stop it in good order: it takes nothing new, and lets what runs finish for \
            --drain-timeout seconds. A second signal ends it at once.

            Exit status:
              0    stopped when it was asked to, or idle for long enough
              64   the command line is invalid
              69   another daemon serves the socket already
              73   the socket cannot be made
              77   the socket's folder is not the user's own
              78   the configuration makes no sense
            """,
        version: auscultVersion)

    package init() {}

    @OptionGroup(title: "Socket") var socket: SocketFlags
    @OptionGroup(title: "Models") var models: ModelFlags
    @OptionGroup(title: "Limits") var limits: LimitFlags
    @OptionGroup(title: "Observation") var observation: ObservationFlags

    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var configFile: String?

    @Flag(help: "Print the configuration and where each value comes from, and serve nothing.")
    var checkConfig = false

    /// What was given, by key.
    package var flags: [String: [String]] {
        let single: [String: String?] = [
            "socket": socket.socket, "model_memory_limit": models.modelMemoryLimit,
            "kept_activations": models.keptActivations,
            "idle_exit": limits.idleExit, "drain_timeout": limits.drainTimeout,
            "max_connections": limits.maxConnections,
            "max_streams_per_connection": limits.maxStreamsPerConnection, "queue_limit": limits.queueLimit,
            "max_unfinished_jobs": limits.maxUnfinishedJobs, "bytes_in_flight": limits.bytesInFlight,
            "stall_timeout": limits.stallTimeout, "log_level": observation.logLevel,
            "log_format": observation.logFormat, "metrics": observation.metrics,
            "data_folder": models.dataFolder, "threads": limits.threads,
        ]
        let lists = ["models": models.models, "allow_uids": socket.allowUids]
        return single.compactMapValues { $0.map { [$0] } }.merging(lists.filter { !$0.value.isEmpty }) { $1 }
    }
}

struct SocketFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to listen; without it $AUSCULT_SOCKET, then $XDG_RUNTIME_DIR, then /tmp/auscult-UID.",
            discussion: "Its folder must be yours alone. A socket that systemd passes counts before it.",
            valueName: "path"))
    var socket: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A user who may connect beside you and root; repeat it for more. The socket's folder must let them in.",
            valueName: "uid"))
    var allowUids: [String] = []
}

struct ModelFlags: ParsableArguments {
    @Option(
        name: [.customLong("models"), .customLong("model")], parsing: .singleValue,
        help: ArgumentHelp(
            "A model to load before serving: a registered name or a path; repeat it for more. Default: the embedded.",
            valueName: "model"))
    var models: [String] = []

    @Option(
        help: ArgumentHelp(
            "Weights to keep in memory, as '2GiB' or bytes; past it, those not used lately go. Default: half the RAM.",
            valueName: "size"))
    var modelMemoryLimit: String?

    @Option(
        help: ArgumentHelp(
            "Activations to keep of recordings that an analysis heard, for the next one of them; 0: none. Default: 64MiB.",
            valueName: "size"))
    var keptActivations: String?

    @Option(
        help: ArgumentHelp(
            "The registry and the downloaded models. Default: ~/.local/share/auscult.", valueName: "folder"))
    var dataFolder: String?
}

struct LimitFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp("Leave after so long without a client or a job; 0: never. Default: 0.", valueName: "seconds")
    )
    var idleExit: String?

    @Option(help: ArgumentHelp("Let what runs finish for so long when stopping. Default: 30.", valueName: "seconds"))
    var drainTimeout: String?

    @Option(help: ArgumentHelp("Connections at a time. Default: 64.", valueName: "count"))
    var maxConnections: String?

    @Option(help: ArgumentHelp("Calls at a time on one connection. Default: 32.", valueName: "count"))
    var maxStreamsPerConnection: String?

    @Option(help: ArgumentHelp("Calls that may wait for the engine. Default: 64.", valueName: "count"))
    var queueLimit: String?

    @Option(help: ArgumentHelp("Jobs queued or running. Default: 16.", valueName: "count"))
    var maxUnfinishedJobs: String?

    @Option(help: ArgumentHelp("Answers that may wait for one connection's reader. Default: 8MiB.", valueName: "size"))
    var bytesInFlight: String?

    @Option(
        help: ArgumentHelp(
            "Close a connection whose reader stands still for so long. Default: 5.", valueName: "seconds"))
    var stallTimeout: String?

    @Option(help: ArgumentHelp("Threads for arithmetic; 0: as many as cores. Default: 0.", valueName: "count"))
    var threads: String?
}

struct ObservationFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. Default: notice.", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("text or json, on standard error. Default: text.", valueName: "format"))
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            "Serve OpenMetrics at unix:PATH, 127.0.0.1:PORT or [::1]:PORT, or off. Default: off.", valueName: "endpoint"
        ))
    var metrics: String?
}
