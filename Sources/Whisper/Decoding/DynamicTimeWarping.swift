/// The cheapest monotonic path from the first to the last cell of a matrix of costs.
///
/// Steps go one row, one column, or both at once. Sums are kept in single precision and ties broken as
/// openai/whisper's `dtw_cpu` does, so that the path is the same: a step of both only where it is strictly the
/// cheapest, of one row only where strictly, of one column otherwise.
///
/// - Parameter costs: `rows × columns`, row-major.
/// - Returns: the cells of the path, from the first row and column to the last.
package func dynamicTimeWarping(_ costs: [Float], rows: Int, columns: Int) -> [(row: Int, column: Int)] {
    precondition(costs.count == rows * columns, "\(costs.count) costs for \(rows) × \(columns)")
    enum Step: UInt8 { case both, row, column }
    let width = columns + 1
    var sums = [Float](repeating: .infinity, count: (rows + 1) * width)
    var steps = [Step](repeating: .row, count: (rows + 1) * width)
    sums[0] = 0
    for row in 0..<rows {
        for column in 0..<columns {
            let both = sums[row * width + column], down = sums[row * width + column + 1]
            let right = sums[(row + 1) * width + column]
            let (sum, step): (Float, Step) =
                both < down && both < right
                ? (both, .both) : down < both && down < right ? (down, .row) : (right, .column)
            let cell = (row + 1) * width + column + 1
            sums[cell] = Float(Double(costs[row * columns + column]) + Double(sum))
            steps[cell] = step
        }
    }
    var path: [(row: Int, column: Int)] = []
    var row = rows, column = columns
    while row > 0 || column > 0 {
        path.append((row - 1, column - 1))
        let step = row == 0 ? .column : column == 0 ? .row : steps[row * width + column]
        if step != .column { row -= 1 }
        if step != .row { column -= 1 }
    }
    return path.reversed()
}
