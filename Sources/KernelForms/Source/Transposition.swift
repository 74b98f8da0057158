// Rows to columns, a square in registers at a time.

import CVectors

/// out[column][row] = x[row][column]; `ldx` and `ldo` are the elements between the beginnings of two rows.
public func transpose(
    _ x: UnsafePointer<Float>, ldx: Int, rows: Int, columns: Int, into out: UnsafeMutablePointer<Float>, ldo: Int
) {
    let side = Int(VECTORS_SQUARE)
    var row = 0
    while row &+ side <= rows {
        let from = x + row &* ldx, to = out + row
        var column = 0
        while column &+ side <= columns {
            vectors_transpose(from + column, ldx, to + column &* ldo, ldo)
            column &+= side
        }
        transposeSome(from, ldx, 0, side, column, columns, to, ldo)
        row &+= side
    }
    transposeSome(x, ldx, row, rows, 0, columns, out, ldo)
}

/// What fills no square.
@inline(__always) private func transposeSome(
    _ x: UnsafePointer<Float>, _ ldx: Int, _ firstRow: Int, _ rows: Int, _ firstColumn: Int, _ columns: Int,
    _ out: UnsafeMutablePointer<Float>, _ ldo: Int
) {
    var row = firstRow
    while row < rows {
        var column = firstColumn
        while column < columns {
            out[column &* ldo &+ row] = x[row &* ldx &+ column]
            column &+= 1
        }
        row &+= 1
    }
}
