import Files
import Foundation
import Logging

/// One key: which values it takes, and how they are written. The flag and the variable have the key's name in their own
/// spelling.
package struct Setting: Sendable {
    /// What a file may give.
    enum Kind: Sendable {
        case text, integer, number, list
        /// A number, or text with a unit.
        case bytes
    }

    package let key: String
    let kind: Kind
    /// What a person is told when the value is another.
    let expected: String
    /// Sets the value that is written as these texts (one, unless the kind is a list); false where it is none.
    let read: @Sendable ([String], inout Configuration) throws -> Bool
    /// The value as TOML.
    let show: @Sendable (Configuration) -> String

    package var flag: String { "--" + key.replacing("_", with: "-") }

    /// The first that is set counts.
    var variables: [String] {
        // Clients know the second as well; the first is the daemon's own.
        ["AUSCULTD_" + key.uppercased()] + (key == "socket" ? ["AUSCULT_SOCKET"] : [])
    }

    package static let all: [Setting] = [
        Setting(
            key: "socket", kind: .text, expected: "a path",
            read: { values, configuration in
                configuration.socket = try SocketPath(values[0], environment: [:])
                return true
            }, show: { quoted($0.socket.path) }),
        Setting(
            key: "models", kind: .list, expected: "a list of models",
            read: { values, configuration in
                configuration.models = values
                return !values.isEmpty && !values.contains("")
            }, show: { list($0.models.map(quoted)) }),
        bytes("model_memory_limit", { $0.modelMemoryLimit = $1 }, (64 << 20)...Int.max) { $0.modelMemoryLimit },
        bytes("kept_activations", { $0.keptActivations = $1 }, 0...(1 << 40)) { $0.keptActivations },
        seconds("idle_exit", { $0.idleExit = $1 }) { $0.idleExit },
        seconds("drain_timeout", { $0.drainTimeout = $1 }) { $0.drainTimeout },
        integer("max_connections", { $0.maxConnections = $1 }, 1...4096) { $0.maxConnections },
        integer("max_streams_per_connection", { $0.maxStreamsPerConnection = $1 }, 1...4096) {
            $0.maxStreamsPerConnection
        },
        integer("queue_limit", { $0.queueLimit = $1 }, 0...65536) { $0.queueLimit },
        integer("max_unfinished_jobs", { $0.maxUnfinishedJobs = $1 }, 0...65536) { $0.maxUnfinishedJobs },
        // A frame has up to 4 MiB, and has to fit.
        bytes("bytes_in_flight", { $0.bytesInFlight = $1 }, (4 << 20)...(1 << 40)) { $0.bytesInFlight },
        seconds("stall_timeout", { $0.stallTimeout = $1 }, least: 0.1) { $0.stallTimeout },
        choice("log_level", Logger.Level.allCases, { $0.logLevel = $1 }) { $0.logLevel },
        choice("log_format", LogFormat.allCases, { $0.logFormat = $1 }) { $0.logFormat },
        Setting(
            key: "metrics", kind: .text, expected: "off, unix:PATH, 127.0.0.1:PORT or [::1]:PORT",
            read: { values, configuration in
                guard let endpoint = try MetricsEndpoint(values[0]) else { return false }
                configuration.metrics = endpoint
                return true
            }, show: { quoted($0.metrics.description) }),
        Setting(
            key: "allow_uids", kind: .list, expected: "a list of users' numbers",
            read: { values, configuration in
                configuration.allowUIDs = values.compactMap { UInt32($0) }
                return configuration.allowUIDs.count == values.count
            }, show: { list($0.allowUIDs.map(String.init)) }),
        Setting(
            key: "data_folder", kind: .text, expected: "an absolute path",
            read: { values, configuration in
                configuration.dataFolder = DataFolder(path: values[0])
                return values[0].hasPrefix("/") && !values[0].utf8.contains(0)
            }, show: { quoted($0.dataFolder.path) }),
        integer("threads", { $0.threads = $1 }, 0...256) { $0.threads },
    ]

    package static func named(_ key: String) -> Setting? { all.first { $0.key == key } }
}

