/// The selection behind TopK and BatchTopK: exact, in linear time, and with one answer for equal values.
public enum LargestValues {
    /// Keeps the `count` largest positive values and makes all others 0; of equal ones at the border the first stay.
    /// - Returns: the smallest value that was kept; nil where none was positive.
    @discardableResult
    public static func keep(_ count: Int, of values: UnsafeMutableBufferPointer<Float>) -> Float? {
        // Positive floats are ordered as their bits are, so the border is found eleven, ten and ten bits at a time.
        var prefix: UInt32 = 0, left = count
        var positive = 0
        for index in values.indices {
            if values[index] > 0 { positive += 1 } else { values[index] = 0 }
        }
        guard count > 0, positive > 0 else {
            values.update(repeating: 0)
            return nil
        }
        guard positive > count else { return values.lazy.filter { $0 > 0 }.min() }
        var histogram = [Int](repeating: 0, count: 2048)
        for (shift, bits) in [(20, 11), (10, 10), (0, 10)] {
            let mask = (UInt32(1) << UInt32(bits)) - 1
            for index in histogram.indices { histogram[index] = 0 }
            for value in values where value > 0 && value.bitPattern >> UInt32(shift + bits) == prefix {
                histogram[Int(value.bitPattern >> UInt32(shift) & mask)] += 1
            }
            var bucket = Int(mask)
            while bucket > 0, histogram[bucket] < left {
                left -= histogram[bucket]
                bucket -= 1
            }
            prefix = prefix << UInt32(bits) | UInt32(bucket)
        }
        for index in values.indices where values[index] > 0 {
            let bits = values[index].bitPattern
            if bits == prefix, left > 0 { left -= 1 } else if bits <= prefix { values[index] = 0 }
        }
        return Float(bitPattern: prefix)
    }
}
