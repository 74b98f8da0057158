import KernelsPortable

#if arch(x86_64)
    import KernelsAMX
    import KernelsAVX2
    import KernelsAVX512
    import KernelsAVX512VNNI
#endif

/// The operations of one instruction set, chosen once, called over pointers: ``KernelOperations`` that nobody copies, since a copy
/// counts every function in it, which takes as long as a short row.
@dynamicMemberLookup
final class KernelTable: Sendable {
    private let operations: KernelOperations

    init(_ operations: KernelOperations) { self.operations = operations }

    @inline(__always) subscript<Operation>(dynamicMember operation: KeyPath<KernelOperations, Operation>) -> Operation {
        operations[keyPath: operation]
    }
}

/// The functions of `Sources/KernelForms/Source`. What each parameter is stands at the function of the same name there.
struct KernelOperations: Sendable {
    /// Rows and columns of the tile that a product keeps in registers.
    let tileRows: Int
    let panelWidth: Int
    /// Rows of B that a product sums up at a time.
    let depthBlock: Int
    let product:
        @Sendable (
            Int, Int, Int, UnsafePointer<Float>, Int, UnsafePointer<Float>, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>, Int, Bool
        ) -> Void
    let productOfHalves:
        @Sendable (
            Int, Int, Int, UnsafePointer<Float>, Int, UnsafePointer<UInt16>, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>, Int, Bool, UnsafeMutablePointer<Float>
        ) -> Void
    /// Elements of the room that `productOfHalves` is given.
    let widenedCount: Int
    let vectorProduct:
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>, Bool
        ) -> Void
    let vectorProductOfHalves:
        @Sendable (
            Int, Int, UnsafePointer<Float>, UnsafePointer<UInt16>, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>, Bool
        ) -> Void
    let pack:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, Bool, UnsafeMutablePointer<Float>
        ) -> Void
    let add:
        @Sendable (
            UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
        ) -> Void
    let scale:
        @Sendable (
            UnsafePointer<Float>, Float, UnsafeMutablePointer<Float>, Int
        ) -> Void
    let gelu:
        @Sendable (
            UnsafeMutablePointer<Float>, Int
        ) -> Void
    let layerNorm:
        @Sendable (
            UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Float, UnsafePointer<Float>,
            UnsafePointer<Float>
        ) -> Void
    let softmax:
        @Sendable (
            UnsafeMutablePointer<Float>, Int
        ) -> Void
    let packHalves: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<UInt16>) -> Bool
    let largest: @Sendable (UnsafePointer<Float>, Int) -> Float
    let sumOfExponentials: @Sendable (UnsafePointer<Float>, Int, Float) -> Double
    let dots:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafePointer<Int32>?, Int, Int,
            UnsafeMutablePointer<Float>
        ) -> Void
    let weightedSum:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafePointer<Int32>?, Int, Int,
            UnsafeMutablePointer<Float>
        ) -> Void
    /// Quantised elements that a word of 32 bits has.
    let wordDepth: Int
    let quantise: @Sendable (UnsafePointer<Float>, Int, UnsafeMutablePointer<Int32>) -> Float
    let packBytes:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<Int8>, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Int32>
        ) -> Void
    fileprivate(set) var byteProduct:
        @Sendable (
            Int, Int, Int, UnsafePointer<Int32>, Int, UnsafePointer<Float>, UnsafePointer<Int8>, UnsafePointer<Float>,
            UnsafePointer<Int32>, UnsafePointer<Float>?, UnsafeMutablePointer<Float>, Int
        ) -> Void
    let roundToBF16: @Sendable (UnsafePointer<Float>, Int, UnsafeMutablePointer<Int32>) -> Void
    let packBF16: @Sendable (UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<UInt16>) -> Void
    fileprivate(set) var bf16Product:
        @Sendable (
            Int, Int, Int, UnsafePointer<Int32>, Int, UnsafePointer<UInt16>, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>, Int
        ) -> Void
}

