import Client
import Commands
import Foundation
import Logging
import PluginHost
import Synchronization
import TestSupport

@testable import Daemon

/// What a command line did.
struct CommandResult {
    let status: Int32
    let output: String
    let error: String
}

/// Runs a command line in this process, with data and a daemon of its own.
func auscult(_ arguments: String..., data: TemporaryFolder? = nil) async throws -> CommandResult {
    try await auscult(arguments: arguments, data: data)
}

func auscult(arguments: [String], data: TemporaryFolder? = nil) async throws -> CommandResult {
    let data = try data ?? TemporaryFolder()
    let daemon = try await InProcessDaemon(data)
    let result = await daemon.run(arguments)
    await daemon.stop()
    return result
}

/// The real daemon in this process, on a socket beside `data`, and with `data` for its own.
struct InProcessDaemon {
    let environment: [String: String]
    private let server: AuscultServer
    private let serving: Task<Void, Never>
    /// Stay in their places as long as the daemon serves.
    private let plugins: [TestBundle]

    /// - Parameter plugins: the bundles that it finds.
    init(_ data: TemporaryFolder, plugins: [TestBundle] = []) async throws {
        let socket = data.side + "/in-process.sock"
        environment = ["XDG_DATA_HOME": data.path, "AUSCULT_SOCKET": socket]
        let configuration = try Configuration.resolve(
            flags: ["socket": [socket]], environment: ["XDG_DATA_HOME": data.path, "XDG_CONFIG_HOME": data.side])
        let server = AuscultServer(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            catalogue: .bundles(PluginRegistry(searchPath: plugins.map(\.folder.path))))
        try await server.start()
        self.server = server
        self.plugins = plugins
        serving = Task { await server.waitUntilStopped() }
    }

    func stop() async {
        server.requestStop(drainTimeout: .zero)
        await serving.value
    }

    /// Passes of the default model's encoder since it is in memory.
    var encoderPasses: Int { get throws { try server.store.model(nil as String?).model().encoderPasses } }

    func run(_ arguments: String...) async -> CommandResult { await run(arguments) }

    func run(_ arguments: [String]) async -> CommandResult {
        let written = Mutex((output: "", error: ""))
        let console = Console(
            output: { text in written.withLock { $0.output += text } },
            error: { text in written.withLock { $0.error += text } },
            showsProgress: false, environment: environment)
        let status = await Program.run(arguments, console: console)
        return written.withLock { CommandResult(status: status.rawValue, output: $0.output, error: $0.error) }
    }
}

/// The program that was built beside the tests, as a child process. The daemon that it starts is the folder's own, and
/// is stopped when the folder goes.
struct Child {
    let process = Process()
    private let output = Pipe()
    private let error = Pipe()
    /// Stays as long as somebody waits for the program's end.
    private let data: TemporaryFolder

    /// - Parameters:
    ///   - input: its standard input; nothing by default.
    ///   - folder: where it is run; nil for where the tests are.
    init(
        _ arguments: [String], data: TemporaryFolder, input: Any = FileHandle.nullDevice,
        environment: [String: String] = [:], folder: String? = nil
    )
        throws
    {
        self.data = data
        process.executableURL = URL(fileURLWithPath: try Self.built("auscult"))
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.environment = try Self.environment(data).merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = error
        data.atEnd("daemon") { [path = data.path, side = data.side] in Self.stopDaemon(path, side) }
        try process.run()
    }

    /// The path of a program that was built beside the tests.
    static func built(_ name: String) throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return (tests as NSString).deletingLastPathComponent + "/" + name
    }

    static func socket(_ data: TemporaryFolder) -> String { data.side + "/d.sock" }

    static func environment(_ data: TemporaryFolder) throws -> [String: String] {
        try environment(data.path, data.side)
    }

    private static func environment(_ data: String, _ side: String) throws -> [String: String] {
        ProcessInfo.processInfo.environment.merging([
            "XDG_DATA_HOME": data, "TMPDIR": data, "COLUMNS": "80", "XDG_STATE_HOME": side, "XDG_CONFIG_HOME": side,
            "AUSCULT_SOCKET": side + "/d.sock", "AUSCULT_DAEMON": try built("auscultd"),
            // Should a test be killed, its daemon does not stay.
            "AUSCULTD_IDLE_EXIT": "60",
        ]) { $1 }
    }

    private static func stopDaemon(_ data: String, _ side: String) {
        // Its log is there from the moment at which one is started.
        guard FileManager.default.fileExists(atPath: side + "/auscult/auscultd.log") else { return }
        // One that is still starting is waited for, so that it cannot come after its end.
        for arguments in [["status"], ["stop", "--drain", "0"]] {
            let command = Process()
            command.executableURL = (try? built("auscult")).map { URL(fileURLWithPath: $0) }
            command.arguments = arguments
            command.environment = try? environment(data, side)
            command.standardOutput = FileHandle.nullDevice
            command.standardError = FileHandle.nullDevice
            guard (try? command.run()) != nil else { return }
            command.waitUntilExit()
        }
    }

    /// What it writes, for a test that answers while it runs; ``result()`` then has the rest.
    var outputReader: FileHandle { output.fileHandleForReading }

    /// Waits for its end.
    func result() -> CommandResult {
        // Both pipes are drained at once, so that neither fills up.
        let errorText = Mutex("")
        let done = DispatchSemaphore(value: 0)
        let error = error.fileHandleForReading
        Thread.detachNewThread {
            let text = String(decoding: error.readDataToEndOfFile(), as: UTF8.self)
            errorText.withLock { $0 = text }
            done.signal()
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        done.wait()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return CommandResult(status: status, output: text, error: errorText.withLock { $0 })
    }

    static func run(_ arguments: String..., data: TemporaryFolder? = nil) throws -> CommandResult {
        try Child(arguments, data: data ?? TemporaryFolder()).result()
    }
}

/// A WAV file of 16-bit or float samples, in bytes.
enum WAV {
    static func bytes(_ samples: [Int16], rate: UInt32 = 16000) -> [UInt8] {
        file(format: 1, bits: 16, rate: rate, data: samples.flatMap { little($0) })
    }

    static func bytes(float samples: [Float], rate: UInt32 = 16000) -> [UInt8] {
        file(format: 3, bits: 32, rate: rate, data: samples.flatMap { little($0.bitPattern) })
    }

    /// A tone, for tests that need something that is not silence.
    static func tone(seconds: Double) -> [Int16] {
        (0..<Int(seconds * 16000)).map { Int16(8000 * sin(Double($0) * 0.2)) }
    }

    private static func file(format: UInt16, bits: UInt16, rate: UInt32, data: [UInt8]) -> [UInt8] {
        var out = Array("RIFF".utf8) + little(UInt32(36 + data.count)) + Array("WAVEfmt ".utf8) + little(UInt32(16))
        out += little(format) + little(UInt16(1)) + little(rate) + little(rate &* UInt32(bits / 8))
        out += little(bits / 8) + little(bits)
        return out + Array("data".utf8) + little(UInt32(data.count)) + data
    }

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}
