import Glibc

/// The bytes of a recording, read from anywhere: of an open file, or of memory. One thread uses it.
final class RecordingBytes {
    let size: Int
    private let storage: Storage
    /// The bytes around the last small read: headers are walked a few bytes at a time.
    private var cache: [UInt8] = []
    private var cacheStart = 0

    private static let cacheSize = 1 << 16

    private enum Storage {
        /// Closed with this object.
        case file(Int32)
        case memory([UInt8])
    }

    /// Takes over `descriptor`, a file that can be read from anywhere.
    init(owning descriptor: Int32) {
        storage = .file(descriptor)
        var status = stat()
        size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    init(_ bytes: [UInt8]) {
        storage = .memory(bytes)
        size = bytes.count
    }

    deinit { if case .file(let descriptor) = storage { close(descriptor) } }

    /// The file's descriptor, for a program that is to read it; nil for memory.
    var descriptor: Int32? { if case .file(let descriptor) = storage { descriptor } else { nil } }

    /// Copies what there is from `offset` on, up to the size of `target`. Returns how many bytes; 0 past the end, and
    /// where the file cannot be read.
    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard offset >= 0, offset < size, !target.isEmpty else { return 0 }
        let count = min(target.count, size - offset)
        switch storage {
        case .file(let descriptor):
            return max(SystemCall.retrying { pread(descriptor, target.baseAddress, count, off_t(offset)) }, 0)
        case .memory(let bytes):
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
            return count
        }
    }

    /// `count` bytes from `offset` on; nil where the file does not have them all. For headers: at most 64 KiB.
    func bytes(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, count <= Self.cacheSize, count <= size - offset else { return nil }
        if offset < cacheStart || offset + count > cacheStart + cache.count { fill(from: offset) }
        let start = offset - cacheStart
        guard start + count <= cache.count else { return nil }
        return cache[start..<start + count]
    }

    /// The same with its first index 0.
    func array(at offset: Int, count: Int) -> [UInt8]? { bytes(at: offset, count: count).map(Array.init) }

    /// The first place of `pattern` in `range`.
    func firstPlace(of pattern: [UInt8], in range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        let end = min(range.upperBound, size)
        while offset + pattern.count <= end {
            fill(from: offset)
            let length = min(cache.count, end - offset)
            guard length >= pattern.count else { return nil }
            if let found = Self.place(of: pattern, in: cache, length) { return offset + found }
            // A pattern may lie across the border of two pieces.
            offset += length - pattern.count + 1
        }
        return nil
    }

    private static func place(of pattern: [UInt8], in bytes: [UInt8], _ length: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let first = pattern.first else { return nil }
            var place = 0
            while place + pattern.count <= length {
                guard let next = memchr(base + place, Int32(first), length - pattern.count + 1 - place) else {
                    return nil
                }
                place = UnsafeRawPointer(next) - base
                if memcmp(base + place, pattern, pattern.count) == 0 { return place }
                place += 1
            }
            return nil
        }
    }

    private func fill(from offset: Int) {
        cacheStart = offset
        cache = [UInt8](unsafeUninitializedCapacity: Self.cacheSize) { buffer, count in
            count = copy(from: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

extension Collection<UInt8> {
    /// The unsigned number that the bytes are, the lowest first; of eight bytes what fits.
    var little: Int { reversed().big }

    /// The same, the highest first.
    var big: Int { Int(clamping: reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }

    /// The bytes as the name of a chunk.
    var tag: String { String(decoding: self, as: UTF8.self) }
}

/// The bytes of a number, the lowest first.
func littleBytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

/// The bytes of a number, the highest first.
func bigBytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
