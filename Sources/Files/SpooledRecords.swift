import Foundation
import Synchronization

/// Records that are too many for memory, in a file without a name, which goes with the value and with the process.
///
/// A record is a number that its writer chooses, its length, and so many bytes; both numbers are 8 bytes, little-endian.
package final class SpooledRecords: Sendable {
    private let file: FileDescriptor
    private let end = Mutex(0)

    /// - Throws: ``FileError`` where the folder for large temporary files cannot be written to.
    package init() throws {
        let folder = Self.folder
        // O_TMPFILE, a macro that Swift does not import.
        var number = open(folder, 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        if number < 0 {
            // Not every file system has files without a name.
            var path = Array((folder + "/auscult-XXXXXX").utf8CString)
            number = mkstemp(&path)
            if number >= 0 {
                _ = fcntl(number, F_SETFD, FD_CLOEXEC)
                unlink(path)
            }
        }
        guard number >= 0 else { throw FileError.cannotWrite(folder) }
        file = FileDescriptor(owning: number, path: "a temporary file in \(folder)")
    }

    /// Where large files may lie: `$TMPDIR`, else a folder that is no memory, as `/tmp` often is.
    private static var folder: String {
        if let folder = ProcessInfo.processInfo.environment["TMPDIR"], !folder.isEmpty { return folder }
        return access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp"
    }

    /// Everything that was written so far. What is written later does not change it.
    package var region: RecordRegion { RecordRegion(file, 0..<end.withLock { $0 }) }

    /// - Returns: where the record lies.
    @discardableResult
    package func append(_ number: UInt64, _ bytes: [UInt8]) throws -> RecordRegion {
        try end.withLock { end in
            let start = end
            try write(RecordRegion.head(number, bytes.count), at: start)
            try write(bytes, at: start + RecordRegion.headBytes)
            end += RecordRegion.headBytes + bytes.count
            return RecordRegion(file, start..<end)
        }
    }

    /// Puts all records of a region behind those that are here.
    package func append(_ region: RecordRegion) throws {
        try end.withLock { end in
            try region.forEachPiece { piece in
                try write(Array(piece), at: end)
                end += piece.count
            }
        }
    }

    private func write(_ bytes: [UInt8], at place: Int) throws {
        try bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = pwrite(
                    file.number, UnsafeRawBufferPointer(rebasing: bytes[done...]).baseAddress, bytes.count - done,
                    off_t(place + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw FileError.cannotWrite(file.path) }
                done += count
            }
        }
    }
}

/// Records that lie in a part of a file, in their order.
package struct RecordRegion: Sendable {
    package static let headBytes = 16
    /// Bytes that are read at a time.
    private static let piece = 1 << 20

    private let file: FileDescriptor?
    private let range: Range<Int>

    /// None.
    package init() {
        file = nil
        range = 0..<0
    }

    package init(_ file: FileDescriptor, _ range: Range<Int>) {
        self.file = file
        self.range = range
    }

    package var byteCount: Int { range.count }

    /// Hands over all bytes, a piece of at most 1 MiB at a time.
    package func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var place = range.lowerBound
        while place < range.upperBound {
            let piece = try read(min(Self.piece, range.upperBound - place), at: place)
            try piece.withUnsafeBytes(body)
            place += piece.count
        }
    }

    /// Hands over all records.
    package func forEach(_ body: (_ number: UInt64, _ bytes: [UInt8]) throws -> Void) throws {
        var reader = Reader(self)
        while let record = try reader.next() { try body(record.number, record.bytes) }
    }

    /// Gives one record after another.
    package struct Reader: Sendable {
        private let region: RecordRegion
        private var place: Int

        package init(_ region: RecordRegion) {
            self.region = region
            place = region.range.lowerBound
        }

        /// The same, from behind what another region of the file has.
        package init(_ region: RecordRegion, after earlier: RecordRegion) {
            self.region = region
            place = earlier.range.upperBound
        }

        /// - Throws: ``FileError`` (`inputOutput`) for a record that is longer than what is left.
        package mutating func next() throws -> (number: UInt64, bytes: [UInt8])? {
            let left = region.range.upperBound - place
            guard left > 0 else { return nil }
            guard left >= RecordRegion.headBytes else { throw region.damaged }
            let head = try region.read(RecordRegion.headBytes, at: place)
            let (number, length) = (RecordRegion.number(head[..<8]), RecordRegion.number(head[8...]))
            guard length <= UInt64(left - RecordRegion.headBytes) else { throw region.damaged }
            place += RecordRegion.headBytes
            let bytes = try region.read(Int(length), at: place)
            place += bytes.count
            return (number, bytes)
        }
    }

    static func head(_ number: UInt64, _ count: Int) -> [UInt8] {
        [number, UInt64(count)].flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private var damaged: FileError {
        FileError(.inputOutput, "\(file?.path ?? "") is damaged: a record is longer than what is left of the file")
    }

    private func read(_ count: Int, at place: Int) throws -> [UInt8] {
        guard let file else { throw damaged }
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let read = pread(
                    file.number,
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
                        .baseAddress, count - initialized, off_t(place + initialized))
                if read < 0, errno == EINTR { continue }
                guard read >= 0 else { throw FileError.cannotRead(file.path) }
                guard read > 0 else { throw damaged }
                initialized += read
            }
        }
    }
}
