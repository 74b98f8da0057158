/// The plain form of products in fewer bits: what ``WordPanels`` computes, written for reading.
struct PlainWords: Sendable {
    private let element: WordPanels.Element
    private let depth: Int
    private let columns: Int
    /// Whole numbers of −127 ... 127, or numbers of bfloat16; `[columns, depth]`.
    private let numbers: [Float]
    private let scales: [Float]

    init(_ weight: Tensor, of element: WordPanels.Element) {
        self.element = element
        (columns, depth) = (weight.shape[0], weight.shape[1])
        let depth = depth
        let rows = weight.withUnsafeBufferPointer { weight in
            (0..<weight.count / max(depth, 1)).map { Self.reduced(weight[($0 * depth)..<(($0 + 1) * depth)], element) }
        }
        numbers = rows.flatMap(\.numbers)
        scales = rows.map(\.scale)
    }

    var byteCount: Int { (numbers.count + scales.count) * 4 }

    /// One row in fewer bits, and by what it is to be multiplied.
    private static func reduced(
        _ row: Slice<UnsafeBufferPointer<Float>>, _ element: WordPanels.Element
    ) -> (numbers: [Float], scale: Float) {
        guard element == .bytes else { return (row.map(nearestBF16), 1) }
        guard row.allSatisfy(\.isFinite) else { return (row.map { _ in 0 }, .nan) }
        let largest = row.reduce(0) { max($0, $1.magnitude) }
        guard largest >= 1e-30 else { return (row.map { _ in 0 }, 0) }
        let factor = 127 / largest
        return (row.map { ($0 * factor).rounded(.toNearestOrEven) }, largest / 127)
    }

    private static func nearestBF16(_ x: Float) -> Float {
        guard !x.isNaN else { return x }
        let bits = x.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) & 0xffff_0000)
    }

    func multiply(
        _ rows: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ range: Range<Int>, _ bias: UnsafePointer<Float>?,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        for row in 0..<rows {
            let row = (a: UnsafeBufferPointer(start: a + row * lda, count: depth)[...], c: c + row * ldc)
            let (left, scale) = Self.reduced(row.a, element)
            for (i, column) in range.enumerated() {
                var sum = 0.0
                for k in 0..<depth { sum += Double(left[k]) * Double(numbers[column * depth + k]) }
                let value = Float(sum) * scale * scales[column]
                row.c[i] = bias.map { value + $0[i] } ?? value
            }
        }
    }

    func copyColumn(_ column: Int, into out: UnsafeMutablePointer<Float>) {
        for k in 0..<depth { out[k] = numbers[column * depth + k] * scales[column] }
    }
}
