import KernelsPortable

#if arch(x86_64)
    import KernelsAVX2
    import KernelsAVX512
#endif

/// The operations of learning, and of gradients, of one instruction set, as ``KernelTable`` has those of a model.
@dynamicMemberLookup
final class LearningTable: Sendable {
    private let operations: LearningOperations

    init(_ operations: LearningOperations) { self.operations = operations }

    @inline(__always) subscript<Operation>(
        dynamicMember operation: KeyPath<LearningOperations, Operation>
    ) -> Operation { operations[keyPath: operation] }
}

/// The functions of `Sources/KernelForms/Source` for it.
struct LearningOperations: Sendable {
    let transpose: @Sendable (UnsafePointer<Float>, Int, Int, Int, UnsafeMutablePointer<Float>, Int) -> Void
    let addScaled: @Sendable (UnsafePointer<Float>, Float, UnsafeMutablePointer<Float>, Int) -> Void
    let adam:
        @Sendable (
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafePointer<Float>,
            Int, Float, Float
        ) -> Void
    let laneMaxima: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Int
    let collect: @Sendable (UnsafePointer<Float>, Int, Float, UnsafeMutablePointer<Int32>) -> Int
    let collectAboveEach:
        @Sendable (UnsafePointer<Float>, Int, UnsafePointer<Float>, UnsafeMutablePointer<Int32>) -> Int
    let productOfDoubles:
        @Sendable (
            Int, Int, Int, UnsafePointer<Double>, Int, UnsafePointer<Double>, Int, UnsafeMutablePointer<Double>, Int,
            Bool
        ) -> Void
    let geluBackward: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    let softmaxBackward: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    let layerNormBackward:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Float, UnsafePointer<Float>
        ) -> Void
    let widen: @Sendable (UnsafePointer<UInt16>, UnsafeMutablePointer<Float>, Int) -> Void
}

extension LearningTable {
    static let portable = LearningTable(
        LearningOperations(
            transpose: KernelsPortable.transpose(_:ldx:rows:columns:into:ldo:),
            addScaled: KernelsPortable.addScaled(_:by:to:count:),
            adam: KernelsPortable.adam(_:_:_:gradient:count:rate:unbias:),
            laneMaxima: KernelsPortable.laneMaxima(_:count:span:into:),
            collect: KernelsPortable.collect(_:count:above:into:),
            collectAboveEach: KernelsPortable.collect(_:count:aboveEach:into:),
            productOfDoubles: KernelsPortable.productOfDoubles(
                rows:columns:depth:_:lda:_:ldb:into:ldc:accumulating:),
            geluBackward: KernelsPortable.geluBackward(_:at:count:),
            softmaxBackward: KernelsPortable.softmaxBackward(_:at:count:),
            layerNormBackward: KernelsPortable.layerNormBackward(_:at:into:count:epsilon:gain:),
            widen: KernelsPortable.widen(_:into:count:)))

    #if arch(x86_64)
        static let avx2 = LearningTable(
            LearningOperations(
                transpose: KernelsAVX2.transpose(_:ldx:rows:columns:into:ldo:),
                addScaled: KernelsAVX2.addScaled(_:by:to:count:),
                adam: KernelsAVX2.adam(_:_:_:gradient:count:rate:unbias:),
                laneMaxima: KernelsAVX2.laneMaxima(_:count:span:into:),
                collect: KernelsAVX2.collect(_:count:above:into:),
                collectAboveEach: KernelsAVX2.collect(_:count:aboveEach:into:),
                productOfDoubles: KernelsAVX2.productOfDoubles(
                    rows:columns:depth:_:lda:_:ldb:into:ldc:accumulating:),
                geluBackward: KernelsAVX2.geluBackward(_:at:count:),
                softmaxBackward: KernelsAVX2.softmaxBackward(_:at:count:),
                layerNormBackward: KernelsAVX2.layerNormBackward(_:at:into:count:epsilon:gain:),
                widen: KernelsAVX2.widen(_:into:count:)))

        static let avx512 = LearningTable(
            LearningOperations(
                transpose: KernelsAVX512.transpose(_:ldx:rows:columns:into:ldo:),
                addScaled: KernelsAVX512.addScaled(_:by:to:count:),
                adam: KernelsAVX512.adam(_:_:_:gradient:count:rate:unbias:),
                laneMaxima: KernelsAVX512.laneMaxima(_:count:span:into:),
                collect: KernelsAVX512.collect(_:count:above:into:),
                collectAboveEach: KernelsAVX512.collect(_:count:aboveEach:into:),
                productOfDoubles: KernelsAVX512.productOfDoubles(
                    rows:columns:depth:_:lda:_:ldb:into:ldc:accumulating:),
                geluBackward: KernelsAVX512.geluBackward(_:at:count:),
                softmaxBackward: KernelsAVX512.softmaxBackward(_:at:count:),
                layerNormBackward: KernelsAVX512.layerNormBackward(_:at:into:count:epsilon:gain:),
                widen: KernelsAVX512.widen(_:into:count:)))
    #endif
}

extension KernelImplementation {
    /// The operations of learning in this form; nil for `reference`.
    var learning: LearningTable? {
        switch self {
        case .reference: nil
        case .blas, .neon: .portable
        #if arch(x86_64)
            case .avx2: .avx2
            default: .avx512
        #else
            default: .portable
        #endif
        }
    }
}
