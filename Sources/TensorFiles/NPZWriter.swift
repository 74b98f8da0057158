import Files

/// Writes numpy's `.npz`: a zip archive of uncompressed `.npy` entries, which `numpy.load` reads.
///
/// The metadata is the entry `__metadata__`, JSON text as numpy bytes: `json.loads(f["__metadata__"].item())`.
public final class NPZWriter: TensorFileWriter {
    private let file: PendingFile
    private let zip: ZipWriter
    private var names: TensorNames
    private var isOpen = true

    /// - Throws: ``Files/FileError`` (`cannotCreate`) where a file can not be made at `path`.
    public convenience init(path: String) throws { try self.init(path: path, alwaysZip64: false) }

    /// - Parameter alwaysZip64: writes the long records that only archives of 4 GiB need, for tests.
    package init(path: String, alwaysZip64: Bool) throws {
        self.file = try PendingFile(path)
        self.zip = ZipWriter(file, alwaysZip64: alwaysZip64)
        self.names = TensorNames(path: path)
    }

    public func append(_ name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) throws {
        try whileOpen {
            try names.admit(name, type, shape, bytes: bytes.count)
            guard let descr = Self.descr(type) else {
                throw TensorFileError(.unsupported, "\(file.destination): numpy has no type for \(type.rawValue)")
            }
            try zip.append("\(name).npy", header: NPYHeader.bytes(type: descr, shape: shape), bytes)
        }
    }

    public func finish(metadata: [String: String] = [:]) throws {
        try whileOpen {
            let text = Array(JSONValue.object(metadata).utf8)
            try text.withUnsafeBytes {
                try zip.append("__metadata__.npy", header: NPYHeader.bytes(type: "|S\(text.count)", shape: []), $0)
            }
            try zip.finish()
            try file.commit()
        }
        isOpen = false
    }

    /// numpy's name of a type: byte order, kind, bytes.
    private static func descr(_ type: ElementType) -> String? {
        switch type {
        case .float64: "<f8"
        case .float32: "<f4"
        case .float16: "<f2"
        case .int64: "<i8"
        case .int32: "<i4"
        case .int16: "<i2"
        case .int8: "|i1"
        case .uint64: "<u8"
        case .uint32: "<u4"
        case .uint16: "<u2"
        case .uint8: "|u1"
        case .bool: "|b1"
        case .bfloat16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: nil
        }
    }

    /// Runs `body` unless the writer is finished or has failed; a failure closes it.
    private func whileOpen(_ body: () throws -> Void) throws {
        guard isOpen else { throw TensorFileError(.invalidArgument, "\(file.destination): the writer is closed") }
        isOpen = false
        try body()
        isOpen = true
    }
}
