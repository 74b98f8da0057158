import Kernels

/// The selection behind TopK and BatchTopK: exact, in linear time, and with one answer for equal values.
public enum LargestValues {
    /// Keeps the `count` largest positive values and makes all others 0; of equal ones at the border the first stay.
    /// - Returns: the smallest value that was kept; nil where none was positive.
    @discardableResult
    public static func keep(_ count: Int, of values: UnsafeMutableBufferPointer<Float>) -> Float? {
        guard let base = values.baseAddress else { return nil }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: values.count) { room in
            guard let places = room.baseAddress else { return nil }
            let kept = find(count, of: base, values.count, into: places)
            let survivors = (0..<kept).map { base[Int(places[$0])] }
            values.update(repeating: 0)
            for (value, place) in zip(survivors, room) { base[Int(place)] = value }
            return survivors.min()
        }
    }

    /// The places of the `count` largest positive values among `total`, in order; of equal ones at the border the first.
    /// - Parameter places: room for `total` of them.
    /// - Returns: how many there are; fewer than `count` where fewer are positive.
    public static func find(
        _ count: Int, of values: UnsafePointer<Float>, _ total: Int, into places: UnsafeMutablePointer<Int32>
    ) -> Int {
        guard count > 0 else { return 0 }
        let bound = max(lowerBound(count, of: values, total), 0)
        let found = Selection.collect(values, count: total, above: bound, into: places)
        guard found > count else { return found }
        return FloatMemory.withScratch(found) { candidates in
            for i in 0..<found { candidates[i] = values[Int(places[i])] }
            let border = ranked(count, of: candidates, found)
            // `ranked` moves what it is given.
            var equal = count
            for i in 0..<found where values[Int(places[i])] > border { equal -= 1 }
            var kept = 0
            for i in 0..<found {
                let value = values[Int(places[i])]
                guard value > border || (value == border && equal > 0) else { continue }
                if value == border { equal -= 1 }
                places[kept] = places[i]
                kept += 1
            }
            return kept
        }
    }

    /// A number that the `count` largest values are above, and few others: for values that are many beside `count`, by the largest of
    /// groups of them. −∞ where it is not worth the search.
    private static func lowerBound(_ count: Int, of values: UnsafePointer<Float>, _ total: Int) -> Float {
        let span = total / (4 * count)
        guard span >= 2 else { return -.infinity }
        return FloatMemory.withScratch(total) { maxima in
            let groups = Selection.maxima(values, count: total, span: span, into: maxima)
            return groups > count ? ranked(count, of: maxima, groups).nextDown : -.infinity
        }
    }

    /// The `rank`-th largest of `count` values (1 ≤ rank ≤ count), which are put into another order.
    public static func ranked(_ rank: Int, of values: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
        // Where halves are cut badly again and again, what is left is sorted.
        var (low, high, rounds) = (0, count - 1, 0)
        let place = rank - 1
        while low < high {
            rounds += 1
            guard rounds < 64 else {
                var rest = UnsafeMutableBufferPointer(start: values + low, count: high - low + 1)
                rest.sort(by: >)
                break
            }
            let pivot = middle(values[low], values[(low + high) / 2], values[high])
            var (i, j) = (low, high)
            while i <= j {
                while i <= high, values[i] > pivot { i += 1 }
                while j >= low, pivot > values[j] { j -= 1 }
                guard i <= j else { break }
                (values[i], values[j]) = (values[j], values[i])
                i += 1
                j -= 1
            }
            if place <= j {
                high = j
            } else if place >= i {
                low = i
            } else {
                break
            }
        }
        return values[place]
    }

    private static func middle(_ a: Float, _ b: Float, _ c: Float) -> Float {
        max(min(a, b), min(max(a, b), c))
    }
}
