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
            try zip.append("\(name).npy", header: Self.header(descr, shape), bytes)
        }
    }

    public func finish(metadata: [String: String] = [:]) throws {
        try whileOpen {
            let text = Array(JSONValue.object(metadata).utf8)
            try text.withUnsafeBytes {
                try zip.append("__metadata__.npy", header: Self.header("|S\(text.count)", []), $0)
            }
            try zip.finish()
            try file.commit()
        }
        isOpen = false
    }

    /// The magic, version and dictionary before an array's elements, padded to 64 bytes with a newline at the end.
    /// Version 2 has a longer length field for longer dictionaries (numpy's `lib/format.py` describes both).
    private static func header(_ descr: String, _ shape: [Int]) -> [UInt8] {
        let extents = shape.map { "\($0)," }.joined(separator: " ")
        var text = Array("{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
        let isLong = text.count + 64 > 0xFFFF
        let prefix = isLong ? 12 : 10
        while (prefix + text.count + 1) % 64 != 0 { text.append(UInt8(ascii: " ")) }
        text.append(UInt8(ascii: "\n"))

        var header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [isLong ? 2 : 1, 0]
        for shift in stride(from: 0, to: isLong ? 32 : 16, by: 8) { header.append(UInt8(text.count >> shift & 0xFF)) }
        return header + text
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
