import Daemon
import Files
import Foundation
import TestSupport
import Testing

@Suite("The daemon's configuration") struct ConfigurationTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func resolve(
        file: String? = nil, _ environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) throws -> Configuration {
        let path = try file.map { try folder.write($0.utf8, to: "auscultd.toml") }
        return try Configuration.resolve(
            flags: flags, environment: environment.merging(["HOME": folder.path]) { own, _ in own }, file: path)
    }

    private func error(
        file: String? = nil, _ environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) -> String? {
        let error = #expect(throws: ConfigurationError.self) { try resolve(file: file, environment, flags: flags) }
        return error?.description.replacing(folder.path + "/", with: "")
    }

    @Test("where nothing is set the defaults hold, and say so")
    func defaults() throws {
        let configuration = try resolve()
        #expect(configuration.models == ["default"])
        #expect(configuration.maxConnections == 64)
        #expect(configuration.maxStreamsPerConnection == 32)
        #expect(configuration.bytesInFlight == 8 << 20)
        #expect(configuration.stallTimeout == 5)
        #expect(configuration.metrics == .off)
        #expect(configuration.socket.path == "/tmp/auscult-\(getuid())/auscult.sock")
        #expect(configuration.text.split(separator: "\n").allSatisfy { $0.hasSuffix("  # default") })
    }

    @Test("a flag counts before a variable, a variable before the file, and each value says where it is from")
    func order() throws {
        let file = "queue_limit = 1\nmax_connections = 1\nmax_unfinished_jobs = 1\n"
        let configuration = try resolve(
            file: file, ["AUSCULTD_QUEUE_LIMIT": "2", "AUSCULTD_MAX_CONNECTIONS": "2"],
            flags: ["queue_limit": ["3"]])
        #expect(configuration.queueLimit == 3)
        #expect(configuration.maxConnections == 2)
        #expect(configuration.maxUnfinishedJobs == 1)
        let text = configuration.text.replacing(folder.path + "/", with: "")
        #expect(text.contains("queue_limit = 3  # --queue-limit\n"))
        #expect(text.contains("max_connections = 2  # $AUSCULTD_MAX_CONNECTIONS\n"))
        #expect(text.contains("max_unfinished_jobs = 1  # auscultd.toml:3\n"))
    }

    @Test("every key can be set in a file, and what is printed is a file that gives the same")
    func allKeys() throws {
        let file = """
            socket = "/run/a b\\"c.sock"
            models = ["tiny", 'C:\\model']
            model_memory_limit = "1.5GiB"
            kept_activations = "0MiB"
            idle_exit = 600
            drain_timeout = 2.5
            max_connections = 1
            max_streams_per_connection = 2
            queue_limit = 0
            max_unfinished_jobs = 4
            bytes_in_flight = 8_000_000
            stall_timeout = 0.5
            log_level = "debug"
            log_format = "json"
            metrics = "unix:/run/m.sock"
            allow_uids = [7, 4294967295]
            data_folder = "/data"
            threads = 3

            """
        let configuration = try resolve(file: file)
        #expect(Set(configuration.sources.keys) == Set(Setting.all.map(\.key)))
        #expect(configuration.socket.path == "/run/a b\"c.sock")
        #expect(configuration.models == ["tiny", "C:\\model"])
        #expect(configuration.modelMemoryLimit == 3 << 29)
        #expect(configuration.keptActivations == 0)
        #expect(configuration.idleExit == 600)
        #expect(configuration.drainTimeout == 2.5)
        #expect(configuration.bytesInFlight == 8_000_000)
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .json)
        #expect(configuration.metrics == .unix(try SocketPath("/run/m.sock")))
        #expect(configuration.allowUIDs == [7, .max])
        #expect(configuration.dataFolder.path == "/data")
        func values(_ text: String) -> [Substring] {
            text.split(separator: "\n").map { $0.prefix(upTo: $0.range(of: "  # ")?.lowerBound ?? $0.endIndex) }
        }
        #expect(values(try resolve(file: configuration.text).text) == values(configuration.text))
    }

    @Test("a variable holds a list with commas between")
    func lists() throws {
        let configuration = try resolve(["AUSCULTD_MODELS": "a,b", "AUSCULTD_ALLOW_UIDS": "1,2"])
        #expect(configuration.models == ["a", "b"])
        #expect(configuration.allowUIDs == [1, 2])
    }

    @Test("AUSCULT_SOCKET, which clients know, counts before the file and after the daemon's own variable")
    func socket() throws {
        let file = "socket = \"/f\"\n"
        #expect(try resolve(file: file, ["AUSCULT_SOCKET": "/c"]).socket.path == "/c")
        #expect(try resolve(file: file, ["AUSCULT_SOCKET": "/c", "AUSCULTD_SOCKET": "/d"]).socket.path == "/d")
        #expect(try resolve(file: file, ["XDG_RUNTIME_DIR": "/r"]).socket.path == "/f")
        #expect(try resolve(["XDG_RUNTIME_DIR": "/r"]).socket.path == "/r/auscult/auscult.sock")
    }

    @Test("the user's own file is read where none is named, and a file that is named must be there")
    func files() throws {
        try DataFolder.create(folder(".config/auscult"))
        try DataFolder.create(folder("x/auscult"))
        try folder.write("threads = 1".utf8, to: ".config/auscult/auscultd.toml")
        try folder.write("threads = 2".utf8, to: "x/auscult/auscultd.toml")
        try folder.write("threads = 3".utf8, to: "named.toml")
        #expect(try resolve().threads == 1)
        #expect(try resolve(["XDG_CONFIG_HOME": folder("x")]).threads == 2)
        #expect(try resolve(["AUSCULTD_CONFIG": folder("named.toml")]).threads == 3)
        #expect(try resolve(file: "threads = 4", ["AUSCULTD_CONFIG": folder("named.toml")]).threads == 4)
        #expect(error(["AUSCULTD_CONFIG": folder("absent")]) == "cannot read absent: No such file or directory")
        #expect(error(["AUSCULTD_CONFIG": folder.path])?.contains("Is a directory") == true)
    }

    @Test(
        "an unknown key is refused with its line and the nearest name",
        arguments: [
            ("queue_limit = 1\n# x\nmax_conections = 2", "3", "max_conections", "; did you mean 'max_connections'?"),
            ("\"quue_limit\" = 1", "1", "quue_limit", "; did you mean 'queue_limit'?"),
            ("\n[limits]\nqueue_limit = 1", "2", "limits", ""),
            ("zzzzzzzzzzzz = 1", "1", "zzzzzzzzzzzz", ""),
        ])
    func unknownKey(file: String, line: String, key: String, hint: String) {
        #expect(error(file: file) == "auscultd.toml:\(line): unknown key '\(key)'\(hint)")
    }

    @Test("an unknown variable is refused with the nearest name")
    func unknownVariable() {
        #expect(
            error(["AUSCULTD_QUEUE_LIMT": "1"])
                == "unknown variable $AUSCULTD_QUEUE_LIMT; did you mean $AUSCULTD_QUEUE_LIMIT?")
    }

    @Test("a value that cannot be is refused with the name of the flag, the variable or the file's key")
    func sources() {
        let expected = "expected a whole number from 1 to 4096, got '0'"
        #expect(error(file: "max_connections = 0") == "auscultd.toml:1: max_connections: \(expected)")
        #expect(error(["AUSCULTD_MAX_CONNECTIONS": "0"]) == "$AUSCULTD_MAX_CONNECTIONS: \(expected)")
        #expect(error(flags: ["max_connections": ["0"]]) == "--max-connections: \(expected)")
    }

    @Test(
        "values out of range, of another type or without sense are refused",
        arguments: [
            "queue_limit = -1", "queue_limit = 1.5", "queue_limit = \"1\"", "queue_limit = [1]", "queue_limit = true",
            "queue_limit = 9223372036854775807", "idle_exit = -1", "idle_exit = nan", "idle_exit = inf",
            "idle_exit = \"5\"", "drain_timeout = 1e300", "stall_timeout = 0", "models = []", "models = [\"\"]",
            "models = \"a\"", "models = [[\"a\"]]", "allow_uids = [-1]", "allow_uids = [4294967296]",
            "allow_uids = [1.5]", "allow_uids = [\"root\"]", "log_level = \"loud\"", "log_format = 1",
            "data_folder = \"data\"", "data_folder = 1979-05-27", "model_memory_limit = \"2GB\"",
            "model_memory_limit = \"1e999GiB\"", "model_memory_limit = \"-1GiB\"", "model_memory_limit = 1",
            "bytes_in_flight = \"3MiB\"", "metrics = \"0.0.0.0:9090\"", "metrics = \"[::]:9090\"",
            "metrics = \"localhost:9090\"", "metrics = \"127.0.0.1\"", "metrics = \"127.0.0.1:65536\"",
            "metrics = \"127.0.0.1:-1\"", "metrics = \"unix:\"", "metrics = \"http://127.0.0.1:1\"",
            "socket = \"\"", "socket = \"/run/\"", "threads = 257",
        ])
    func invalid(line: String) throws {
        let key = line.prefix { $0 != " " }
        let message = try #require(error(file: line))
        #expect(message.hasPrefix("auscultd.toml:1: \(key): "))
        #expect(!message.contains("\n"))
    }

    @Test(
        "what is no TOML is refused with its line",
        arguments: [
            ("queue_limit = 1\nqueue_limit = 2", 2), ("queue_limit", 1), ("\n\nqueue_limit = ", 3),
            ("x = [" + String(repeating: "[", count: 5000), 1), ("a = \"\u{1}\"", 1), ("= 1", 1),
        ])
    func noTOML(text: String, line: Int) {
        #expect(error(file: text)?.hasPrefix("auscultd.toml:\(line): ") == true)
    }

    @Test(
        "a value that TOML cannot read is refused with what its setting expects",
        arguments: [
            (
                "threads = 1\nkept_activations = 64MiB", 2,
                "; kept_activations: expected bytes, or a number with KiB, MiB or GiB"
            ),
            ("socket = /run/a.sock", 1, "; socket: expected a path, in quotes"),
            ("models = a, b", 1, "; models: expected a list of models, each in quotes, in brackets"),
        ])
    func unquoted(text: String, line: Int, expected: String) throws {
        let message = try #require(error(file: text))
        #expect(message.hasPrefix("auscultd.toml:\(line): ") && message.contains(expected), "\(message)")
        #expect(error(file: "queue_limit = 1\nqueue_limit = 2")?.contains("expected a whole number") == false)
    }

    @Test("what is no text, contains a NUL or never ends is refused")
    func noText() throws {
        try folder.write([0x71, 0xFF, 0xFE], to: "bytes")
        #expect(error(["AUSCULTD_CONFIG": folder("bytes")]) == "bytes is not UTF-8, which TOML is")
        #expect(error(file: "threads = 1\n\0threads = x") == "auscultd.toml contains a NUL character")
        #expect(error(file: "data_folder = \"/a\\u0000b\"") == "auscultd.toml contains a NUL character")
        #expect(error(["AUSCULTD_CONFIG": "/dev/zero"])?.contains("longer than 1048576 bytes") == true)
    }

    @Test("metrics are served on loopback addresses and Unix sockets only")
    func metrics() throws {
        #expect(try MetricsEndpoint("127.0.0.1:0") == .tcp(host: "127.0.0.1", port: 0))
        #expect(try MetricsEndpoint("[::1]:9090") == .tcp(host: "::1", port: 9090))
        for text in ["off", "unix:/m", "127.0.0.1:1", "[::1]:65535"] {
            #expect(try MetricsEndpoint(text)?.description == text)
        }
        #expect(throws: FileError.self) { try MetricsEndpoint("unix:/" + String(repeating: "x", count: 107)) }
    }

    @Test("sizes have binary units")
    func sizes() {
        #expect(byteCount("1048576") == 1 << 20)
        #expect(byteCount("2 KiB") == 2048)
        #expect(byteCount("0.5MiB") == 1 << 19)
        #expect(
            ["", "GiB", "xGiB", "1gib", "nanGiB", "infGiB", "1GiB ", "1e30GiB"].allSatisfy { byteCount($0) == nil })
    }
}