extension Setting {
    private typealias Store<Value> = @Sendable (inout Configuration, Value) -> Void
    private typealias Fetch<Value> = @Sendable (Configuration) -> Value

    private static func integer(
        _ key: String, _ store: @escaping Store<Int>, _ range: ClosedRange<Int>, _ fetch: @escaping Fetch<Int>
    ) -> Setting {
        Setting(
            key: key, kind: .integer,
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { values, configuration in
                guard let value = Int(values[0]), range.contains(value) else { return false }
                store(&configuration, value)
                return true
            }, show: { String(fetch($0)) })
    }

    private static func bytes(
        _ key: String, _ store: @escaping Store<Int>, _ range: ClosedRange<Int>, _ fetch: @escaping Fetch<Int>
    ) -> Setting {
        let most = range.upperBound == .max ? "" : " and at most \(range.upperBound >> 20)MiB"
        return Setting(
            key: key, kind: .bytes,
            expected: "bytes, or a number with KiB, MiB or GiB, at least \(range.lowerBound >> 20)MiB\(most)",
            read: { values, configuration in
                guard let value = byteCount(values[0]), range.contains(value) else { return false }
                store(&configuration, value)
                return true
            }, show: { String(fetch($0)) })
    }

    private static func seconds(
        _ key: String, _ store: @escaping Store<Double>, least: Double = 0, _ fetch: @escaping Fetch<Double>
    ) -> Setting {
        // A year: what is longer is a mistake, and overflows elsewhere.
        let range = least...31_536_000
        return Setting(
            key: key, kind: .number, expected: "seconds from \(plain(least)) to \(plain(range.upperBound))",
            read: { values, configuration in
                guard let value = Double(values[0]), range.contains(value) else { return false }
                store(&configuration, value)
                return true
            }, show: { plain(fetch($0)) })
    }

    private static func choice<Value: RawRepresentable<String> & Sendable>(
        _ key: String, _ values: [Value], _ store: @escaping Store<Value>, _ fetch: @escaping Fetch<Value>
    ) -> Setting {
        Setting(
            key: key, kind: .text, expected: "one of " + values.map(\.rawValue).joined(separator: ", "),
            read: { texts, configuration in
                guard let value = Value(rawValue: texts[0]) else { return false }
                store(&configuration, value)
                return true
            }, show: { quoted(fetch($0).rawValue) })
    }
}

/// "1048576", "512MiB", "2 GiB", "1.5GiB": a number of bytes; nil for anything else.
package func byteCount(_ text: String) -> Int? {
    for (unit, size) in [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)] where text.hasSuffix(unit) {
        let number = text.dropLast(unit.count).trimmingCharacters(in: .whitespaces)
        guard let value = Double(number), value >= 0 else { return nil }
        return Int(exactly: (value * Double(size)).rounded())
    }
    return Int(text)
}

extension MetricsEndpoint: CustomStringConvertible {
    /// Nil for what is none of these: `off`, `unix:PATH`, `127.0.0.1:PORT`, `[::1]:PORT`. Other addresses would let the
    /// whole network read.
    package init?(_ text: String) throws {
        if text == "off" {
            self = .off
        } else if text.hasPrefix("unix:") {
            self = .unix(try SocketPath(String(text.dropFirst(5)), environment: [:]))
        } else if let (prefix, host) = [("127.0.0.1:", "127.0.0.1"), ("[::1]:", "::1")].first(where: {
            text.hasPrefix($0.0)
        }), let port = UInt16(text.dropFirst(prefix.count)) {
            self = .tcp(host: host, port: Int(port))
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .off: "off"
        case .unix(let socket): "unix:\(socket)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}

/// Without a fraction where there is none.
private func plain(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? String(value) }

private func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }

/// A TOML basic string (TOML 1.0.0, "String").
private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\u{0}"..."\u{1F}", "\u{7F}":
            let digits = String(scalar.value, radix: 16, uppercase: true)
            out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
