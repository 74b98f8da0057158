import Synchronization

/// Memory for weights, of whatever size, in huge pages: every pass reads all of them, and small pages take longer to find than to read.
///
/// Pieces are cut one after another from chunks, each of which is freed with the last of its pieces. Their values are whatever they were.
final class WeightMemory: @unchecked Sendable {
    // Sendable: a piece is its owner's alone.
    let base: UnsafeMutableRawPointer
    private let size: Int
    private let chunk: Chunk

    /// From here on a piece has a chunk to itself.
    private static let chunkSize = 16 << 20

    private final class Chunk: @unchecked Sendable {
        // Sendable: `used` is changed under the lock alone.
        let base: UnsafeMutableRawPointer
        let size: Int
        var used = 0

        init(_ size: Int) {
            (base, self.size) = (FloatMemory.fresh(size), size)
        }

        deinit { base.deallocate() }
    }

    /// The chunk from which pieces are cut, as long as somebody has one of it.
    private struct Open {
        weak var chunk: Chunk?
    }
    private static let open = Mutex(Open())

    init(byteCount: Int) {
        let size = max(byteCount, 1).rounded(upTo: 64)
        self.size = size
        (chunk, base) = Self.open.withLock { open in
            if let chunk = open.chunk, size <= chunk.size - chunk.used {
                defer { chunk.used += size }
                return (chunk, chunk.base + chunk.used)
            }
            let chunk = Chunk(max(size, Self.chunkSize))
            chunk.used = size
            // A piece of its own size leaves nothing to cut.
            if size < Self.chunkSize { open.chunk = chunk }
            return (chunk, chunk.base)
        }
    }

    deinit {
        // Such as weights that half precision turned out not to have: the next piece is cut there again.
        Self.open.withLock { _ in
            if base + size == chunk.base + chunk.used { chunk.used -= size }
        }
    }
}