extension KernelTable {
    static let portable = KernelTable(
        KernelOperations(
            tileRows: KernelsPortable.tileShape.rows, panelWidth: KernelsPortable.tileShape.columns,
            depthBlock: KernelsPortable.depthBlock,
            product: KernelsPortable.product(rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:),
            productOfHalves: KernelsPortable.productOfHalves(
                rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:room:),
            widenedCount: KernelsPortable.widenedCount,
            vectorProduct: KernelsPortable.vectorProduct(columns:depth:_:panels:start:into:accumulating:),
            vectorProductOfHalves: KernelsPortable.vectorProductOfHalves(
                columns:depth:_:panels:start:into:accumulating:),
            pack: KernelsPortable.pack(_:ldb:depth:columns:transposed:into:),
            add: KernelsPortable.add(_:to:count:),
            scale: KernelsPortable.scale(_:by:into:count:),
            gelu: KernelsPortable.gelu(_:count:),
            layerNorm: KernelsPortable.layerNorm(_:into:count:epsilon:gain:bias:),
            softmax: KernelsPortable.softmax(_:count:),
            packHalves: KernelsPortable.packHalves(_:depth:columns:into:),
            largest: KernelsPortable.largest(_:count:),
            sumOfExponentials: KernelsPortable.sumOfExponentials(_:count:shift:),
            dots: KernelsPortable.dots(_:_:stride:rows:count:width:into:),
            weightedSum: KernelsPortable.weightedSum(_:_:stride:rows:count:width:into:),
            wordDepth: KernelsPortable.quantisedWordDepth,
            quantise: KernelsPortable.quantise(_:count:into:),
            packBytes: KernelsPortable.packBytes(_:ldb:depth:columns:first:into:scales:starts:),
            byteProduct: KernelsPortable.byteProduct(
                rows:columns:words:_:lda:rowScales:panels:columnScales:starts:bias:into:ldc:),
            roundToBF16: KernelsPortable.roundToBF16(_:count:into:),
            packBF16: KernelsPortable.packBF16(_:ldb:depth:columns:first:into:),
            bf16Product: KernelsPortable.bf16Product(rows:columns:words:_:lda:panels:bias:into:ldc:)))

    #if arch(x86_64)
        static let avx2 = KernelTable(
            KernelOperations(
                tileRows: KernelsAVX2.tileShape.rows, panelWidth: KernelsAVX2.tileShape.columns,
                depthBlock: KernelsAVX2.depthBlock,
                product: KernelsAVX2.product(rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:),
                productOfHalves: KernelsAVX2.productOfHalves(
                    rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:room:),
                widenedCount: KernelsAVX2.widenedCount,
                vectorProduct: KernelsAVX2.vectorProduct(columns:depth:_:panels:start:into:accumulating:),
                vectorProductOfHalves: KernelsAVX2.vectorProductOfHalves(
                    columns:depth:_:panels:start:into:accumulating:),
                pack: KernelsAVX2.pack(_:ldb:depth:columns:transposed:into:),
                add: KernelsAVX2.add(_:to:count:),
                scale: KernelsAVX2.scale(_:by:into:count:),
                gelu: KernelsAVX2.gelu(_:count:),
                layerNorm: KernelsAVX2.layerNorm(_:into:count:epsilon:gain:bias:),
                softmax: KernelsAVX2.softmax(_:count:),
                packHalves: KernelsAVX2.packHalves(_:depth:columns:into:),
                largest: KernelsAVX2.largest(_:count:),
                sumOfExponentials: KernelsAVX2.sumOfExponentials(_:count:shift:),
                dots: KernelsAVX2.dots(_:_:stride:rows:count:width:into:),
                weightedSum: KernelsAVX2.weightedSum(_:_:stride:rows:count:width:into:),
                wordDepth: KernelsAVX2.quantisedWordDepth,
                quantise: KernelsAVX2.quantise(_:count:into:),
                packBytes: KernelsAVX2.packBytes(_:ldb:depth:columns:first:into:scales:starts:),
                byteProduct: KernelsAVX2.byteProduct(
                    rows:columns:words:_:lda:rowScales:panels:columnScales:starts:bias:into:ldc:),
                roundToBF16: KernelsAVX2.roundToBF16(_:count:into:),
                packBF16: KernelsAVX2.packBF16(_:ldb:depth:columns:first:into:),
                bf16Product: KernelsAVX2.bf16Product(rows:columns:words:_:lda:panels:bias:into:ldc:)))

        static let avx512 = KernelTable(
            KernelOperations(
                tileRows: KernelsAVX512.tileShape.rows, panelWidth: KernelsAVX512.tileShape.columns,
                depthBlock: KernelsAVX512.depthBlock,
                product: KernelsAVX512.product(rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:),
                productOfHalves: KernelsAVX512.productOfHalves(
                    rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:room:),
                widenedCount: KernelsAVX512.widenedCount,
                vectorProduct: KernelsAVX512.vectorProduct(columns:depth:_:panels:start:into:accumulating:),
                vectorProductOfHalves: KernelsAVX512.vectorProductOfHalves(
                    columns:depth:_:panels:start:into:accumulating:),
                pack: KernelsAVX512.pack(_:ldb:depth:columns:transposed:into:),
                add: KernelsAVX512.add(_:to:count:),
                scale: KernelsAVX512.scale(_:by:into:count:),
                gelu: KernelsAVX512.gelu(_:count:),
                layerNorm: KernelsAVX512.layerNorm(_:into:count:epsilon:gain:bias:),
                softmax: KernelsAVX512.softmax(_:count:),
                packHalves: KernelsAVX512.packHalves(_:depth:columns:into:),
                largest: KernelsAVX512.largest(_:count:),
                sumOfExponentials: KernelsAVX512.sumOfExponentials(_:count:shift:),
                dots: KernelsAVX512.dots(_:_:stride:rows:count:width:into:),
                weightedSum: KernelsAVX512.weightedSum(_:_:stride:rows:count:width:into:),
                wordDepth: KernelsAVX512.quantisedWordDepth,
                quantise: KernelsAVX512.quantise(_:count:into:),
                packBytes: KernelsAVX512.packBytes(_:ldb:depth:columns:first:into:scales:starts:),
                byteProduct: KernelsAVX512.byteProduct(
                    rows:columns:words:_:lda:rowScales:panels:columnScales:starts:bias:into:ldc:),
                roundToBF16: KernelsAVX512.roundToBF16(_:count:into:),
                packBF16: KernelsAVX512.packBF16(_:ldb:depth:columns:first:into:),
                bf16Product: KernelsAVX512.bf16Product(rows:columns:words:_:lda:panels:bias:into:ldc:)))

