import Files

/// Writes a zip archive of stored (uncompressed) entries, front to back.
///
/// Records are the long ones of zip64 exactly where a size or an offset needs them, so that small archives open
/// everywhere. Layout: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
package final class ZipWriter {
    private struct Entry {
        let name: [UInt8]
        let crc: UInt32
        let size: UInt64
        let offset: UInt64
    }

    private let file: PendingFile
    private let alwaysZip64: Bool
    private var entries: [Entry] = []
    private var offset: UInt64 = 0

    package init(_ file: PendingFile, alwaysZip64: Bool = false) {
        self.file = file
        self.alwaysZip64 = alwaysZip64
    }

    /// Adds an entry that holds `header` and then `data`.
    package func append(_ name: String, header: [UInt8], _ data: UnsafeRawBufferPointer) throws {
        guard name.utf8.count <= 0xFFFF else {
            throw TensorFileError(
                .invalidArgument, "\(file.destination): a name of \(name.utf8.count) bytes is too long for zip")
        }
        var crc = CRC32()
        header.withUnsafeBytes { crc.update($0) }
        crc.update(data)
        let entry = Entry(
            name: Array(name.utf8), crc: crc.value, size: UInt64(header.count) + UInt64(data.count), offset: offset)
        entries.append(entry)
        try write(localHeader(entry))
        try write(header)
        try file.write(data)
        offset += UInt64(data.count)
    }

    /// Writes the central directory; nothing may follow.
    package func finish() throws {
        let start = offset
        for entry in entries { try write(centralHeader(entry)) }
        let size = offset - start
        if alwaysZip64 || entries.count >= 0xFFFF || start >= 0xFFFF_FFFF || size >= 0xFFFF_FFFF {
            try write(longEnd(start: start, size: size))
        }
        var end = ByteBuilder()
        end.append(0x0605_4B50 as UInt32)
        end.append(0 as UInt32)  // one disk
        for _ in 0..<2 { end.append(UInt16(min(entries.count, 0xFFFF))) }
        end.append(UInt32(min(size, 0xFFFF_FFFF)))
        end.append(UInt32(min(start, 0xFFFF_FFFF)))
        end.append(0 as UInt16)  // no comment
        try write(end.bytes)
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file.write($0) }
        offset += UInt64(bytes.count)
    }

    private func isLong(_ entry: Entry) -> Bool {
        alwaysZip64 || entry.size >= 0xFFFF_FFFF || entry.offset >= 0xFFFF_FFFF
    }

    /// What local and central headers have in common, from the version needed to the length of the name.
    private func common(_ entry: Entry) -> ByteBuilder {
        var out = ByteBuilder()
        out.append(isLong(entry) ? 45 : 20 as UInt16)
        out.append(0x0800 as UInt16)  // names are UTF-8
        out.append(0 as UInt16)  // stored
        out.append(0 as UInt16)
        out.append(0x0021 as UInt16)  // 1 January 1980: equal input gives equal files
        out.append(entry.crc)
        for _ in 0..<2 { out.append(isLong(entry) ? 0xFFFF_FFFF : UInt32(entry.size)) }
        out.append(UInt16(entry.name.count))
        return out
    }

    private func localHeader(_ entry: Entry) -> [UInt8] {
        var out = ByteBuilder()
        out.append(0x0403_4B50 as UInt32)
        out.bytes += common(entry).bytes
        out.append(isLong(entry) ? 20 : 0 as UInt16)
        out.bytes += entry.name
        if isLong(entry) { out.appendLongExtra([entry.size, entry.size]) }
        return out.bytes
    }

    private func centralHeader(_ entry: Entry) -> [UInt8] {
        var out = ByteBuilder()
        out.append(0x0201_4B50 as UInt32)
        out.append(45 as UInt16)
        out.bytes += common(entry).bytes
        out.append(isLong(entry) ? 28 : 0 as UInt16)
        out.append(0 as UInt16)  // comment
        out.append(0 as UInt16)  // disk
        out.append(0 as UInt16)  // internal attributes
        out.append(0 as UInt32)  // external attributes
        out.append(isLong(entry) ? 0xFFFF_FFFF : UInt32(entry.offset))
        out.bytes += entry.name
        if isLong(entry) { out.appendLongExtra([entry.size, entry.size, entry.offset]) }
        return out.bytes
    }

    private func longEnd(start: UInt64, size: UInt64) -> [UInt8] {
        let position = offset
        var out = ByteBuilder()
        out.append(0x0606_4B50 as UInt32)
        out.append(44 as UInt64)  // what follows of this record
        out.append(45 as UInt16)
        out.append(45 as UInt16)
        out.append(0 as UInt64)  // one disk
        for _ in 0..<2 { out.append(UInt64(entries.count)) }
        out.append(size)
        out.append(start)
        out.append(0x0706_4B50 as UInt32)  // the locator
        out.append(0 as UInt32)
        out.append(position)
        out.append(1 as UInt32)
        return out.bytes
    }
}

/// Collects little-endian values.
private struct ByteBuilder {
    var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// The zip64 extra field (id 1) with `values`.
    mutating func appendLongExtra(_ values: [UInt64]) {
        append(1 as UInt16)
        append(UInt16(8 * values.count))
        for value in values { append(value) }
    }
}
