/// Where the contexts of rolling features lie, in encoder frames from the first: on a grid of a quarter of their length.
///
/// Context k has the frames `k·S ..< k·S + C` with S = C/4. The frames that settle in it are those that at least a quarter of it and at
/// most a half of it follow: `k·S + C/2 ..< k·S + 3·C/4`, and in the first one all before them too.
struct RollingContext: Equatable {
    /// Frames of a whole context, C: a multiple of 4.
    let length: Int
    /// k.
    private(set) var index = 0

    init(length: Int) { self.length = length }

    var stride: Int { length / 4 }
    var start: Int { index * stride }
    var end: Int { start + length }
    /// The frame before which all are settled once this context is whole.
    var settledEnd: Int { end - stride }

    mutating func advance() { index += 1 }
}
