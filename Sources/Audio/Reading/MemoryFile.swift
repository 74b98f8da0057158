import CSndFile
import Glibc

/// A file in memory, as libsndfile's virtual input.
final class MemoryFile {
    private let bytes: UnsafeMutableRawBufferPointer
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 16)
        self.bytes.copyBytes(from: bytes)
    }

    deinit { bytes.deallocate() }

    /// Opens it. This object must live until the handle is closed.
    func open(_ info: inout SF_INFO) -> OpaquePointer? {
        var callbacks = SF_VIRTUAL_IO(
            get_filelen: { Int64(MemoryFile.from($0).bytes.count) },
            seek: { MemoryFile.from($2).seek($0, whence: $1) },
            read: { MemoryFile.from($2).read(into: $0, count: $1) },
            write: { _, _, _ in 0 },
            tell: { Int64(MemoryFile.from($0).position) })
        return sf_open_virtual(&callbacks, Int32(SFM_READ), &info, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> MemoryFile {
        // The context is always the object that `open` passed.
        Unmanaged<MemoryFile>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// Clamps to the file, as offsets come out of the file's own header.
    private func seek(_ offset: Int64, whence: Int32) -> Int64 {
        let origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : bytes.count
        let (target, overflow) = origin.addingReportingOverflow(Int(offset))
        guard !overflow, target >= 0 else { return -1 }
        position = min(target, bytes.count)
        return Int64(position)
    }

    private func read(into target: UnsafeMutableRawPointer?, count: Int64) -> Int64 {
        let available = min(Int(clamping: max(count, 0)), bytes.count - position)
        guard available > 0, let target, let base = bytes.baseAddress else { return 0 }
        target.copyMemory(from: base + position, byteCount: available)
        position += available
        return Int64(available)
    }
}
