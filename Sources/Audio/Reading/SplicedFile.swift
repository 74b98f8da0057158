import CSndFile
import Glibc

/// A file as libsndfile is shown it: parts of a recording's bytes, one after another, and corrected headers between them.
final class SplicedFile {
    enum Piece: Equatable {
        /// Bytes of the recording.
        case range(Range<Int>)
        /// Bytes in place of the recording's own.
        case made([UInt8])

        var count: Int {
            switch self {
            case .range(let range): range.count
            case .made(let bytes): bytes.count
            }
        }
    }

    private let bytes: RecordingBytes
    private let pieces: [Piece]
    /// Where each piece begins in the whole, and the whole's end.
    private let starts: [Int]
    private var position = 0
    private var size: Int { starts[pieces.count] }

    init(_ bytes: RecordingBytes, _ pieces: [Piece]) {
        self.bytes = bytes
        self.pieces = pieces
        var starts = [0]
        for piece in pieces { starts.append(starts[starts.count - 1] + piece.count) }
        self.starts = starts
    }

    /// Opens it. This object must live until the handle is closed.
    func open(_ info: inout SF_INFO) -> OpaquePointer? {
        var callbacks = SF_VIRTUAL_IO(
            get_filelen: { Int64(SplicedFile.from($0).size) },
            seek: { SplicedFile.from($2).seek($0, whence: $1) },
            read: { SplicedFile.from($2).read(into: $0, count: $1) },
            write: { _, _, _ in 0 },
            tell: { Int64(SplicedFile.from($0).position) })
        return sf_open_virtual(&callbacks, Int32(SFM_READ), &info, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> SplicedFile {
        // The context is always the object that `open` passed.
        Unmanaged<SplicedFile>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// Clamps to the file, as offsets come out of the file's own header.
    private func seek(_ offset: Int64, whence: Int32) -> Int64 {
        let origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : size
        let (target, overflow) = origin.addingReportingOverflow(Int(offset))
        guard !overflow, target >= 0 else { return -1 }
        position = min(target, size)
        return Int64(position)
    }

    private func read(into target: UnsafeMutableRawPointer?, count: Int64) -> Int64 {
        guard let target else { return 0 }
        var rest = UnsafeMutableRawBufferPointer(start: target, count: Int(clamping: max(count, 0)))
        var done = 0
        while !rest.isEmpty, position < size {
            let copied = copy(into: rest)
            guard copied > 0 else { break }
            position += copied
            done += copied
            rest = UnsafeMutableRawBufferPointer(rebasing: rest[copied...])
        }
        return Int64(done)
    }

    /// What there is of the piece at the position.
    private func copy(into target: UnsafeMutableRawBufferPointer) -> Int {
        let index = piece(at: position)
        let offset = position - starts[index]
        let count = min(target.count, pieces[index].count - offset)
        let target = UnsafeMutableRawBufferPointer(rebasing: target[..<count])
        switch pieces[index] {
        case .range(let range): return bytes.copy(from: range.lowerBound + offset, into: target)
        case .made(let made):
            made.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
            return count
        }
    }

    /// The piece that holds the byte at `place`, which is before the end: the last that begins there or earlier.
    private func piece(at place: Int) -> Int {
        var (low, high) = (0, pieces.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= place { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
