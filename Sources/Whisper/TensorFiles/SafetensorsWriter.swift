import Files

/// Writes safetensors files (see ``SafetensorsFile`` for the format).
///
/// The header comes first in the file and is known last, so the tensors are spooled to a nameless file in the same
/// folder and copied behind the header at the end. For that moment the disk holds them twice.
public final class SafetensorsWriter: TensorFileWriter {
    private let spool: PendingFile
    private var names: TensorNames
    private var entries: [String] = []
    private var end = 0
    private var isOpen = true

    /// - Throws: ``Files/FileError`` (`cannotCreate`) where a file can not be made at `path`.
    public init(path: String) throws {
        self.spool = try PendingFile(path)
        self.names = TensorNames(path: path)
    }

    public func append(_ name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) throws {
        try whileOpen {
            try names.admit(name, type, shape, bytes: bytes.count)
            try spool.write(bytes)
            let extents = shape.map(String.init).joined(separator: ",")
            entries.append(
                "\(JSONValue.quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(extents)],"
                    + "\"data_offsets\":[\(end),\(end + bytes.count)]}")
            end += bytes.count
        }
    }

    public func finish(metadata: [String: String] = [:]) throws {
        try whileOpen {
            let header = header(metadata)
            guard header.count <= SafetensorsFile.maximumHeader else {
                throw WhisperError(
                    .invalidArgument,
                    "\(spool.destination): a header of \(header.count) bytes is more than safetensors allows")
            }
            let file = try PendingFile(spool.destination)
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
            try header.withUnsafeBytes { try file.write($0) }
            try file.append(contentsOf: spool)
            try file.commit()
        }
        isOpen = false
    }

    /// The JSON header, padded with spaces so that the data is aligned to 8 bytes.
    private func header(_ metadata: [String: String]) -> [UInt8] {
        var members = entries
        if !metadata.isEmpty {
            members.insert("\"__metadata__\":\(JSONValue.object(metadata))", at: 0)
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        return header
    }

    /// Runs `body` unless the writer is finished or has failed; a failure closes it.
    private func whileOpen(_ body: () throws -> Void) throws {
        guard isOpen else { throw WhisperError(.invalidArgument, "\(spool.destination): the writer is closed") }
        isOpen = false
        try body()
        isOpen = true
    }
}
