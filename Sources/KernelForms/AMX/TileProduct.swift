// Products of words in AMX's tiles: the operands, layouts and numbers of ``WordProduct.swift``, 32 rows by 32 columns at a time.
//
// Sums of bytes are whole numbers and the same as every form's. Sums of bfloat16 are the tile instruction's: even and odd elements apart, 32
// elements at a time, so they differ from the other forms' in last bits; a row alone is computed the same way as one among many.

import CVectors

/// Columns of a panel.
private let panelWidth = 32
/// Rows of a tile, and words that it takes of each.
private let tileRows = 16
private let tileWords = 16

/// Words of a row that products here take: whole tiles of them.
public func takes(words: Int) -> Bool { words % tileWords == 0 }

/// C[rows, columns] = A · B · rowScales · columnScales + bias, over bytes; the parameters are `byteProduct`'s of the other forms.
///
/// - Parameter words: a multiple of 16.
public func byteProduct(
    rows: Int, columns: Int, words: Int, _ a: UnsafePointer<Int32>, lda: Int, rowScales: UnsafePointer<Float>,
    panels: UnsafePointer<Int8>, columnScales: UnsafePointer<Float>, starts: UnsafePointer<Int32>,
    bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int
) {
    forEachBlock(rows, columns, words, a, lda, panels, isBytes: true) { sums, row, count, column, some in
        let scales = (load(columnScales + column), load(columnScales + column + 16))
        let begin = (loadWords(starts + column), loadWords(starts + column + 16))
        var i = 0
        while i < count {
            let factor = V(repeating: rowScales[row &+ i])
            let left = vectors_float16(loadWords(sums + i &* panelWidth) &+ begin.0) * factor * scales.0
            let right = vectors_float16(loadWords(sums + (i &* panelWidth &+ 16)) &+ begin.1) * factor * scales.1
            put(left, right, bias.map { $0 + column }, c + ((row &+ i) &* ldc &+ column), some)
            i &+= 1
        }
    }
}

/// C[rows, columns] = A · B + bias, over bfloat16 with sums in float32; the parameters are `bf16Product`'s of the other forms.
///
/// - Parameter words: a multiple of 16.
public func bf16Product(
    rows: Int, columns: Int, words: Int, _ a: UnsafePointer<Int32>, lda: Int, panels: UnsafePointer<UInt16>,
    bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int
) {
    forEachBlock(rows, columns, words, a, lda, panels, isBytes: false) { sums, row, count, column, some in
        var i = 0
        while i < count {
            let left = unsafeBitCast(loadWords(sums + i &* panelWidth), to: V.self)
            let right = unsafeBitCast(loadWords(sums + (i &* panelWidth &+ 16)), to: V.self)
            put(left, right, bias.map { $0 + column }, c + ((row &+ i) &* ldc &+ column), some)
            i &+= 1
        }
    }
}

typealias V = SIMD16<Float>

@inline(__always) private func load(_ x: UnsafePointer<Float>) -> V {
    UnsafeRawPointer(x).loadUnaligned(as: V.self)
}

@inline(__always) private func loadWords(_ x: UnsafePointer<Int32>) -> SIMD16<Int32> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD16<Int32>.self)
}

/// Writes a row of a block: `some` columns, at most those of a panel.
@inline(__always) private func put(
    _ left: V, _ right: V, _ bias: UnsafePointer<Float>?, _ to: UnsafeMutablePointer<Float>, _ some: Int
) {
    guard some == panelWidth else { return putSome(left, right, bias, to, some) }
    var left = left, right = right
    if let bias {
        left += load(bias)
        right += load(bias + 16)
    }
    UnsafeMutableRawPointer(to).storeBytes(of: left, as: V.self)
    UnsafeMutableRawPointer(to + 16).storeBytes(of: right, as: V.self)
}

/// Of the last panel, of which C has some columns.
@inline(never) private func putSome(
    _ left: V, _ right: V, _ bias: UnsafePointer<Float>?, _ to: UnsafeMutablePointer<Float>, _ some: Int
) {
    var column = 0
    while column < some {
        let value = column < 16 ? left[column] : right[column &- 16]
        to[column] = bias.map { value + $0[column] } ?? value
        column &+= 1
    }
}

/// Calls `body` with the sums of each block of 32 rows and one panel: rows of 32 words, the block's first row, how many it has, its first column,
/// how many columns C has of it.
@inline(__always) private func forEachBlock(
    _ rows: Int, _ columns: Int, _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ panels: UnsafeRawPointer,
    isBytes: Bool, _ body: (UnsafePointer<Int32>, Int, Int, Int, Int) -> Void
) {
    var memory = vectors_tile_sums()
    withUnsafeMutablePointer(to: &memory) { memory in
        let sums = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Int32.self)
        let whole = rows / (2 &* tileRows) &* (2 &* tileRows), rest = rows &- whole
        if whole > 0 {
            vectors_tiles_begin(tileRows, tileRows)
            forEachPanel(columns, words, panels) { panel, column, some in
                var row = 0
                while row < whole {
                    block(words, a + row &* lda, lda, panel, hasLower: true, isBytes: isBytes, sums)
                    body(sums, row, 2 &* tileRows, column, some)
                    row &+= 2 &* tileRows
                }
            }
        }
        if rest > 0 {
            vectors_tiles_begin(min(rest, tileRows), max(rest &- tileRows, 0))
            forEachPanel(columns, words, panels) { panel, column, some in
                block(words, a + whole &* lda, lda, panel, hasLower: rest > tileRows, isBytes: isBytes, sums)
                body(sums, whole, rest, column, some)
            }
        }
        vectors_tiles_end()
    }
}

@inline(__always) private func forEachPanel(
    _ columns: Int, _ words: Int, _ panels: UnsafeRawPointer, _ body: (UnsafeRawPointer, Int, Int) -> Void
) {
    var panel = panels
    var column = 0
    while column < columns {
        body(panel, column, min(panelWidth, columns &- column))
        panel += words &* panelWidth &* 4
        column &+= panelWidth
    }
}

/// The sums of one block, as many rows as the tiles were begun with.
@inline(__always) private func block(
    _ words: Int, _ a: UnsafePointer<Int32>, _ lda: Int, _ panel: UnsafeRawPointer, hasLower: Bool, isBytes: Bool,
    _ sums: UnsafeMutablePointer<Int32>
) {
    let stride = lda &* 4
    vectors_tiles_zero_upper()
    if hasLower { vectors_tiles_zero_lower() }
    var word = 0
    while word < words {
        vectors_tiles_load_b(panel + word &* panelWidth &* 4)
        let upper = a + word
        if isBytes {
            vectors_tiles_add_bytes_upper(upper, stride)
            if hasLower { vectors_tiles_add_bytes_lower(upper + tileRows &* lda, stride) }
        } else {
            vectors_tiles_add_bf16_upper(upper, stride)
            if hasLower { vectors_tiles_add_bf16_lower(upper + tileRows &* lda, stride) }
        }
        word &+= tileWords
    }
    vectors_tiles_store_upper(sums, panelWidth &* 4)
    if hasLower { vectors_tiles_store_lower(sums + tileRows &* panelWidth, panelWidth &* 4) }
}
