import CVectors
import KernelsPortable

#if arch(x86_64)
    import KernelsAVX2
    import KernelsAVX512
#endif

/// The operations of a log-mel spectrogram in one instruction set; what each parameter is stands at the function of the same
/// name in `Sources/KernelForms/Source`.
struct SpectrumTable: Sendable {
    let spectrumScratch: @Sendable (UnsafePointer<spectrum_plan>) -> Int
    let powerSpectra:
        @Sendable (
            UnsafePointer<Float>, Int, Int, UnsafePointer<spectrum_plan>, UnsafeMutablePointer<Double>,
            UnsafeMutablePointer<Double>, Int
        ) -> Void
    let bandPower:
        @Sendable (
            UnsafePointer<Float>, Int, Int, UnsafePointer<spectrum_plan>, UnsafePointer<band_filters>,
            UnsafeMutablePointer<Double>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int
        ) -> Float
    let melScale: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Float) -> Void
}

extension SpectrumTable {
    static let portable = SpectrumTable(
        spectrumScratch: KernelsPortable.spectrumScratch(_:),
        powerSpectra: KernelsPortable.powerSpectra(_:hop:frames:_:scratch:into:stride:),
        bandPower: KernelsPortable.bandPower(_:hop:frames:_:_:scratch:gathered:into:stride:),
        melScale: KernelsPortable.melScale(_:into:count:peak:))

    #if arch(x86_64)
        static let avx2 = SpectrumTable(
            spectrumScratch: KernelsAVX2.spectrumScratch(_:),
            powerSpectra: KernelsAVX2.powerSpectra(_:hop:frames:_:scratch:into:stride:),
            bandPower: KernelsAVX2.bandPower(_:hop:frames:_:_:scratch:gathered:into:stride:),
            melScale: KernelsAVX2.melScale(_:into:count:peak:))

        static let avx512 = SpectrumTable(
            spectrumScratch: KernelsAVX512.spectrumScratch(_:),
            powerSpectra: KernelsAVX512.powerSpectra(_:hop:frames:_:scratch:into:stride:),
            bandPower: KernelsAVX512.bandPower(_:hop:frames:_:_:scratch:gathered:into:stride:),
            melScale: KernelsAVX512.melScale(_:into:count:peak:))
    #endif
}

extension KernelImplementation {
    /// The operations of a log-mel spectrogram in this form; nil for `reference`.
    var spectrumTable: SpectrumTable? {
        switch self {
        case .reference: nil
        case .blas, .neon: .portable
        #if arch(x86_64)
            case .avx2: .avx2
            case .avx512, .avx512vnni, .avx512amx: .avx512
        #else
            case .avx2, .avx512, .avx512vnni, .avx512amx: .portable
        #endif
        }
    }
}
