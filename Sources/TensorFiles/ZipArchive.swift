/// The entries of a zip archive, in memory or mapped; only what PyTorch and numpy write: stored, not encrypted.
///
/// Everything that the central directory claims is compared with the file: counts, ranges, the local headers, and
/// that no two entries share a byte. A stored entry is as large as its bytes in the file, so nothing here can grow.
/// Layout: PKWARE's APPNOTE.TXT 6.3.
package struct ZipArchive {
    package struct Entry {
        package let name: String
        package let bytes: FileBytes
        /// As recorded; 0 is what PyTorch writes when told to compute none.
        package let crc: UInt32
        /// Where the local header starts; headers and data of different entries do not overlap.
        package let start: Int
        package let end: Int
    }

    package let name: String
    package let entries: [String: Entry]

    package init(_ bytes: FileBytes) throws {
        let directory = try Directory(bytes)
        var cursor = ByteCursor(try bytes.slice(directory.offset, directory.size, of: "the central directory"))
        var entries: [Entry] = []
        for _ in 0..<directory.count { entries.append(try Self.entry(&cursor, in: bytes, before: directory.offset)) }
        guard cursor.remaining == 0 else {
            throw TensorFileError(
                .dataLoss, "\(bytes.name): the zip directory is longer than its \(directory.count) entries")
        }
        try Self.checkDisjoint(entries, archive: bytes.name)
        self.name = bytes.name
        self.entries = try Dictionary(entries.map { ($0.name, $0) }) { first, _ in
            throw TensorFileError(.dataLoss, "\(bytes.name): the zip directory has '\(first.name)' twice")
        }
    }

    private static func checkDisjoint(_ entries: [Entry], archive: String) throws {
        let ordered = entries.sorted { $0.start < $1.start }
        for (entry, next) in zip(ordered, ordered.dropFirst()) where next.start < entry.end {
            throw TensorFileError(.dataLoss, "\(archive): the zip entries '\(entry.name)' and '\(next.name)' overlap")
        }
    }

    /// One record of the central directory and the local header that it points to.
    private static func entry(_ cursor: inout ByteCursor, in bytes: FileBytes, before limit: Int) throws -> Entry {
        var record = try CentralRecord(&cursor)
        guard record.flags & 1 == 0 else {
            throw TensorFileError(.unsupported, "\(bytes.name): the zip entry '\(record.name)' is encrypted")
        }
        guard record.method == 0, record.compressed == record.size else {
            throw TensorFileError(
                .unsupported,
                "\(bytes.name): the zip entry '\(record.name)' is compressed (method \(record.method)); PyTorch stores "
                    + "entries uncompressed, so this file was packed again by something else")
        }
        try record.readLongSizes(archive: bytes.name)
        guard let offset = Int(exactly: record.offset), let size = Int(exactly: record.size) else {
            throw TensorFileError(.dataLoss, "\(bytes.name): the zip entry '\(record.name)' lies outside the file")
        }
        let start = try dataStart(record, header: offset, in: bytes)
        let data = try bytes.slice(start, size, of: "the zip entry '\(record.name)'")
        guard start + size <= limit else {
            throw TensorFileError(.dataLoss, "\(bytes.name): the zip entry '\(record.name)' overlaps the directory")
        }
        return Entry(
            name: record.name, bytes: data.named("\(bytes.name), entry '\(record.name)'"), crc: record.crc,
            start: offset, end: start + size)
    }

    /// Where the bytes of an entry begin, behind its local header.
    private static func dataStart(_ record: CentralRecord, header offset: Int, in bytes: FileBytes) throws -> Int {
        let fixed = try bytes.slice(offset, 30, of: "the header of the zip entry '\(record.name)'")
        guard fixed.integer(at: 0, as: UInt32.self) == 0x0403_4B50,
            let nameLength = fixed.integer(at: 26, as: UInt16.self), let extra = fixed.integer(at: 28, as: UInt16.self),
            try bytes.slice(offset + 30, Int(nameLength), of: "an entry's name").array == Array(record.name.utf8)
        else {
            throw TensorFileError(
                .dataLoss,
                "\(bytes.name): the zip directory points to byte \(offset) for '\(record.name)', "
                    + "where that entry is not")
        }
        return offset + 30 + Int(nameLength) + Int(extra)
    }
}

/// A record of the central directory.
private struct CentralRecord {
    let name: String
    let flags: UInt16
    let method: UInt16
    let crc: UInt32
    private(set) var compressed: UInt64
    private(set) var size: UInt64
    private(set) var offset: UInt64
    private let extra: FileBytes

