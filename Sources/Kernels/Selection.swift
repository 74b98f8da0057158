/// The few large ones among many numbers.
public enum Selection {
    /// The places of the elements above `bound`, in order; a NaN is above nothing.
    /// - Parameter places: room for `count` of them.
    /// - Returns: how many there are.
    public static func collect(
        _ x: UnsafePointer<Float>, count: Int, above bound: Float, into places: UnsafeMutablePointer<Int32>,
        using implementation: KernelImplementation = .current
    ) -> Int {
        if let table = implementation.learning { return table.collect(x, count, bound, places) }
        return plain(count, places) { x[$0] > bound }
    }

    /// The places of the elements above bounds of their own.
    public static func collect(
        _ x: UnsafePointer<Float>, count: Int, aboveEach bounds: UnsafePointer<Float>,
        into places: UnsafeMutablePointer<Int32>, using implementation: KernelImplementation = .current
    ) -> Int {
        if let table = implementation.learning { return table.collectAboveEach(x, count, bounds, places) }
        return plain(count, places) { x[$0] > bounds[$0] }
    }

    /// Maxima of groups of at most `span` elements that together are all: the n-th largest element is no less than the n-th largest of
    /// them. A NaN may be passed over.
    /// - Parameter out: room for `count` of them.
    /// - Returns: how many there are, which depends on `count`, `span` and the processor alone.
    public static func maxima(
        _ x: UnsafePointer<Float>, count: Int, span: Int, into out: UnsafeMutablePointer<Float>,
        using implementation: KernelImplementation = .current
    ) -> Int {
        if let table = implementation.learning { return table.laneMaxima(x, count, span, out) }
        var groups = 0
        for start in stride(from: 0, to: count, by: max(span, 1)) {
            out[groups] = (start..<min(start + max(span, 1), count)).reduce(-.infinity) { max($0, x[$1]) }
            groups += 1
        }
        return groups
    }

    private static func plain(
        _ count: Int, _ places: UnsafeMutablePointer<Int32>, _ isWanted: (Int) -> Bool
    ) -> Int {
        var found = 0
        for i in 0..<count where isWanted(i) {
            places[found] = Int32(i)
            found += 1
        }
        return found
    }
}
