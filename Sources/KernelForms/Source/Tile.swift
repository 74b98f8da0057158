// The innermost loop of every product: a tile of C stays in registers while K goes by.
//
// A tile is `tileRows` rows of A by one panel of B, two vectors wide. Its accumulators are named locals, because only those
// are sure to stay in registers. A row's numbers do not depend on which rows are computed beside it: each is one chain of
// fused products in the order of K, so a product of one row equals the same row of a large one to the bit.

import CVectors

/// Columns of a panel of B.
let panelWidth = 2 * lanes

/// One row of a tile: `panelWidth` sums.
struct TileRow {
    var left: V
    var right: V

    @inline(__always) init() {
        left = V(repeating: 0)
        right = V(repeating: 0)
    }

    /// Adds x · b.
    @inline(__always) mutating func add(_ x: Float, _ b: PanelRow) {
        let x = V(repeating: x)
        left = fma(x, b.left, left)
        right = fma(x, b.right, right)
    }
}

/// How far ahead of what is read memory is asked for where nothing is read twice, in bytes: a page, at whose end the processor's own
/// foresight ends.
let streamAhead = 4096

/// One row of a panel of B.
struct PanelRow {
    let left: V
    let right: V
}

/// Rows of a panel of B from some row on, of float32 or of half precision, which is widened as it is read.
///
/// `isHalf` is a literal wherever a panel is made, and so is whether it keeps or fetches rows: each product is compiled for one kind.
struct Panel {
    private let base: UnsafeRawPointer
    let isHalf: Bool
    /// Where a row of halves is left as float32 once it has been read; nil where nobody reads it again.
    private let kept: UnsafeMutablePointer<Float>?
    /// How many rows ahead of the one that is read memory is asked for; nil for none.
    private let ahead: Int?

    @inline(__always) init(
        _ base: UnsafeRawPointer, isHalf: Bool, keeping kept: UnsafeMutablePointer<Float>? = nil, ahead: Int? = nil
    ) {
        self.base = base
        self.isHalf = isHalf
        self.kept = kept
        self.ahead = ahead
    }

    /// The same rows, each of which is left in `memory` as float32 once it has been read.
    @inline(__always) func keeping(_ memory: UnsafeMutablePointer<Float>) -> Panel {
        Panel(base, isHalf: isHalf, keeping: memory, ahead: ahead)
    }

    /// The same rows; as each is read, that which lies `rows` behind it is asked for. The first tile of many reads a part of a panel from far
    /// away and the others from near by: so what the next part's first tile will read is on its way meanwhile.
    @inline(__always) func fetching(ahead rows: Int) -> Panel {
        Panel(base, isHalf: isHalf, keeping: kept, ahead: rows)
    }

    /// How many rows ahead is far enough for one that reads them once, from memory.
    @inline(__always) var rowsAhead: Int { streamAhead / rowBytes }

    /// The same rows, for one that reads them once, from memory.
    @inline(__always) func streaming() -> Panel { fetching(ahead: rowsAhead) }

    @inline(__always) private var rowBytes: Int { panelWidth &* (isHalf ? 2 : 4) }

    @inline(__always) func advanced(by rows: Int) -> Panel {
        Panel(
            base + rows &* rowBytes, isHalf: isHalf, keeping: kept.map { $0 + rows &* panelWidth }, ahead: ahead)
    }

    /// Reads the row and goes on to the next. (No `defer`: its body is a function of its own, and one that is not inlined has the tile's
    /// sums put into memory for every row.)
    @inline(__always) mutating func next() -> PanelRow {
        let row = read()
        self = advanced(by: 1)
        return row
    }

    @inline(__always) private func read() -> PanelRow {
        if let ahead {
            vectors_fetch(base + ahead &* rowBytes)
            if rowBytes > 64 { vectors_fetch(base + (ahead &* rowBytes &+ 64)) }
        }
        guard isHalf else {
            let floats = base.assumingMemoryBound(to: Float.self)
            return PanelRow(left: load(floats), right: load(floats + lanes))
        }
        let halves = base.assumingMemoryBound(to: UInt16.self)
        let row = PanelRow(left: widen(halves), right: widen(halves + lanes))
        if let kept {
            store(row.left, kept)
            store(row.right, kept + lanes)
        }
        return row
    }
}

