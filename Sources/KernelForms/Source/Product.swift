// C = start + A · B over B in panels.

/// Rows of K that a panel is read for at a time: that part of a panel stays in the first cache while all rows of A
/// go by. Sums of parts are added in C, so long sums lose less than one chain would.
public let depthBlock = 192

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
///
/// - Parameter room: ``widenedCount`` elements where a part of a panel lies as float32 while many rows go by.
public func productOfHalves(
    rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>, lda: Int, panels: UnsafePointer<UInt16>,
    start: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int, accumulating: Bool,
    room: UnsafeMutablePointer<Float>
) {
    let panels = Panel(panels, isHalf: true)
    let whole = TileTarget(c: c, ldc: ldc, start: start, accumulating: accumulating, columns: columns)
    guard widensOnce, rows >= 2 &* tileRows else { return product(rows, columns, depth, a, lda, panels, whole) }
    forEachPart(columns, depth, panels, whole) { k, part, panel, target in
        tile(part, a + k, lda, panel.keeping(room).fetching(ahead: part), target)
        floatStrip(rows &- tileRows, part, a + (tileRows &* lda &+ k), lda, room, target.advanced(by: tileRows))
    }
}

/// Elements of the room that ``productOfHalves`` is given; 0 where it is not used.
public var widenedCount: Int { widensOnce ? depthBlock &* panelWidth : 0 }

@inline(__always) private func product(
    _ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ panels: Panel,
    _ whole: TileTarget
) {
    forEachPart(columns, depth, panels, whole) { k, part, panel, target in
        guard rows >= 2 &* tileRows else { return strip(rows, part, a + k, lda, panel.streaming(), target) }
        tile(part, a + k, lda, panel.fetching(ahead: part), target)
        let rest = a + (tileRows &* lda &+ k)
        strip(rows &- tileRows, part, rest, lda, panel, target.advanced(by: tileRows))
    }
}

/// Calls `body` for each panel and each part of its rows: the part's first row, its rows, the panel from there, where it goes.
@inline(__always) private func forEachPart(
    _ columns: Int, _ depth: Int, _ panels: Panel, _ whole: TileTarget, _ body: (Int, Int, Panel, TileTarget) -> Void
) {
    var column = 0
    var panel = panels
    while column < columns {
        var k = 0
        repeat {
            body(k, min(depthBlock, depth &- k), panel.advanced(by: k), whole.columns(from: column, after: k))
            k &+= depthBlock
        } while k < depth
        panel = panel.advanced(by: depth)
        column &+= panelWidth
    }
}

/// All rows of A by a part of a panel that was widened.
@inline(never) private func floatStrip(
    _ rows: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ target: TileTarget
) {
    strip(rows, depth, a, lda, Panel(b, isHalf: false), target)
}

/// All rows of A by one part of a panel.
@inline(__always) private func strip(
    _ rows: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    var row = 0
    while row &+ tileRows <= rows {
        tile(depth, a + row &* lda, lda, b, target.advanced(by: row))
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

/// `tileRows` rows of A by a part of a panel.
@inline(__always) private func tile(
    _ depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    if tileRows == 8 {
        tile8(depth, a, lda, b, target)
    } else if tileRows == 6 {
        tile6(depth, a, lda, b, target)
    } else {
        tile4(depth, a, lda, b, target)
    }
}
