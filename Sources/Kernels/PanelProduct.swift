/// Products by our own kernels of matrices as they lie in memory: B is packed in blocks on the way, since a pass over it costs
/// little beside the product. Where one side is a vector, it is read as it lies.
struct PanelProduct {
    private let table: KernelTable
    /// Columns of B that are packed at a time.
    private static let blockColumns = 256
    /// Rows of B that are packed at a time; a multiple of the kernels' `depthBlock`, so that sums are cut where theirs are.
    private static let blockDepth = 768

    /// Columns of a transposed A that are turned at a time: whole tiles of every instruction set, and few enough to stay in the second
    /// cache beside the panels.
    private static let blockRows = 48

    init(_ table: KernelTable) { self.table = table }

    /// The parameters are ``MatrixProduct/multiply(m:n:k:alpha:_:lda:_:ldb:_:into:ldc:accumulating:using:)``'s.
    func multiply(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: MatrixProduct.Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool
    ) {
        guard k > 0 else {
            if !accumulating { for row in 0..<m { (c + row * ldc).update(repeating: 0, count: n) } }
            return
        }
        if alpha != 1 { return scaled(m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating) }
        if m <= 2 { return vectors(m, n, k, a, lda, b, ldb, layout, c, ldc, accumulating) }
        let width = table.panelWidth
        let depth = min(k, Self.blockDepth), columns = min(n.rounded(upTo: width), Self.blockColumns)
        FloatMemory.withScratch(depth * columns) { panels in
            for column in stride(from: 0, to: n, by: columns) {
                let some = min(columns, n - column)
                for from in stride(from: 0, to: k, by: depth) {
                    let part = min(depth, k - from)
                    let at = layout == .rows ? b + from * ldb + column : b + column * ldb + from
                    table.pack(at, ldb, part, some, layout == .columns, panels)
                    table.product(
                        m, some, part, a + from, lda, panels, nil, c + column, ldc, accumulating || from > 0)
                }
            }
        }
    }

    /// The same of A that is [k, m] in memory, to the bit: blocks of it are turned on the way.
    func multiplyTransposed(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: MatrixProduct.Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool, _ learning: LearningTable
    ) {
        guard m > 2, k > 0 else {
            return FloatMemory.withScratch(m * k) { rows in
                learning.transpose(a, lda, k, m, rows, k)
                multiply(m, n, k, alpha, rows, k, b, ldb, layout, c, ldc, accumulating)
            }
        }
        let width = table.panelWidth
        let depth = min(k, Self.blockDepth), columns = min(n.rounded(upTo: width), Self.blockColumns)
        let rows = min(m, Self.blockRows)
        FloatMemory.withScratch(depth * (columns + rows)) { panels in
            let turned = panels + depth * columns
            for column in stride(from: 0, to: n, by: columns) {
                let some = min(columns, n - column)
                for from in stride(from: 0, to: k, by: depth) {
                    let part = min(depth, k - from)
                    let at = layout == .rows ? b + from * ldb + column : b + column * ldb + from
                    table.pack(at, ldb, part, some, layout == .columns, panels)
                    for row in stride(from: 0, to: m, by: rows) {
                        let few = min(rows, m - row)
                        learning.transpose(a + from * lda + row, lda, part, few, turned, part)
                        if alpha != 1 { table.scale(turned, alpha, turned, few * part) }
                        table.product(
                            few, some, part, turned, part, panels, nil, c + row * ldc + column, ldc,
                            accumulating || from > 0)
                    }
                }
            }
        }
    }

    /// α A · B with A scaled first, in blocks of rows.
    private func scaled(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: MatrixProduct.Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool
    ) {
        FloatMemory.withScratch(m * k) { scaled in
            for row in 0..<m { table.scale(a + row * lda, alpha, scaled + row * k, k) }
            multiply(m, n, k, 1, scaled, k, b, ldb, layout, c, ldc, accumulating)
        }
    }

    /// One row of A, or two: B is read once for each, as it lies.
    private func vectors(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: MatrixProduct.Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool
    ) {
        FloatMemory.withScratch(n) { result in
            for row in 0..<m {
                let (a, c) = (a + row * lda, c + row * ldc)
                let out = accumulating ? result : c
                switch layout {
                case .columns: table.dots(a, b, ldb, nil, n, k, out)
                case .rows: table.weightedSum(a, b, ldb, nil, k, n, out)
                }
                if accumulating { table.add(result, c, n) }
            }
        }
    }
}
