import Digests
import Files
import Foundation
import Kernels
import Whisper

/// What a run has come to so far, in a file: the plugin's own state, what was told of recordings on the way, and what both
/// belong to.
///
/// The file: `auscult-state-2\n`, the header's length (8 bytes, little-endian), the header as JSON, the records, the
/// state. A record is a recording's number, its length (8 bytes each), and a ``RunEvent`` as the contract's `PluginEvent`: the recording, a result about
/// it, or a piece of one. Records stay in files; only one is in memory at a time.
struct PluginState: Sendable {
    static let magic = Array("auscult-state-2\n".utf8)
    /// What every version of the file begins with.
    private static let family = Array("auscult-state-".utf8)
    /// Bytes of a header that can be believed.
    private static let longestHeader = 256 << 20

    struct Header: Codable, Sendable, Equatable {
        /// Of auscult.
        var version: String
        var plugin: String
        var pluginVersion: String
        var arguments: [PluginArgument]
        var model: String
        var vocabulary: String
        var modelSHA256: String
        var precision: Precision
        var dimensions: ModelDimensions
        var interventions: [String]
        var context: EncoderContext
        var padding: WindowPadding
        /// SHA-256 of the recordings' descriptions, of all shards.
        var dataSet: String
        var shard: Shard?
        var seed: UInt64
        /// Of this run or shard.
        var recordings: Int
        /// The first so many of them have been gone through, those that were left out too.
        var done: Int
        var skipped: [SkippedRecording]
        var recordBytes: UInt64 = 0
        var stateBytes: UInt64 = 0
        /// SHA-256 of what follows the header.
        var payloadSHA256 = ""
    }

    var header: Header
    /// What was told of recordings that have been gone through, in their order.
    var records = RecordRegion()
    var state: [UInt8] = []

    init(header: Header, records: RecordRegion = RecordRegion(), state: [UInt8] = []) {
        self.header = header
        self.records = records
        self.state = state
    }

    /// Hands over what was told of recordings.
    /// - Throws: ``ServiceError`` (`dataLoss`) for a record that is no event.
    func forEachEvent(_ body: (_ recording: UInt64, RunEvent) throws -> Void) throws {
        try records.forEach { recording, bytes in try body(recording, RunEvent(record: bytes)) }
    }

    // MARK: - Writing

    /// Writes it, whole or not at all.
    func write(to path: String) throws {
        let file = try PendingFile(path)
        try write(file.write)
        try file.commit(durably: true)
    }

    /// Hands over the bytes of the file, a piece at a time.
    func write(_ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        var header = header
        header.recordBytes = UInt64(records.byteCount)
        header.stateBytes = UInt64(state.count)
        let digest = try SHA256()
        try records.forEachPiece { digest.update($0) }
        state.withUnsafeBytes { digest.update($0) }
        header.payloadSHA256 = digest.finish()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = Array(try encoder.encode(header))
        let length = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init)
        for part in [Self.magic, length, json] { try part.withUnsafeBytes(take) }
        try records.forEachPiece(take)
        try state.withUnsafeBytes(take)
    }

    // MARK: - Reading

    /// - Throws: ``Files/FileError``; ``ServiceError`` (`dataLoss`) for a file that is none, or is damaged.
    /// - Parameter name: what messages call it.
    init(path: String, name: String? = nil) throws {
        func refuse(_ problem: String) -> ServiceError {
            ServiceError(.dataLoss, "\(name ?? path) is not the state of a plugin's run: \(problem)")
        }
        let file = try FileDescriptor(reading: path, name: name)
        let size = try file.size
        var place = 0
        func take(_ count: Int, _ what: String) throws -> [UInt8] {
            guard count <= size - place else {
                throw refuse("expected \(count) bytes of \(what); there are \(size - place)")
            }
            defer { place += count }
            var bytes: [UInt8] = []
            try RecordRegion(file, place..<place + count).forEachPiece { bytes += $0 }
            return bytes
        }
        let magic = try take(min(size, Self.magic.count), "magic")
        guard magic == Self.magic else {
            throw refuse(
                magic.starts(with: Self.family)
                    ? "another version of auscult wrote it, whose states this one does not read; run it anew"
                    : "it does not begin with auscult-state-2")
        }
        let length = try take(8, "length").reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= Self.longestHeader else { throw refuse("its header would have \(length) bytes") }
        let json = Data(try take(Int(length), "header"))
        do { header = try JSONDecoder().decode(Header.self, from: json) } catch {
            throw refuse("its header cannot be read: \(error)")
        }
        let (records, state) = (Int(clamping: header.recordBytes), Int(clamping: header.stateBytes))
        guard records <= size - place, state == size - place - records else {
            throw refuse("expected \(header.recordBytes) + \(header.stateBytes) bytes; there are \(size - place)")
        }
        let digest = try SHA256()
        try RecordRegion(file, place..<size).forEachPiece { digest.update($0) }
        guard digest.finish() == header.payloadSHA256 else {
            throw refuse("its contents are not those that were written (SHA-256 differs)")
        }
        self.records = RecordRegion(file, place..<place + records)
        place += records
        self.state = try take(state, "state")
    }
}

extension PluginState.Header {
    /// What differs from another run of the same kind; nil where nothing does.
    /// - Parameter parts: whether other recordings, and another shard, are another matter.
    func difference(from other: PluginState.Header, parts: Bool) -> String? {
        func differs(_ what: String, _ a: some Equatable, _ b: some Equatable) -> String? {
            "\(a)" == "\(b)" ? nil : "\(what) \(a), and not \(b)"
        }
        func list(_ arguments: [PluginArgument]) -> String {
            arguments.map { "\($0.id)=\($0.value)" }.joined(separator: " ")
        }
        let same =
            differs("the plugin", plugin, other.plugin) ?? differs("its version", pluginVersion, other.pluginVersion)
            ?? differs("the arguments", list(arguments), list(other.arguments))
            ?? differs("the model", modelSHA256, other.modelSHA256)
            ?? differs("its precision", precision.rawValue, other.precision.rawValue)
            ?? differs("the interventions", interventions, other.interventions)
            ?? differs("the encoder's context", context.rawValue, other.context.rawValue)
            ?? differs("its padding", padding.rawValue, other.padding.rawValue)
            ?? differs("the seed", seed, other.seed)
        guard same == nil, parts else { return same }
        func name(_ shard: Shard?) -> String { shard.map { "\($0.index) of \($0.count)" } ?? "all" }
        return differs("the shard", name(shard), name(other.shard))
            ?? differs(
                "the recordings", "\(recordings) with digest \(dataSet)",
                "\(other.recordings) with digest \(other.dataSet)")
    }
}
