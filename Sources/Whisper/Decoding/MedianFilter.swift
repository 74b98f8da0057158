/// The median of each value and its neighbours, `width` of them in all; past the ends the values are mirrored
/// about the first and the last. A row no longer than half the width stays as it is.
///
/// As openai/whisper's `median_filter`, for one row. `width` is odd.
package func medianFiltered(_ row: [Float], width: Int) -> [Float] {
    precondition(width > 0 && width % 2 == 1, "a median of \(width) values")
    let half = width / 2
    guard row.count > half else { return row }
    let last = row.count - 1
    let padded = (-half...last + half).map { i in row[i < 0 ? -i : i > last ? 2 * last - i : i] }
    var window = [Float](repeating: 0, count: width)
    return row.indices.map { start in
        // Insertion sort: the fastest for the seven values that are usual.
        for i in 0..<width {
            let value = padded[start + i]
            var place = i
            while place > 0, window[place - 1] > value {
                window[place] = window[place - 1]
                place -= 1
            }
            window[place] = value
        }
        return window[half]
    }
}
