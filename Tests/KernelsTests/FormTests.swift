import Foundation
import TestSupport
import Testing

@testable import Kernels

@Suite("Forms of the kernels")
struct FormTests {
    @Test("a setting names a form that runs here, or the best one is taken")
    func chosen() {
        let best = KernelImplementation.best
        for nothing in [nil, "", "AVX2", "avx1024", " blas"] {
            #expect(KernelImplementation.chosen(by: nothing) == best)
        }
        for form in KernelImplementation.allCases {
            #expect(KernelImplementation.chosen(by: form.rawValue) == (form.isAvailable ? form : best))
        }
    }

    @Test("the plain form and OpenBLAS's run everywhere, and the best is one that runs")
    func available() {
        let forms = KernelImplementation.available
        #expect(forms.contains(.reference) && forms.contains(.blas) && forms.contains(.best))
        #expect(KernelImplementation.best != .reference)
        for form in forms { #expect((form.table == nil) == (form == .reference)) }
        for form in forms where form.hasPanels { #expect(form.table != nil) }
    }

    @Test("a setting that cannot be followed is told, with what it could have been")
    func refused() async {
        await #expect(processExitsWith: .success) {
            setenv("AUSCULT_KERNELS", "avx1024", 1)
            precondition(KernelImplementation.current == .best)
            let text = KernelImplementation.refusedSetting ?? ""
            precondition(text.contains("'avx1024'") && text.contains("reference, blas, neon, avx2, avx512"))
        }
        await #expect(processExitsWith: .success) {
            setenv("AUSCULT_KERNELS", "reference", 1)
            precondition(KernelImplementation.current == .reference && KernelImplementation.refusedSetting == nil)
        }
        await #expect(processExitsWith: .success) {
            // No processor has both.
            let other = KernelImplementation.neon.isAvailable ? KernelImplementation.avx2 : .neon
            setenv("AUSCULT_KERNELS", other.rawValue, 1)
            precondition(KernelImplementation.current == .best)
            precondition(KernelImplementation.refusedSetting?.contains("which this processor has not") == true)
        }
    }

    // The tests of operations run every form that is available. What this processor lacks is seen here as skipped.

    @Test(
        "AVX-512 runs here",
        .enabled(
            if: KernelImplementation.avx512.isAvailable, "this processor has no AVX-512: that form is compiled only"))
    func avx512() { expectProduct(.avx512) }

    @Test(
        "AVX2 runs here",
        .enabled(if: KernelImplementation.avx2.isAvailable, "this processor has no AVX2: that form is not tested"))
    func avx2() { expectProduct(.avx2) }

    @Test(
        "NEON runs here",
        .enabled(if: KernelImplementation.neon.isAvailable, "this is no aarch64 processor: that form is not tested"))
    func neon() { expectProduct(.neon) }

    private func expectProduct(_ form: KernelImplementation) {
        #expect(KernelImplementation.available.contains(form))
        let a: [Float] = [1, 2, 3, 4], b: [Float] = [1, 0, 2, 1]
        var c = [Float](repeating: .nan, count: 4)
        MatrixProduct.multiply(m: 2, n: 2, k: 2, a, lda: 2, b, ldb: 2, .columns, into: &c, ldc: 2, using: form)
        #expect(c == [1, 4, 3, 10])
    }
}
