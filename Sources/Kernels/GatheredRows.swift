/// Products of one row with rows that lie anywhere in memory, by their numbers: attention to tokens whose keys and values
/// several sequences share.
public enum GatheredRows {
    /// out[i] = a · x[rows[i]]; x has rows of `width` elements, `stride` apart.
    public static func dots(
        _ a: UnsafePointer<Float>, _ x: UnsafePointer<Float>, stride: Int, rows: UnsafeBufferPointer<Int32>,
        width: Int, into out: UnsafeMutablePointer<Float>, using implementation: KernelImplementation = .current
    ) {
        guard let numbers = rows.baseAddress else { return }
        if let table = implementation.table { return table.dots(a, x, stride, numbers, rows.count, width, out) }
        for (i, row) in rows.enumerated() {
            var sum = 0.0
            for k in 0..<width { sum += Double(a[k]) * Double(x[Int(row) * stride + k]) }
            out[i] = Float(sum)
        }
    }

    /// out = Σ weights[i] · x[rows[i]].
    public static func weightedSum(
        _ weights: UnsafePointer<Float>, _ x: UnsafePointer<Float>, stride: Int, rows: UnsafeBufferPointer<Int32>,
        width: Int, into out: UnsafeMutablePointer<Float>, using implementation: KernelImplementation = .current
    ) {
        guard let numbers = rows.baseAddress else { return out.update(repeating: 0, count: width) }
        if let table = implementation.table {
            return table.weightedSum(weights, x, stride, numbers, rows.count, width, out)
        }
        for k in 0..<width {
            var sum = 0.0
            for (i, row) in rows.enumerated() { sum += Double(weights[i]) * Double(x[Int(row) * stride + k]) }
            out[k] = Float(sum)
        }
    }
}