/// Where a tile goes: C = start + A · B, C + A · B, or A · B alone.
struct TileTarget {
    let c: UnsafeMutablePointer<Float>
    let ldc: Int
    /// What is added to each row, `panelWidth` elements, such as a bias.
    let start: UnsafePointer<Float>?
    /// Adds to what C holds; `start` then counts for nothing.
    let accumulating: Bool
    /// Columns of the panel that C has.
    let columns: Int

    @inline(__always) func put(_ row: Int, _ sum: TileRow) {
        let to = c + row &* ldc
        if columns < panelWidth {
            putSome(to, sum)
        } else if accumulating {
            store(load(to) + sum.left, to)
            store(load(to + lanes) + sum.right, to + lanes)
        } else if let start {
            store(load(start) + sum.left, to)
            store(load(start + lanes) + sum.right, to + lanes)
        } else {
            store(sum.left, to)
            store(sum.right, to + lanes)
        }
    }

    /// The last panel, of which C has some columns.
    @inline(never) private func putSome(_ to: UnsafeMutablePointer<Float>, _ sum: TileRow) {
        var column = 0
        while column < columns {
            let value = column < lanes ? sum.left[column] : sum.right[column &- lanes]
            if accumulating {
                to[column] += value
            } else if let start {
                to[column] = start[column] + value
            } else {
                to[column] = value
            }
            column &+= 1
        }
    }

    /// The panel that begins at `column`, after `depth` rows of B went into it.
    @inline(__always) func columns(from column: Int, after depth: Int) -> TileTarget {
        TileTarget(
            c: c + column, ldc: ldc, start: start.map { $0 + column }, accumulating: accumulating || depth > 0,
            columns: min(panelWidth, columns &- column))
    }

    /// The same `rows` rows further down.
    @inline(__always) func advanced(by rows: Int) -> TileTarget {
        TileTarget(c: c + rows &* ldc, ldc: ldc, start: start, accumulating: accumulating, columns: columns)
    }
}

@inline(__always) func tile1(_ k: Int, _ a: UnsafePointer<Float>, _ b: Panel, _ target: TileTarget) {
    var r0 = TileRow()
    var b = b
    var i = 0
    while i < k {
        r0.add(a[i], b.next())
        i &+= 1
    }
    target.put(0, r0)
}

@inline(__always) func tile2(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda
    var r0 = TileRow(), r1 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
}

@inline(__always) func tile3(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        r2.add(a2[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
}

@inline(__always) func tile4(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow(), r3 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        r2.add(a2[i], row)
        r3.add(a3[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
}

@inline(__always) func tile5(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda, a4 = a + 4 &* lda
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow(), r3 = TileRow()
    var r4 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        r2.add(a2[i], row)
        r3.add(a3[i], row)
        r4.add(a4[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
    target.put(4, r4)
}

@inline(__always) func tile6(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda, a4 = a + 4 &* lda
    let a5 = a + 5 &* lda
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow(), r3 = TileRow()
    var r4 = TileRow(), r5 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        r2.add(a2[i], row)
        r3.add(a3[i], row)
        r4.add(a4[i], row)
        r5.add(a5[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
    target.put(4, r4)
    target.put(5, r5)
}

@inline(__always) func tile8(
    _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: Panel, _ target: TileTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda, a4 = a + 4 &* lda
    let a5 = a + 5 &* lda, a6 = a + 6 &* lda, a7 = a + 7 &* lda
    var r0 = TileRow(), r1 = TileRow(), r2 = TileRow(), r3 = TileRow()
    var r4 = TileRow(), r5 = TileRow(), r6 = TileRow(), r7 = TileRow()
    var b = b
    var i = 0
    while i < k {
        let row = b.next()
        r0.add(a[i], row)
        r1.add(a1[i], row)
        r2.add(a2[i], row)
        r3.add(a3[i], row)
        r4.add(a4[i], row)
        r5.add(a5[i], row)
        r6.add(a6[i], row)
        r7.add(a7[i], row)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
    target.put(4, r4)
    target.put(5, r5)
    target.put(6, r6)
    target.put(7, r7)
}

/// Rows and columns of the tile of this instruction set.
public var tileShape: (rows: Int, columns: Int) { (tileRows, panelWidth) }
