import Foundation

/// Which form of an operation runs: the plain one that anybody can check, or the fast one.
///
/// Every operation in this module has both. The plain form is written for reading; it is the oracle
/// of the fast one's tests and runs anywhere. `AUSCULT_KERNELS=reference` (or `simd`) forces one for a
/// whole process; forms for wider instruction sets join this list as they are written.
public enum KernelImplementation: String, Sendable, CaseIterable {
    /// Plain loops, no vector types, no library.
    case reference
    /// Swift SIMD for what is elementwise or row by row, OpenBLAS for matrix products.
    case simd

    /// The form that operations use where none is named.
    public static let current: KernelImplementation =
        ProcessInfo.processInfo.environment["AUSCULT_KERNELS"].flatMap(KernelImplementation.init) ?? .simd
}
