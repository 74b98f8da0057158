// The innermost loop of products of words: ``Tile.swift``'s, with whole numbers for sums where elements are bytes.
//
// `isBytes` is a literal wherever a panel is made, so each product is compiled for one kind. Sums of bfloat16 are float32 in the
// same registers.

import CVectors

/// One row of a tile: `panelWidth` sums.
struct WordRow {
    var left: VBits
    var right: VBits

    @inline(__always) init(_ start: WordStart) {
        left = start.left
        right = start.right
    }

    /// Adds the products within the words of x and b.
    @inline(__always) mutating func add(_ x: Int32, _ b: WordPanelRow, _ isBytes: Bool) {
        let x = VBits(repeating: x)
        if isBytes {
            left = dotBytes(left, x, b.left)
            right = dotBytes(right, x, b.right)
        } else {
            left = unsafeBitCast(dotBF16(unsafeBitCast(left, to: V.self), x, b.left), to: VBits.self)
            right = unsafeBitCast(dotBF16(unsafeBitCast(right, to: V.self), x, b.right), to: VBits.self)
        }
    }
}

/// What the sums of a panel's columns begin with.
struct WordStart {
    let left: VBits
    let right: VBits

    /// - Parameter starts: those of the panel's columns; nil for zeros.
    @inline(__always) init(_ starts: UnsafePointer<Int32>?) {
        if let starts, byteOffset != 0 {
            left = UnsafeRawPointer(starts).loadUnaligned(as: VBits.self)
            right = UnsafeRawPointer(starts + lanes).loadUnaligned(as: VBits.self)
        } else {
            left = VBits(repeating: 0)
            right = VBits(repeating: 0)
        }
    }
}

/// One row of words of a panel of B.
struct WordPanelRow {
    let left: VBits
    let right: VBits
}

/// Rows of words of a panel of B from some row on.
struct WordPanel {
    private let base: UnsafeRawPointer
    let isBytes: Bool
    /// How many rows ahead of the one that is read memory is asked for, as ``Panel`` does; nil for none.
    private let ahead: Int?

    @inline(__always) init(_ base: UnsafeRawPointer, isBytes: Bool, ahead: Int? = nil) {
        self.base = base
        self.isBytes = isBytes
        self.ahead = ahead
    }

    @inline(__always) private var rowBytes: Int { panelWidth &* (isBytes ? wordDepth : 4) }

    @inline(__always) func advanced(by rows: Int) -> WordPanel {
        WordPanel(base + rows &* rowBytes, isBytes: isBytes, ahead: ahead)
    }

    /// The same rows; as each is read, that which lies `rows` behind it is asked for.
    @inline(__always) func fetching(ahead rows: Int) -> WordPanel { WordPanel(base, isBytes: isBytes, ahead: rows) }

    /// How many rows ahead is far enough for one that reads them once, from memory.
    @inline(__always) var rowsAhead: Int { streamAhead / rowBytes }

    /// Reads the row and goes on to the next; without a `defer`, as ``Panel/next()``.
    @inline(__always) mutating func next() -> WordPanelRow {
        let row = read()
        self = advanced(by: 1)
        return row
    }

    @inline(__always) private func read() -> WordPanelRow {
        if let ahead {
            vectors_fetch(base + ahead &* rowBytes)
            if rowBytes > 64 { vectors_fetch(base + (ahead &* rowBytes &+ 64)) }
        }
        if isBytes {
            return WordPanelRow(left: loadBytes(base), right: loadBytes(base + lanes &* wordDepth))
        }
        return WordPanelRow(
            left: base.loadUnaligned(as: VBits.self), right: (base + lanes &* 4).loadUnaligned(as: VBits.self))
    }
}

/// Where a tile goes: C = sums · rowScales · columnScales + bias of bytes, C = sums + bias of bfloat16.
struct WordTarget {
    let c: UnsafeMutablePointer<Float>
    let ldc: Int
    /// By which each row is to be multiplied; nil of bfloat16, and so are the columns'.
    let rowScales: UnsafePointer<Float>?
    let columnScales: UnsafePointer<Float>?
    let bias: UnsafePointer<Float>?
    /// Columns of the panel that C has.
    let columns: Int

    @inline(__always) func put(_ row: Int, _ sum: WordRow) {
        let to = c + row &* ldc
        let left = scaled(sum.left, row, 0), right = scaled(sum.right, row, lanes)
        if columns < panelWidth {
            putSome(to, left, right)
        } else if let bias {
            store(left + load(bias), to)
            store(right + load(bias + lanes), to + lanes)
        } else {
            store(left, to)
            store(right, to + lanes)
        }
    }

