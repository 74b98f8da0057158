import Foundation
import TestSupport
import Testing

@testable import Kernels

@Suite("OpenBLAS's choice of kernels")
struct BLASLibraryTests {
    @Test("fits where its kernels use what the processor has; names that nobody here knows are newer ones")
    func fits() {
        for (core, slowest) in [
            ("Prescott", BLASLibrary.InstructionSet.baseline), ("Nehalem", .baseline), ("Sandybridge", .avx),
            ("Haswell", .avx2), ("Zen", .avx2), ("SkylakeX", .avx512), ("Cooperlake", .avx512),
        ] {
            for needed in [BLASLibrary.InstructionSet.baseline, .avx, .avx2, .avx512] {
                #expect(BLASLibrary.fits(core, needed) == (needed <= slowest), "\(core) for \(needed)")
                let notice = BLASLibrary.notice(core, needed, setting: nil)
                #expect((notice == nil) == (needed <= slowest))
                if let notice { #expect(notice.contains(core) && notice.contains("\(needed)")) }
            }
        }
        #expect(BLASLibrary.fits("Zen9", .avx512) && BLASLibrary.notice("Zen9", .avx512, setting: nil) == nil)
    }

    @Test("what is wanted for an instruction set has that set")
    func wanted() {
        for needed in [BLASLibrary.InstructionSet.avx2, .avx512] {
            let core = needed.core
            #expect(core.flatMap(BLASLibrary.InstructionSet.ofCore) == needed)
        }
        #expect(BLASLibrary.InstructionSet.baseline.core == nil)
    }

    @Test("the notice says whose choice it was, and what would be better")
    func notice() {
        let own = BLASLibrary.notice("Prescott", .avx512, setting: nil) ?? ""
        #expect(own.contains("cannot be told otherwise") && own.contains("OPENBLAS_CORETYPE=SkylakeX would be faster"))
        let user = BLASLibrary.notice("Prescott", .avx512, setting: "Prescott") ?? ""
        #expect(user.contains("OPENBLAS_CORETYPE is 'Prescott'"))
    }

    @Test("this process has a version, and kernels that fit or a notice")
    func description() {
        let found = BLASLibrary.description
        #expect(found.version.first?.isNumber == true && !found.core.isEmpty)
        #expect(BLASLibrary.fits(found.core, .ofProcessor) == (found.notice == nil))
    }

    private static let hasAVX2 = KernelImplementation.avx2.isAvailable

    @Test(
        "a wrong choice is set right before the first product, and is what children start with",
        .enabled(if: hasAVX2, "this processor has no AVX2: every choice of OpenBLAS's fits it"))
    func setRight() async {
        // In a process of its own: nothing else may use the library while it chooses.
        await #expect(processExitsWith: .success) {
            BLASLibrary.choose("Prescott")
            unsetenv("OPENBLAS_CORETYPE")
            precondition(BLASLibrary.core == "Prescott", "OpenBLAS has not the kernels that the test begins with")
            let found = BLASLibrary.description
            precondition(found.core == BLASLibrary.InstructionSet.ofProcessor.core, "it uses those of \(found.core)")
            precondition(found.notice == nil && found.correction?.contains("for a Prescott") == true)
            precondition(String(cString: getenv("OPENBLAS_CORETYPE")) == found.core)
            precondition(BLASLibraryTests.productError() < 1e-4, "products are wrong")
        }
    }

    @Test(
        "a choice that the variable made is left, and told",
        .enabled(if: hasAVX2, "this processor has no AVX2: every choice of OpenBLAS's fits it"))
    func settingStays() async {
        await #expect(processExitsWith: .success) {
            BLASLibrary.choose("Prescott")
            let found = BLASLibrary.description
            precondition(found.core == "Prescott" && found.correction == nil)
            precondition(found.notice?.contains("OPENBLAS_CORETYPE is 'Prescott'") == true)
            precondition(BLASLibraryTests.productError() < 1e-4, "products are wrong")
        }
    }

    /// The largest difference of OpenBLAS's product from the plain one; sizes past its small cases, so that blocks and copies are used.
    static func productError() -> Float {
        let (m, n, k) = (70, 130, 400)
        var generator = SeededGenerator(seed: 1)
        let a = generator.floats(m * k), b = generator.floats(n * k)
        func product(_ form: KernelImplementation) -> [Float] {
            var c = [Float](repeating: 0, count: m * n)
            MatrixProduct.multiply(m: m, n: n, k: k, a, lda: k, b, ldb: k, .columns, into: &c, ldc: n, using: form)
            return c
        }
        return largestDifference(product(.blas), product(.reference))
    }
}
