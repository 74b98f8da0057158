import CVectors

/// Copies of rows past the caches, for captures that are larger than any of them.
public enum StreamedCopy {
    /// From this size on, in bytes, a result is not read again before it has left the caches.
    public static let threshold = 16 << 20

    /// Copies `rows` rows of `columns` floats, as they are made; others see them after this returns.
    public static func rows(
        _ from: UnsafePointer<Float>, stride: Int, to: UnsafeMutablePointer<Float>, rows: Int, columns: Int
    ) {
        for row in 0..<rows { vectors_stream(from + row * stride, to + row * columns, columns) }
        vectors_stream_fence()
    }
}