        static let avx512vnni = KernelTable(
            KernelOperations(
                tileRows: KernelsAVX512VNNI.tileShape.rows, panelWidth: KernelsAVX512VNNI.tileShape.columns,
                depthBlock: KernelsAVX512VNNI.depthBlock,
                product: KernelsAVX512VNNI.product(rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:),
                productOfHalves: KernelsAVX512VNNI.productOfHalves(
                    rows:columns:depth:_:lda:panels:start:into:ldc:accumulating:room:),
                widenedCount: KernelsAVX512VNNI.widenedCount,
                vectorProduct: KernelsAVX512VNNI.vectorProduct(columns:depth:_:panels:start:into:accumulating:),
                vectorProductOfHalves: KernelsAVX512VNNI.vectorProductOfHalves(
                    columns:depth:_:panels:start:into:accumulating:),
                pack: KernelsAVX512VNNI.pack(_:ldb:depth:columns:transposed:into:),
                add: KernelsAVX512VNNI.add(_:to:count:),
                scale: KernelsAVX512VNNI.scale(_:by:into:count:),
                gelu: KernelsAVX512VNNI.gelu(_:count:),
                layerNorm: KernelsAVX512VNNI.layerNorm(_:into:count:epsilon:gain:bias:),
                softmax: KernelsAVX512VNNI.softmax(_:count:),
                packHalves: KernelsAVX512VNNI.packHalves(_:depth:columns:into:),
                largest: KernelsAVX512VNNI.largest(_:count:),
                sumOfExponentials: KernelsAVX512VNNI.sumOfExponentials(_:count:shift:),
                dots: KernelsAVX512VNNI.dots(_:_:stride:rows:count:width:into:),
                weightedSum: KernelsAVX512VNNI.weightedSum(_:_:stride:rows:count:width:into:),
                wordDepth: KernelsAVX512VNNI.quantisedWordDepth,
                quantise: KernelsAVX512VNNI.quantise(_:count:into:),
                packBytes: KernelsAVX512VNNI.packBytes(_:ldb:depth:columns:first:into:scales:starts:),
                byteProduct: KernelsAVX512VNNI.byteProduct(
                    rows:columns:words:_:lda:rowScales:panels:columnScales:starts:bias:into:ldc:),
                roundToBF16: KernelsAVX512VNNI.roundToBF16(_:count:into:),
                packBF16: KernelsAVX512VNNI.packBF16(_:ldb:depth:columns:first:into:),
                bf16Product: KernelsAVX512VNNI.bf16Product(rows:columns:words:_:lda:panels:bias:into:ldc:)))

        /// Tiles where a row is whole tiles deep. Of bytes also only for several rows, where the numbers are the same and reading them is not
        /// all that takes time.
        static let avx512amx = {
            var operations = avx512vnni.operations
            let (bytes, bf16) = (operations.byteProduct, operations.bf16Product)
            operations.byteProduct = {
                rows, columns, words, a, lda, rowScales, panels, columnScales, starts, bias, c, ldc in
                guard rows >= 12, KernelsAMX.takes(words: words) else {
                    return bytes(
                        rows, columns, words, a, lda, rowScales, panels, columnScales, starts, bias, c, ldc)
                }
                KernelsAMX.byteProduct(
                    rows: rows, columns: columns, words: words, a, lda: lda, rowScales: rowScales, panels: panels,
                    columnScales: columnScales, starts: starts, bias: bias, into: c, ldc: ldc)
            }
            operations.bf16Product = { rows, columns, words, a, lda, panels, bias, c, ldc in
                guard KernelsAMX.takes(words: words) else {
                    return bf16(rows, columns, words, a, lda, panels, bias, c, ldc)
                }
                KernelsAMX.bf16Product(
                    rows: rows, columns: columns, words: words, a, lda: lda, panels: panels, bias: bias, into: c,
                    ldc: ldc)
            }
            return KernelTable(operations)
        }()
    #endif
}
