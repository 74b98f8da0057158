// One row by B: nothing is read twice, so memory is the limit, and a few panels go by side by side.
//
// The same numbers to the bit as the row has in a larger product: a chain a column, in parts of `depthBlock`.

/// c = start + a · B of one row, over panels of float32; the parameters are ``product``'s.
public func vectorProduct(
    columns: Int, depth: Int, _ a: UnsafePointer<Float>, panels: UnsafePointer<Float>, start: UnsafePointer<Float>?,
    into c: UnsafeMutablePointer<Float>, accumulating: Bool
) {
    vectorProduct(
        columns, depth, a, Panel(panels, isHalf: false),
        TileTarget(c: c, ldc: 0, start: start, accumulating: accumulating, columns: columns))
}

/// The same over panels of half precision.
public func vectorProductOfHalves(
    columns: Int, depth: Int, _ a: UnsafePointer<Float>, panels: UnsafePointer<UInt16>, start: UnsafePointer<Float>?,
    into c: UnsafeMutablePointer<Float>, accumulating: Bool
) {
    vectorProduct(
        columns, depth, a, Panel(panels, isHalf: true),
        TileTarget(c: c, ldc: 0, start: start, accumulating: accumulating, columns: columns))
}

@inline(__always) private func vectorProduct(
    _ columns: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ panels: Panel, _ whole: TileTarget
) {
    var column = 0
    var panel = panels
    while column < columns {
        let side = columns &- column >= 4 &* panelWidth ? 4 : 1
        var k = 0
        repeat {
            let part = min(depthBlock, depth &- k)
            let here = panel.advanced(by: k)
            if side == 4 {
                quad(part, a + k, here, depth, whole, column, k)
            } else {
                tile1(part, a + k, here.streaming(), whole.columns(from: column, after: k))
            }
            k &+= depthBlock
        } while k < depth
        panel = panel.advanced(by: side &* depth)
        column &+= side &* panelWidth
    }
}

/// Four panels from `column` on, `stride` rows apart, at once: eight chains keep both units busy.
@inline(__always) private func quad(
    _ k: Int, _ a: UnsafePointer<Float>, _ b: Panel, _ stride: Int, _ whole: TileTarget, _ column: Int, _ after: Int
) {
    var sums = Quad(b, stride)
    // Each panel asks for what lies ahead in it, and at its end for the beginning of the one that will come in its place.
    let ahead = b.rowsAhead, isEnd = after &+ k == stride
    let turn = isEnd ? max(0, k &- ahead) : k
    sums.add(a, from: 0, to: turn, ahead: ahead)
    sums.add(a, from: turn, to: k, ahead: 3 &* stride &+ ahead)
    whole.columns(from: column, after: after).put(0, sums.r0)
    whole.columns(from: column &+ panelWidth, after: after).put(0, sums.r1)
    whole.columns(from: column &+ 2 &* panelWidth, after: after).put(0, sums.r2)
    whole.columns(from: column &+ 3 &* panelWidth, after: after).put(0, sums.r3)
}

/// Four panels, and the sums of a row by them.
private struct Quad {
    private var b0: Panel, b1: Panel, b2: Panel, b3: Panel
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow(), r3 = TileRow()

    @inline(__always) init(_ b: Panel, _ stride: Int) {
        b0 = b
        b1 = b.advanced(by: stride)
        b2 = b.advanced(by: 2 &* stride)
        b3 = b.advanced(by: 3 &* stride)
    }

    /// Adds a[i] times the panels' next rows; as each is read, that which lies `ahead` rows behind it is asked for.
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, from first: Int, to end: Int, ahead: Int) {
        b0 = b0.fetching(ahead: ahead)
        b1 = b1.fetching(ahead: ahead)
        b2 = b2.fetching(ahead: ahead)
        b3 = b3.fetching(ahead: ahead)
        var i = first
        while i < end {
            r0.add(a[i], b0.next())
            r1.add(a[i], b1.next())
            r2.add(a[i], b2.next())
            r3.add(a[i], b3.next())
            i &+= 1
        }
    }
}
