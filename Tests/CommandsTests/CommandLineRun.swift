import Commands
import Foundation
import Synchronization
import TestSupport

/// What a command line did.
struct CommandResult {
    let status: Int32
    let output: String
    let error: String
}

/// Runs a command line in this process, with data of its own.
func auscult(_ arguments: String..., data: TemporaryFolder? = nil) async throws -> CommandResult {
    try await auscult(arguments: arguments, data: data)
}

func auscult(arguments: [String], data: TemporaryFolder? = nil) async throws -> CommandResult {
    let data = try data ?? TemporaryFolder()
    let written = Mutex((output: "", error: ""))
    let console = Console(
        output: { text in written.withLock { $0.output += text } },
        error: { text in written.withLock { $0.error += text } },
        showsProgress: false, environment: ["XDG_DATA_HOME": data.path])
    let status = await Program.run(arguments, console: console)
    return written.withLock { CommandResult(status: status.rawValue, output: $0.output, error: $0.error) }
}

/// The program that was built beside the tests, as a child process.
struct Child {
    let process = Process()
    private let output = Pipe()
    private let error = Pipe()

    /// - Parameter input: its standard input; nothing by default.
    init(
        _ arguments: [String], data: TemporaryFolder, input: Any = FileHandle.nullDevice,
        environment: [String: String] = [:]
    )
        throws
    {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(
            "auscult")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["XDG_DATA_HOME": data.path, "TMPDIR": data.path, "COLUMNS": "80"]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = error
        try process.run()
    }

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
