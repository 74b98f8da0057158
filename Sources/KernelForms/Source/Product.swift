// C = start + A · B over B in panels.

/// Rows of K that a panel is read for at a time: that part of a panel stays in the first cache while all rows of A
/// go by. Sums of parts are added in C, so long sums lose less than one chain would.
public let depthBlock = 384

/// C[rows, columns] = start + A[rows, depth] · B, or C + A · B.
///
/// - Parameters:
///   - lda, ldc: elements between the beginnings of two rows. Rows of A may overlap, as a convolution's do.
///   - panels: B as ``pack(_:ldb:depth:columns:transposed:into:)`` lays it out, zeros behind its last column.
///   - start: a row to add, such as a bias, as many elements as the panels have columns; nil for none.
///   - accumulating: adds to what C holds instead.
public func product(
    rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>, lda: Int, panels: UnsafePointer<Float>,
    start: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int, accumulating: Bool
) {
    product(
        rows, columns, depth, a, lda, Panel(panels, isHalf: false),
        TileTarget(c: c, ldc: ldc, start: start, accumulating: accumulating, columns: columns))
}

/// The same over panels of half precision, widened as they are read: the same numbers to the bit as from panels of
/// float32 with the same values.
public func productOfHalves(
    rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>, lda: Int, panels: UnsafePointer<UInt16>,
    start: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int, accumulating: Bool
) {
    product(
        rows, columns, depth, a, lda, Panel(panels, isHalf: true),
        TileTarget(c: c, ldc: ldc, start: start, accumulating: accumulating, columns: columns))
}

@inline(__always) private func product(
    _ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ panels: Panel,
    _ whole: TileTarget
) {
    var column = 0
    var panel = panels
    while column < columns {
        var k = 0
        repeat {
            let target = whole.columns(from: column, after: k)
            strip(rows, min(depthBlock, depth &- k), a + k, lda, panel.advanced(by: k), target)
            k &+= depthBlock
        } while k < depth
        panel = panel.advanced(by: depth)
        column &+= panelWidth
    }
}

/// All rows of A by one part of a panel.
@inline(__always) private func strip(
    _ rows: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    var row = 0
    while row &+ tileRows <= rows {
        let from = a + row &* lda, to = target.advanced(by: row)
        if tileRows == 8 {
            tile8(depth, from, lda, b, to)
        } else if tileRows == 6 {
            tile6(depth, from, lda, b, to)
        } else {
            tile4(depth, from, lda, b, to)
        }
        row &+= tileRows
    }
    if tileRows > 6, row &+ 4 <= rows {
        tile4(depth, a + row &* lda, lda, b, target.advanced(by: row))
        row &+= 4
    }
    let from = a + row &* lda, to = target.advanced(by: row)
    switch rows &- row {
    case 1: tile1(depth, from, b, to)
    case 2: tile2(depth, from, lda, b, to)
    case 3: tile3(depth, from, lda, b, to)
    case 4: tile4(depth, from, lda, b, to)
    case 5: tile5(depth, from, lda, b, to)
    default: break
    }
}
