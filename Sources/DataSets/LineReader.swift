import Files
import Foundation

/// The lines of a text file of any length, one after another, without having the file in memory.
struct LineReader {
    /// A line that is longer is no line of a data set.
    static let longestLine = 16 << 20

    private let file: FileDescriptor
    private let path: String
    private var buffer: [UInt8] = []
    private var consumed = 0
    private var isAtEnd = false
    /// Of the last line that was read, from 1.
    private(set) var number = 0

    /// - Throws: ``Files/FileError``.
    init(_ path: String) throws {
        self.path = path
        file = try FileDescriptor(reading: path)
    }

    /// The next line without its end (`\n` or `\r\n`), or nil after the last. A byte order mark is left out.
    ///
    mutating func next() throws -> String? {
        guard let bytes = try nextBytes() else { return nil }
        // A name in it may be of other bytes than UTF-8; those stand for themselves, as in ``Files/PathText``.
        return PathText.text(bytes)
    }

    private mutating func nextBytes() throws -> ArraySlice<UInt8>? {
        var searched = consumed
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                return line(upTo: newline, next: newline + 1)
            }
            guard !isAtEnd else {
                return consumed < buffer.count ? line(upTo: buffer.count, next: buffer.count) : nil
            }
            guard buffer.count - consumed <= Self.longestLine else {
                throw DataSetError(
                    .invalidArgument, file: path, line: number + 1,
                    "expected a line of at most \(Self.longestLine) bytes; this one is longer")
            }
            searched = buffer.count - consumed
            buffer.removeFirst(consumed)
            consumed = 0
            try fill()
        }
    }

    private mutating func line(upTo end: Int, next: Int) -> ArraySlice<UInt8> {
        number += 1
        var line = buffer[consumed..<end]
        consumed = next
        if line.last == 0x0D { line.removeLast() }
        if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        return line
    }

    private mutating func fill() throws {
        let size = 1 << 16
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { piece.deallocate() }
        let count = try file.read(into: piece)
        if count == 0 { isAtEnd = true }
        buffer += piece[..<count]
    }
}

/// All of a small text file.
enum TextFile {
    /// Bytes of the largest alignment of one recording.
    static let largest = 64 << 20

    /// The text, in UTF-8, or in UTF-16 where a byte order mark says so.
    /// - Throws: ``Files/FileError``, ``DataSetError``.
    static func read(_ path: String) throws -> String {
        let file = try FileDescriptor(reading: path)
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = try file.read(into: piece)
            if count == 0 { break }
            bytes += piece[..<count]
            guard bytes.count <= largest else {
                throw DataSetError(.invalidArgument, file: path, "expected at most \(largest) bytes; it has more")
            }
        }
        return try text(bytes, path)
    }

    static func text(_ bytes: [UInt8], _ path: String) throws -> String {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            let low = bytes[0] == 0xFF ? 0 : 1
            guard bytes.count % 2 == 0 else {
                throw DataSetError(.dataLoss, file: path, "UTF-16 has two bytes a unit; the file has \(bytes.count)")
            }
            let units = stride(from: 2, to: bytes.count, by: 2).map { place in
                UInt16(bytes[place + low]) | UInt16(bytes[place + 1 - low]) << 8
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw DataSetError(.dataLoss, file: path, "expected UTF-16 text; there are unpaired surrogates")
            }
            return text
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let text = String(validating: bytes[start...], as: UTF8.self) else {
            throw DataSetError(.dataLoss, file: path, "expected UTF-8 or UTF-16 text; there are other bytes")
        }
        return text
    }
}

/// A number as files write it; nil for anything else, and for what is not finite.
func finiteNumber(_ text: some StringProtocol) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }
