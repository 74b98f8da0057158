import CProcessor
import Foundation

/// Which form of an operation runs: the plain one that anybody can check, or one for an instruction set.
///
/// Every operation in this module has them all. The plain form is written for reading; it is the oracle of the fast ones'
/// tests and runs anywhere. The fast ones are one source, compiled for each instruction set. The best that the processor has is
/// chosen once, when it is first asked for; `AUSCULT_KERNELS=reference` (or `blas`, `avx2`, …) forces one for a whole process.
public enum KernelImplementation: String, Sendable, CaseIterable {
    /// Plain loops, no vector types, no library.
    case reference
    /// Matrix products by OpenBLAS, the rest in Swift SIMD of the width that every processor has.
    case blas
    /// Swift SIMD for all of it: NEON, which every aarch64 processor has.
    case neon
    /// AVX2 with FMA and F16C.
    case avx2
    /// AVX-512 F, BW, CD, DQ, VL.
    case avx512
    /// The same with VNNI: products of bytes in instructions of their own.
    case avx512vnni
    /// The same with AMX: products of bytes and of bfloat16 in registers of tiles.
    case avx512amx

    /// The form that operations use where none is named.
    public static let current: KernelImplementation = chosen(
        by: ProcessInfo.processInfo.environment["AUSCULT_KERNELS"])

    /// The form that the setting names, or the best that the processor has where it names none that runs here.
    static func chosen(by setting: String?) -> KernelImplementation {
        guard let setting, let form = KernelImplementation(rawValue: setting), form.isAvailable else { return best }
        return form
    }

    /// The fastest form that runs here.
    public static let best: KernelImplementation =
        [.avx512amx, .avx512vnni, .avx512, .avx2, .neon, .blas].first(where: \.isAvailable) ?? .blas

    /// The forms that run on this processor.
    public static let available: [KernelImplementation] = allCases.filter(\.isAvailable)

    /// Why the setting `AUSCULT_KERNELS` did not get what it asked for; nil where it did, or asked for nothing.
    public static let refusedSetting: String? = {
        guard let setting = ProcessInfo.processInfo.environment["AUSCULT_KERNELS"], !setting.isEmpty else { return nil }
        guard let form = KernelImplementation(rawValue: setting) else {
            let names = allCases.map(\.rawValue).joined(separator: ", ")
            return "AUSCULT_KERNELS is '\(setting)'; it can be \(names). Using \(current.rawValue)."
        }
        guard form.isAvailable else {
            return "AUSCULT_KERNELS is '\(setting)', which this processor has not. Using \(current.rawValue)."
        }
        return nil
    }()

    /// Asked once, since the system is asked as well.
    private static let hasAMX = processor_has_amx()

    public var isAvailable: Bool {
        switch self {
        case .reference, .blas: true
        case .neon:
            #if arch(arm64)
                true
            #else
                false
            #endif
        case .avx2: processor_has_avx2()
        case .avx512: processor_has_avx512()
        case .avx512vnni: processor_has_vnni()
        case .avx512amx: Self.hasAMX
        }
    }

    /// The operations in this form; nil for `reference`, whose plain loops stand beside their callers.
    var table: KernelTable? {
        switch self {
        case .reference: nil
        case .blas, .neon: .portable
        #if arch(x86_64)
            case .avx2: .avx2
            case .avx512: .avx512
            case .avx512vnni: .avx512vnni
            case .avx512amx: .avx512amx
        #else
            case .avx2, .avx512, .avx512vnni, .avx512amx: .portable
        #endif
        }
    }

    /// Whether products read panels of our own; else OpenBLAS's, or plain loops, read rows.
    public var hasPanels: Bool { self != .reference && self != .blas }

    /// Rows of an activation that are best computed together: a whole number of this form's tiles and panels. Each block reads all weights,
    /// and every key and value, from behind the second cache; what is computed of few rows stays in it.
    public var rowBlock: Int { hasWideTiles ? 128 : 48 }

    /// Queries whose scores are best computed together: of 64, those with 1,500 keys take 385 kB.
    public var scoreBlock: Int { hasWideTiles ? 64 : 48 }

    private var hasWideTiles: Bool { [.avx512, .avx512vnni, .avx512amx].contains(self) }

    /// Where a block of rows begins: multiples of the square in which keys are turned.
    public var rowStep: Int { 8 }
}
