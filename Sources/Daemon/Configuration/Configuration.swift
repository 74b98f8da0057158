import Files
import Foundation
import Logging

/// Everything that can be set about the daemon, checked, and where each value comes from.
package struct Configuration: Sendable {
    /// Where the daemon listens, unless systemd passes it a socket.
    package var socket: SocketPath
    /// Loaded before the daemon is ready. Calls that name none have the embedded one all the same.
    package var models = [EmbeddedModel.name]
    /// Bytes of weights past which models that were not used lately are let go.
    package var modelMemoryLimit = Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
    /// Bytes of activations that are kept of the recordings that analyses heard last, for the next analysis of them.
    package var keptActivations = 64 << 20
    /// Seconds without a connection or a job after which the daemon leaves; 0 for never.
    package var idleExit = 0.0
    /// Seconds for what runs to finish when the daemon is told to stop.
    package var drainTimeout = 30.0
    package var maxConnections = 64
    package var maxStreamsPerConnection = 32
    /// Calls that may wait for the engine.
    package var queueLimit = 64
    /// Jobs that are queued or running.
    package var maxUnfinishedJobs = 16
    /// Outbound bytes that may wait for one connection's reader.
    package var bytesInFlight = 8 << 20
    /// Seconds that a reader may make no progress before its connection is closed.
    package var stallTimeout = 5.0
    package var logLevel = Logger.Level.notice
    package var logFormat = LogFormat.text
    package var metrics = MetricsEndpoint.off
    /// Users beside the daemon's own and root that may connect.
    package var allowUIDs: [UInt32] = []
    /// The registry and the downloaded models.
    package var dataFolder: DataFolder
    /// Threads that share a piece of arithmetic; 0 for as many as there are cores.
    package var threads = 0

    /// Where the value of a key comes from, by key.
    package internal(set) var sources: [String: ValueSource] = [:]

    /// What holds where nothing is set.
    init(environment: [String: String]) throws {
        socket = try SocketPath(environment: environment.filter { $0.key != "AUSCULT_SOCKET" })
        dataFolder = DataFolder(environment: environment)
    }

    /// The effective configuration as a file that would give it, with the source of each value behind it.
    package var text: String {
        Setting.all.map { setting in
            "\(setting.key) = \(setting.show(self))  # \(sources[setting.key] ?? .standard)\n"
        }.joined()
    }
}

package enum LogFormat: String, CaseIterable, Sendable {
    case text, json
}

/// Where the metrics can be read over HTTP.
package enum MetricsEndpoint: Hashable, Sendable {
    case off
    case unix(SocketPath)
    /// A loopback address and a port; port 0 is any that is free.
    case tcp(host: String, port: Int)
}

/// What set a value.
package enum ValueSource: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(path: String, line: Int?)
    case environment(String)
    case flag(String)

    package var description: String {
        switch self {
        case .standard: "default"
        case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
        case .environment(let name): "$\(name)"
        case .flag(let name): name
        }
    }
}

/// A configuration that cannot be: the sentence names the flag, the variable or the file's line.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