    @inline(__always) private func scaled(_ sum: VBits, _ row: Int, _ column: Int) -> V {
        guard let rowScales, let columnScales else { return unsafeBitCast(sum, to: V.self) }
        return float(sum) * V(repeating: rowScales[row]) * load(columnScales + column)
    }

    /// The last panel, of which C has some columns.
    @inline(never) private func putSome(_ to: UnsafeMutablePointer<Float>, _ left: V, _ right: V) {
        var column = 0
        while column < columns {
            let value = column < lanes ? left[column] : right[column &- lanes]
            to[column] = bias.map { value + $0[column] } ?? value
            column &+= 1
        }
    }

    /// The panel that begins at `column`.
    @inline(__always) func columns(from column: Int) -> WordTarget {
        WordTarget(
            c: c + column, ldc: ldc, rowScales: rowScales, columnScales: columnScales.map { $0 + column },
            bias: bias.map { $0 + column }, columns: min(panelWidth, columns &- column))
    }

    /// The same rows further down.
    @inline(__always) func advanced(by rows: Int) -> WordTarget {
        WordTarget(
            c: c + rows &* ldc, ldc: ldc, rowScales: rowScales.map { $0 + rows }, columnScales: columnScales,
            bias: bias,
            columns: columns)
    }
}

@inline(__always) func wordTile1(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ from: WordStart, _ target: WordTarget
) {
    var r0 = WordRow(from)
    var b = b
    var i = 0
    while i < words {
        let row = b.next()
        r0.add(a[i], row, b.isBytes)
        i &+= 1
    }
    target.put(0, r0)
}

@inline(__always) func wordTile2(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ from: WordStart, _ target: WordTarget
) {
    let a1 = a + lda
    var r0 = WordRow(from), r1 = WordRow(from)
    var b = b
    var i = 0
    while i < words {
        let row = b.next()
        r0.add(a[i], row, b.isBytes)
        r1.add(a1[i], row, b.isBytes)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
}

@inline(__always) func wordTile4(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ from: WordStart, _ target: WordTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda
    var r0 = WordRow(from), r1 = WordRow(from), r2 = WordRow(from), r3 = WordRow(from)
    var b = b
    var i = 0
    while i < words {
        let row = b.next()
        r0.add(a[i], row, b.isBytes)
        r1.add(a1[i], row, b.isBytes)
        r2.add(a2[i], row, b.isBytes)
        r3.add(a3[i], row, b.isBytes)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
}

@inline(__always) func wordTile6(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ from: WordStart, _ target: WordTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda, a4 = a + 4 &* lda
    let a5 = a + 5 &* lda
    var r0 = WordRow(from), r1 = WordRow(from), r2 = WordRow(from), r3 = WordRow(from)
    var r4 = WordRow(from), r5 = WordRow(from)
    var b = b
    var i = 0
    while i < words {
        let row = b.next()
        r0.add(a[i], row, b.isBytes)
        r1.add(a1[i], row, b.isBytes)
        r2.add(a2[i], row, b.isBytes)
        r3.add(a3[i], row, b.isBytes)
        r4.add(a4[i], row, b.isBytes)
        r5.add(a5[i], row, b.isBytes)
        i &+= 1
    }
    target.put(0, r0)
    target.put(1, r1)
    target.put(2, r2)
    target.put(3, r3)
    target.put(4, r4)
    target.put(5, r5)
}

@inline(__always) func wordTile8(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ from: WordStart, _ target: WordTarget
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda, a4 = a + 4 &* lda
    let a5 = a + 5 &* lda, a6 = a + 6 &* lda, a7 = a + 7 &* lda
    var r0 = WordRow(from), r1 = WordRow(from), r2 = WordRow(from), r3 = WordRow(from)
    var r4 = WordRow(from), r5 = WordRow(from), r6 = WordRow(from), r7 = WordRow(from)
    var b = b
    var i = 0
    while i < words {
        let row = b.next()
        r0.add(a[i], row, b.isBytes)
        r1.add(a1[i], row, b.isBytes)
        r2.add(a2[i], row, b.isBytes)
        r3.add(a3[i], row, b.isBytes)
        r4.add(a4[i], row, b.isBytes)
        r5.add(a5[i], row, b.isBytes)
        r6.add(a6[i], row, b.isBytes)
        r7.add(a7[i], row, b.isBytes)
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
