// C = A · B + bias over words: B in panels of bytes or of bfloat16, A's rows as words of the same.
//
// Sums of bytes are whole numbers, the same in any order: 127 · 127 · depth has room in 32 bits up to a depth of 65536, and with
// the offset of 128 as well. A product's numbers therefore depend on no tile and on no processor.

/// C[rows, columns] = A · B · rowScales · columnScales + bias, over bytes.
///
/// - Parameters:
///   - words: words of a row of A, and rows of words of a panel.
///   - a: rows as ``quantise(_:count:into:)`` writes them, `lda` words apart.
///   - rowScales: what it gave for each.
///   - panels, columnScales, starts: as ``packBytes(_:ldb:depth:columns:into:scales:starts:)`` writes them.
///   - bias: added to each row, one value a column; nil for none.
public func byteProduct(
    rows: Int, columns: Int, words: Int, _ a: UnsafePointer<Int32>, lda: Int, rowScales: UnsafePointer<Float>,
    panels: UnsafePointer<Int8>, columnScales: UnsafePointer<Float>, starts: UnsafePointer<Int32>,
    bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int
) {
    wordProduct(
        rows, words, a, lda, WordPanel(panels, isBytes: true), starts,
        WordTarget(
            c: c, ldc: ldc, rowScales: rowScales, columnScales: columnScales, bias: bias, columns: columns))
}

/// C[rows, columns] = A · B + bias, over bfloat16 with sums in float32.
///
/// - Parameters:
///   - a: rows as ``roundToBF16(_:count:into:)`` writes them, `lda` words apart.
///   - panels: as ``packBF16(_:ldb:depth:columns:into:)`` writes them.
public func bf16Product(
    rows: Int, columns: Int, words: Int, _ a: UnsafePointer<Int32>, lda: Int, panels: UnsafePointer<UInt16>,
    bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int
) {
    wordProduct(
        rows, words, a, lda, WordPanel(panels, isBytes: false), nil,
        WordTarget(c: c, ldc: ldc, rowScales: nil, columnScales: nil, bias: bias, columns: columns))
}

@inline(__always) private func wordProduct(
    _ rows: Int, _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ panels: WordPanel,
    _ starts: UnsafePointer<Int32>?, _ whole: WordTarget
) {
    var column = 0
    var panel = panels
    while column < whole.columns {
        if rows == 1, whole.columns &- column >= 4 &* panelWidth {
            wordQuad(words, a, panel, starts.map { $0 + column }, whole, column)
            panel = panel.advanced(by: 4 &* words)
            column &+= 4 &* panelWidth
        } else {
            wordStrip(
                rows, words, a, lda, panel, WordStart(starts.map { $0 + column }), whole.columns(from: column))
            panel = panel.advanced(by: words)
            column &+= panelWidth
        }
    }
}

/// All rows of A by a panel.
@inline(__always) private func wordStrip(
    _ rows: Int, _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ start: WordStart,
    _ target: WordTarget
) {
    var row = 0
    if rows >= 2 &* tileRows {
        wordTile(words, a, lda, b.fetching(ahead: words), start, target)
        row = tileRows
    }
    while row &+ tileRows <= rows {
        wordTile(words, a + row &* lda, lda, b, start, target.advanced(by: row))
        row &+= tileRows
    }
    if tileRows > 4, row &+ 4 <= rows {
        wordTile4(words, a + row &* lda, lda, b, start, target.advanced(by: row))
        row &+= 4
    }
    if row &+ 2 <= rows {
        wordTile2(words, a + row &* lda, lda, b, start, target.advanced(by: row))
        row &+= 2
    }
    if row < rows { wordTile1(words, a + row &* lda, lda, b, start, target.advanced(by: row)) }
}

/// `tileRows` rows of A by a panel.
@inline(__always) private func wordTile(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ b: WordPanel, _ start: WordStart, _ target: WordTarget
) {
    if tileRows == 8 {
        wordTile8(words, a, lda, b, start, target)
    } else if tileRows == 6 {
        wordTile6(words, a, lda, b, start, target)
    } else {
        wordTile4(words, a, lda, b, start, target)
    }
}

/// One row by four panels at once: nothing is read twice, and eight chains keep the units busy.
@inline(__always) private func wordQuad(
    _ words: Int, _ a: UnsafePointer<Int32>, _ b: WordPanel, _ starts: UnsafePointer<Int32>?, _ whole: WordTarget,
    _ column: Int
) {
    var sums = WordQuad(b, words, starts)
    // Each panel asks for what lies ahead in it, and at its end for the beginning of the one that will come in its place.
    let ahead = b.rowsAhead, turn = max(0, words &- ahead)
    sums.add(a, from: 0, to: turn, ahead: ahead)
    sums.add(a, from: turn, to: words, ahead: 3 &* words &+ ahead)
    whole.columns(from: column).put(0, sums.r0)
    whole.columns(from: column &+ panelWidth).put(0, sums.r1)
    whole.columns(from: column &+ 2 &* panelWidth).put(0, sums.r2)
    whole.columns(from: column &+ 3 &* panelWidth).put(0, sums.r3)
}

/// Four panels of words, and the sums of a row by them.
private struct WordQuad {
    private var b0: WordPanel, b1: WordPanel, b2: WordPanel, b3: WordPanel
    var r0: WordRow, r1: WordRow, r2: WordRow, r3: WordRow

    @inline(__always) init(_ b: WordPanel, _ words: Int, _ starts: UnsafePointer<Int32>?) {
        b0 = b
        b1 = b.advanced(by: words)
        b2 = b.advanced(by: 2 &* words)
        b3 = b.advanced(by: 3 &* words)
        r0 = WordRow(WordStart(starts))
        r1 = WordRow(WordStart(starts.map { $0 + panelWidth }))
        r2 = WordRow(WordStart(starts.map { $0 + 2 &* panelWidth }))
        r3 = WordRow(WordStart(starts.map { $0 + 3 &* panelWidth }))
    }

    /// Adds a[i] times the panels' next rows; as each is read, that which lies `ahead` rows behind it is asked for.
    @inline(__always) mutating func add(_ a: UnsafePointer<Int32>, from first: Int, to end: Int, ahead: Int) {
        b0 = b0.fetching(ahead: ahead)
        b1 = b1.fetching(ahead: ahead)
        b2 = b2.fetching(ahead: ahead)
        b3 = b3.fetching(ahead: ahead)
        var i = first
        while i < end {
            r0.add(a[i], b0.next(), b0.isBytes)
            r1.add(a[i], b1.next(), b1.isBytes)
            r2.add(a[i], b2.next(), b2.isBytes)
            r3.add(a[i], b3.next(), b3.isBytes)
            i &+= 1
        }
    }
}
