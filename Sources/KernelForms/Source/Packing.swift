// The layout that products read: a panel is `panelWidth` columns of B, row by row.

import CVectors

/// Lays B out in panels: [⌈columns / panelWidth⌉][depth][panelWidth], zeros behind the last column.
///
/// - Parameters:
///   - transposed: B is [columns, depth] in memory, as PyTorch's weights; else [depth, columns].
///   - ldb: elements between the beginnings of two rows in memory.
///   - out: room for ⌈columns / panelWidth⌉ · depth · panelWidth elements.
public func pack(
    _ b: UnsafePointer<Float>, ldb: Int, depth: Int, columns: Int, transposed: Bool,
    into out: UnsafeMutablePointer<Float>
) {
    var to = out
    var column = 0
    while column < columns {
        let width = min(panelWidth, columns &- column)
        if transposed {
            // Squares in registers where the panel is whole, the rest element by element.
            let squares = width == panelWidth ? depth / Int(VECTORS_SQUARE) &* Int(VECTORS_SQUARE) : 0
            if squares > 0 {
                transpose(b + column &* ldb, ldx: ldb, rows: panelWidth, columns: squares, into: to, ldo: panelWidth)
            }
            var j = 0
            while j < panelWidth {
                let from = b + (column &+ j) &* ldb
                var k = squares
                while k < depth {
                    to[k &* panelWidth &+ j] = j < width ? from[k] : 0
                    k &+= 1
                }
                j &+= 1
            }
        } else {
            var k = 0
            while k < depth {
                let from = b + (k &* ldb &+ column), line = to + k &* panelWidth
                var j = 0
                while j < panelWidth {
                    line[j] = j < width ? from[j] : 0
                    j &+= 1
                }
                k &+= 1
            }
        }
        to += depth &* panelWidth
        column &+= panelWidth
    }
}

/// Lays weights out in panels of half precision: [⌈columns / panelWidth⌉][depth][panelWidth], zeros behind the last column.
///
/// - Parameters:
///   - b: [columns, depth], as PyTorch's weights.
///   - out: room for as many elements as the panels have.
/// - Returns: whether half precision has every value; where not, what was written is of no use.
public func packHalves(
    _ b: UnsafePointer<Float>, depth: Int, columns: Int, into out: UnsafeMutablePointer<UInt16>
) -> Bool {
    var to = out
    var column = 0
    while column < columns {
        let width = min(panelWidth, columns &- column)
        var j = 0
        while j < panelWidth {
            if j < width {
                guard narrowed(b + (column &+ j) &* depth, depth, into: to + j) else { return false }
            } else {
                var k = 0
                while k < depth {
                    to[k &* panelWidth &+ j] = 0
                    k &+= 1
                }
            }
            j &+= 1
        }
        to += depth &* panelWidth
        column &+= panelWidth
    }
    return true
}

/// Writes `count` numbers, `panelWidth` apart; false where half precision has not one of them.
@inline(__always) private func narrowed(
    _ x: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<UInt16>
) -> Bool {
    var k = 0
    while k < count {
        let some = min(lanes, count &- k)
        let values = some == lanes ? load(x + k) : load(x + k, count: some, filler: 0)
        var halves = narrow(values)
        let again = withUnsafeBytes(of: &halves) { widen($0.baseAddress!.assumingMemoryBound(to: UInt16.self)) }
        // Bits, so that −0 and NaN count as what they are.
        guard unsafeBitCast(again, to: VBits.self) == unsafeBitCast(values, to: VBits.self) else { return false }
        var lane = 0
        while lane < some {
            out[(k &+ lane) &* panelWidth] = halves[lane]
            lane &+= 1
        }
        k &+= lanes
    }
    return true
}
