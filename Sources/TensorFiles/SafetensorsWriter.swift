import Files

/// Writes safetensors files (see ``SafetensorsFile`` for the format).
///
/// The header comes first in the file and is known last, so the tensors are spooled to a nameless file in the same
/// folder and copied behind the header at the end. For that moment the disk holds them twice.
public final class SafetensorsWriter: TensorFileWriter {
    private let spool: PendingFile
    private var names: TensorNames
    private var header = SafetensorsHeader()
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
            header.append(name, type, shape, bytes: bytes.count)
        }
    }

    public func finish(metadata: [String: String] = [:]) throws {
        try whileOpen {
            let header = try header.bytes(metadata: metadata, file: spool.destination)
            let file = try PendingFile(spool.destination)
            try header.withUnsafeBytes { try file.write($0) }
            try file.append(contentsOf: spool)
            try file.commit()
        }
        isOpen = false
    }

    /// Runs `body` unless the writer is finished or has failed; a failure closes it.
    private func whileOpen(_ body: () throws -> Void) throws {
        guard isOpen else { throw TensorFileError(.invalidArgument, "\(spool.destination): the writer is closed") }
        isOpen = false
        try body()
        isOpen = true
    }
}