    init(_ cursor: inout ByteCursor) throws {
        let fixed = try cursor.take(46, "a zip directory record")
        func field<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type) -> T {
            fixed.integer(at: offset, as: type) ?? 0
        }
        guard field(0, UInt32.self) == 0x0201_4B50 else {
            throw TensorFileError(.dataLoss, "\(fixed.name): a zip directory record without its signature")
        }
        self.flags = field(8, UInt16.self)
        self.method = field(10, UInt16.self)
        self.crc = field(16, UInt32.self)
        self.compressed = UInt64(field(20, UInt32.self))
        self.size = UInt64(field(24, UInt32.self))
        self.offset = UInt64(field(42, UInt32.self))
        self.name = try cursor.text(Int(field(28, UInt16.self)), "a zip entry's name")
        self.extra = try cursor.take(Int(field(30, UInt16.self)), "a zip entry's extra fields")
        _ = try cursor.take(Int(field(32, UInt16.self)), "a zip entry's comment")
    }

    /// Takes from the zip64 extra field whatever did not fit in 32 bits.
    mutating func readLongSizes(archive: String) throws {
        guard size == 0xFFFF_FFFF || compressed == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else { return }
        var fields = ByteCursor(extra)
        while fields.remaining > 0 {
            let id = try fields.read(UInt16.self, "an extra field")
            let body = try fields.take(Int(fields.read(UInt16.self, "an extra field")), "an extra field")
            guard id == 1 else { continue }
            var values = ByteCursor(body)
            if size == 0xFFFF_FFFF { size = try values.read(UInt64.self, "a zip64 size") }
            if compressed == 0xFFFF_FFFF { compressed = try values.read(UInt64.self, "a zip64 size") }
            if offset == 0xFFFF_FFFF { offset = try values.read(UInt64.self, "a zip64 offset") }
            guard size == compressed else { break }
            return
        }
        throw TensorFileError(.dataLoss, "\(archive): the zip entry '\(name)' lacks its 64-bit sizes, or they disagree")
    }
}

/// Where the central directory lies.
private struct Directory {
    let offset: Int
    let size: Int
    let count: Int

    init(_ bytes: FileBytes) throws {
        guard let end = Self.endRecord(bytes) else {
            throw TensorFileError(
                .dataLoss, "\(bytes.name) begins like a zip archive but has no directory; is it truncated?")
        }
        func field<T: FixedWidthInteger>(_ at: Int, _ type: T.Type) -> T { bytes.integer(at: at, as: type) ?? 0 }
        var count = UInt64(field(end + 10, UInt16.self))
        var size = UInt64(field(end + 12, UInt32.self))
        var offset = UInt64(field(end + 16, UInt32.self))
        var limit = end
        if field(end - 20, UInt32.self) == 0x0706_4B50 {
            limit = try Self.longEndRecord(bytes, locator: end - 20)
            count = field(limit + 32, UInt64.self)
            size = field(limit + 40, UInt64.self)
            offset = field(limit + 48, UInt64.self)
        }
        // A directory that ends elsewhere than where its end record starts is not the one that was written.
        guard let exactOffset = Int(exactly: offset), let exactSize = Int(exactly: size), exactOffset <= limit,
            exactSize == limit - exactOffset, count <= size / 46
        else {
            throw TensorFileError(
                .dataLoss,
                "\(bytes.name): a zip directory of \(count) entries and \(size) bytes at byte \(offset) does not fit "
                    + "its end record at byte \(limit)")
        }
        self.offset = exactOffset
        self.size = exactSize
        self.count = Int(count)
    }

    /// The end record: the last one whose comment reaches exactly to the end of the file.
    private static func endRecord(_ bytes: FileBytes) -> Int? {
        let last = bytes.count - 22
        guard last >= 0 else { return nil }
        return stride(from: last, through: max(0, last - 0xFFFF), by: -1).first { at in
            bytes.integer(at: at, as: UInt32.self) == 0x0605_4B50
                && bytes.integer(at: at + 20, as: UInt16.self).map(Int.init) == last - at
        }
    }

    private static func longEndRecord(_ bytes: FileBytes, locator: Int) throws -> Int {
        guard let stated = bytes.integer(at: locator + 8, as: UInt64.self), let position = Int(exactly: stated),
            position <= locator - 56, bytes.integer(at: position, as: UInt32.self) == 0x0606_4B50
        else { throw TensorFileError(.dataLoss, "\(bytes.name): the zip64 directory is not where its locator points") }
        return position
    }
}
