import Audio
import Daemon
import Files
import Foundation
import Logging
import Messages
import TestSupport
import Testing
import Wire

/// The tests of the whole daemon. One after another: each has a daemon, or several, that want all cores.
@Suite("The whole daemon", .serialized) enum WholeDaemon {}

/// Runs what blocks on a thread of its own: the daemon under test answers on the threads that tests run on.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// The whole daemon in this process, on a socket and with data of its own.
final class TestDaemon: Sendable {
    let folder: TemporaryFolder
    let server: AuscultServer
    var socket: String { folder("d/s.sock") }

    /// Starts one. ``run(_:_:)`` stops it as well.
    /// - Parameter flags: values of configuration keys.
    init(_ flags: [String: String] = [:], in folder: TemporaryFolder? = nil) async throws {
        let folder = try folder ?? TemporaryFolder()
        let own = ["socket": folder("d/s.sock"), "data_folder": folder("data"), "drain_timeout": "20"]
        let configuration = try Configuration.resolve(
            flags: own.merging(flags) { $1 }.mapValues { [$0] }, environment: ["HOME": folder.path])
        self.folder = folder
        server = AuscultServer(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await server.start()
    }

    /// Serves while `body` runs.
    static func run<R>(_ flags: [String: String] = [:], _ body: (TestDaemon) async throws -> R) async throws -> R {
        let daemon = try await TestDaemon(flags)
        do {
            let result = try await body(daemon)
            await daemon.server.stop()
            return result
        } catch {
            await daemon.server.stop(drainTimeout: .zero)
            throw error
        }
    }

    func connect() async throws -> WireClient { try await WireClient.connect(to: socket) }

    /// Calls once, on a connection of its own.
    func call<Q, A>(_ rpc: RPC<Q, A>, _ request: Q) async throws -> A { try await callOnce(at: socket, rpc, request) }
}

/// Calls once, on a connection of its own.
func callOnce<Q, A>(at socket: String, _ rpc: RPC<Q, A>, _ request: Q) async throws -> A {
    let client = try await WireClient.connect(to: socket)
    do {
        let answer = try await client.call(rpc, request)
        await client.close()
        return answer
    } catch {
        await client.close()
        throw error
    }
}

extension WireClient {
    func status() async throws -> V1.DaemonStatus { try await call(V1.DaemonRPC.status, V1.StatusRequest()) }

    /// The value of a series without labels.
    func metric(_ name: String) async throws -> Double? {
        let text = try await call(V1.DaemonRPC.metrics, V1.MetricsRequest()).text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    /// Nothing computes, waits, or is being answered but the calls that ask.
    func isAtRest() async throws -> Bool {
        let status = try await status()
        let running = try await metric("auscult_engine_running")
        return status.calls.allSatisfy { $0.method == "auscult.v1.Daemon/Status" } && status.queueLength == 0
            && status.jobsRunning == 0 && running == 0
    }

    /// Sends a recording up in pieces.
    func upload(_ bytes: [UInt8], _ encoding: V1.AudioEncoding, piece: Int = 1 << 16) async throws -> V1.UploadedAudio {
        let call = try await open(V1.AudioRPC.upload)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let data = Array(bytes[start..<min(start + piece, bytes.count)])
            try await call.send(V1.UploadChunk(encoding: encoding, data: data))
        }
        try await call.finish()
        return try await call.answer()
    }
}

/// Waits until something is so, for as long as a loaded machine may take.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < deadline else {
            Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Expects a call to fail with this code and reason, in words that name the thing.
func expectFailure(
    _ code: WireError.Code, _ reason: String, naming words: String...,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async {
    let error = await #expect(throws: WireError.self, sourceLocation: sourceLocation) { _ = try await body() }
    guard let error else { return }
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    #expect(error.reason == reason, "\(error)", sourceLocation: sourceLocation)
    for word in words {
        #expect(error.message.contains(word), "'\(error.message)' names no \(word)", sourceLocation: sourceLocation)
    }
}

/// Recordings for requests.
enum Sound {
    /// A short one with a person's voice.
    static let clip = V1.AudioSource(source: .clip("en-slt-01"))

    static func clip(_ name: String) -> V1.AudioSource { V1.AudioSource(source: .clip(name)) }

    /// The samples of a clip.
    static func samples(_ name: String = "en-slt-01") throws -> [Float] {
        let bytes = Array(try DemoClips.audio(of: DemoClips.named(name)).bytes)
        return try SampleBuffer.read(.bytes(bytes, name: name)).readAll()
    }

    static func s16le(_ samples: [Float]) -> [UInt8] {
        samples.flatMap { sample in
            let value = Int16(max(-32768, min(32767, (sample * 32768).rounded())))
            return withUnsafeBytes(of: value.littleEndian, Array.init)
        }
    }

    static func f32le(_ samples: [Float]) -> [UInt8] {
        samples.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    }

    /// A trace that takes a while, of so many seconds of noise: of every window the model writes down what it hears.
    static func longTrace(seconds: Int, in folder: TemporaryFolder, to name: String? = nil) throws -> V1.TraceRequest {
        let file = folder("\(seconds).wav")
        if !FileManager.default.fileExists(atPath: file) { try longRecording(seconds: seconds, at: file) }
        return V1.TraceRequest(
            audio: V1.AudioSource(source: .path(file)), hooks: ["encoder.ln_post", "decoder.ln"], reduction: .mean,
            output: name.map { .file(folder($0)) })
    }

    /// A WAV file of so many seconds of quiet noise.
    static func longRecording(seconds: Int, at path: String) throws {
        let count = UInt32(seconds * 16000 * 2)
        func little(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
        var header = Array("RIFF".utf8) + little(36 + count) + Array("WAVEfmt ".utf8) + little(16)
        header += [1, 0, 1, 0] + little(16000) + little(32000) + [2, 0, 16, 0] + Array("data".utf8) + little(count)
        var generator = SeededGenerator(seed: 7)
        let second = (0..<16000).flatMap { _ in
            withUnsafeBytes(of: Int16.random(in: -500...500, using: &generator).littleEndian, Array.init)
        }
        var data = Data(header)
        for _ in 0..<seconds { data.append(contentsOf: second) }
        try data.write(to: URL(fileURLWithPath: path))
    }
}
