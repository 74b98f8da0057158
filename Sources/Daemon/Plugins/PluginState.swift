import Digests
import Files
import Foundation
import Kernels
import Messages
import Whisper

/// What a run has come to so far, in a file: the plugin's own state, the results that it gave on the way, and what both
/// belong to.
///
/// The file: `auscult-state-1\n`, the header's length (8 bytes, little-endian), the header as JSON, the results (each
/// with its recording's number and its length, 8 bytes each), the state.
struct PluginState: Sendable {
    static let magic = Array("auscult-state-1\n".utf8)
    /// Bytes of a header that can be believed.
    private static let longestHeader = 256 << 20

    /// Keeps other runs out of a state's file: two would write over each other's.
    /// - Throws: ``Files/FileError``: `unavailable` where another run of any daemon has it.
    static func lock(_ path: String) throws -> FileLock {
        guard let lock = try FileLock(beside: path) else {
            throw FileError(
                .unavailable, "another run keeps its state in \(path); wait for its end, or name another file")
        }
        return lock
    }

    struct Header: Codable, Sendable, Equatable {
        struct Argument: Codable, Sendable, Equatable {
            var id: String
            var value: String
        }
        struct Shard: Codable, Sendable, Equatable {
            var index: UInt32
            var count: UInt32
        }
        struct Skipped: Codable, Sendable, Equatable {
            var file: String
            var reason: String
        }

        var plugin: String
        var version: String
        var arguments: [Argument]
        var model: String
        var vocabulary: String
        var modelSHA256: String
        /// Nil, in files of older versions, for exact.
        var precision: Precision?
        var dimensions: ModelDimensions
        var interventions: [String]
        var context: EncoderContext
        /// SHA-256 of the recordings' descriptions, of all shards.
        var dataSet: String
        var shard: Shard?
        var seed: UInt64
        /// Of this run or shard.
        var recordings: Int
        /// The first so many of them have been gone through, those that were left out too.
        var done: Int
        var skipped: [Skipped]
        var resultBytes: UInt64 = 0
        var stateBytes: UInt64 = 0
        /// SHA-256 of what follows the header.
        var payloadSHA256 = ""
    }

    /// A result, with the number of the recording after which it came.
    struct Result: Sendable {
        var recording: UInt64
        var result: V1.PluginResult
    }

    var header: Header
    var results: [Result] = []
    var state: [UInt8] = []

    // MARK: - Writing

    /// Writes it, whole or not at all.
    func write(to path: String) throws {
        var payload: [UInt8] = []
        for entry in results {
            let bytes = entry.result.serialized()
            payload += Self.bytes(entry.recording) + Self.bytes(UInt64(bytes.count)) + bytes
        }
        var header = header
        header.resultBytes = UInt64(payload.count)
        header.stateBytes = UInt64(state.count)
        payload += state
        header.payloadSHA256 = try SHA256.hex(of: payload)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = Array(try encoder.encode(header))
        let file = try PendingFile(path)
        for part in [Self.magic, Self.bytes(UInt64(json.count)), json, payload] { try part.withUnsafeBytes(file.write) }
        try file.commit(durably: true)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    // MARK: - Reading

    /// - Throws: ``Files/FileError``; ``ServiceError`` (`dataLoss`) for a file that is none, or is damaged.
    init(path: String) throws {
        func refuse(_ problem: String) -> ServiceError {
            ServiceError(.dataLoss, "\(path) is not the state of a plugin's run: \(problem)")
        }
        let file = try FileDescriptor(path, O_RDONLY)
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { piece.deallocate() }
        while true {
            let count = try file.read(into: piece)
            if count == 0 { break }
            bytes += piece[..<count]
        }
        var rest = bytes[...]
        func number() throws -> Int {
            guard rest.count >= 8 else { throw refuse("it ends too early") }
            let number = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest.removeFirst(8)
            return Int(clamping: number)
        }
        func take(_ count: Int, _ what: String) throws -> ArraySlice<UInt8> {
            guard count <= rest.count else {
                throw refuse("expected \(count) bytes of \(what); there are \(rest.count)")
            }
            defer { rest.removeFirst(count) }
            return rest.prefix(count)
        }
        guard bytes.starts(with: Self.magic) else { throw refuse("it does not begin with auscult-state-1") }
        rest.removeFirst(Self.magic.count)
        let length = try number()
        guard length <= Self.longestHeader else { throw refuse("its header would have \(length) bytes") }
        let json = Data(try take(length, "header"))
        do { header = try JSONDecoder().decode(Header.self, from: json) } catch {
            throw refuse("its header cannot be read: \(error)")
        }
        guard try SHA256.hex(of: rest) == header.payloadSHA256 else {
            throw refuse("its contents are not those that were written (SHA-256 differs)")
        }
        let end = rest.count - Int(clamping: header.resultBytes)
        while rest.count > max(0, end) {
            let recording = UInt64(try number())
            let message = Array(try take(number(), "a result"))
            do { results.append(Result(recording: recording, result: try V1.PluginResult(serialized: message))) } catch
            {
                throw refuse("one of its results cannot be read: \(error)")
            }
        }
        guard rest.count == end, UInt64(rest.count) == header.stateBytes else {
            throw refuse("expected \(header.stateBytes) bytes of state; there are \(rest.count)")
        }
        state = Array(rest)
    }

    init(header: Header, results: [Result] = [], state: [UInt8] = []) {
        self.header = header
        self.results = results
        self.state = state
    }
}

extension PluginState.Header {
    /// What differs from another run of the same kind; nil where nothing does.
    /// - Parameter parts: whether other recordings, and another shard, are another matter.
    func difference(from other: PluginState.Header, parts: Bool) -> String? {
        func differs(_ what: String, _ a: some Equatable, _ b: some Equatable) -> String? {
            "\(a)" == "\(b)" ? nil : "\(what) \(a), and not \(b)"
        }
        func list(_ arguments: [Argument]) -> String {
            arguments.map { "\($0.id)=\($0.value)" }.joined(separator: " ")
        }
        let same =
            differs("the plugin", plugin, other.plugin) ?? differs("its version", version, other.version)
            ?? differs("the arguments", list(arguments), list(other.arguments))
            ?? differs("the model", modelSHA256, other.modelSHA256)
            ?? differs("its precision", (precision ?? .exact).rawValue, (other.precision ?? .exact).rawValue)
            ?? differs("the interventions", interventions, other.interventions)
            ?? differs("the encoder's context", context.rawValue, other.context.rawValue)
            ?? differs("the seed", seed, other.seed)
        guard same == nil, parts else { return same }
        func name(_ shard: Shard?) -> String { shard.map { "\($0.index) of \($0.count)" } ?? "all" }
        return differs("the shard", name(shard), name(other.shard))
            ?? differs(
                "the recordings", "\(recordings) with digest \(dataSet)",
                "\(other.recordings) with digest \(other.dataSet)")
    }
}
