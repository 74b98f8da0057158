import Glibc
import Kernels
import Mel

/// Power spectra whose log-mel is a given one, or as near as power that is not negative can come.
package struct MelInverse: Sendable {
    package let bands: Int
    /// `[bands, bins]`.
    private let filters: [Float]
    private let bins = ShortTimeTransform.bins

    package init(bands: Int) {
        self.bands = bands
        filters = MelFilters(bands: bands).matrix.elements
    }

    /// Mel power, before Whisper's logarithm and scale: `[frames, bands]` of a log-mel `[bands, frames]`.
    package static func power(ofLogMel mel: [Float], bands: Int) -> [Float] {
        let frames = mel.count / max(bands, 1)
        return (0..<frames * bands).map { at in
            pow(10, 4 * mel[at % bands * frames + at / bands] - 4)
        }
    }

    /// P ≥ 0 with the least Σ ((P Fᵀ − M) / M)², F the filters: non-negative least squares of the relative error, since a model hears logarithms.
    ///
    /// By the multiplicative steps of Lee and Seung (2001), under which the sum never grows:
    ///
    ///     P ← P ∘ ((1 / M) F) / ((P Fᵀ / M²) F)
    ///
    /// - Parameter mel: M, `[frames, bands]`; nothing counts as less than 1e-10, which is where Whisper's logarithm ends.
    /// - Returns: `[frames, bins]`.
    package func powerSpectra(_ mel: [Float], steps: Int = 100) -> [Float] {
        let frames = mel.count / max(bands, 1), size = frames * bins
        guard frames > 0 else { return [] }
        let mel = mel.map { max($0, 1e-10) }
        let wanted = product(mel.map { 1 / $0 }, frames)
        // Any start that is nowhere 0 where a filter reaches: each bin as loud as the bands around it are.
        let level = product(mel, frames), reach = product([Float](repeating: 1, count: mel.count), frames)
        var power = (0..<size).map { reach[$0] > 0 ? level[$0] / (reach[$0] * reach[$0]) : 0 }
        for _ in 0..<steps {
            let heard = melPower(power, frames)
            let found = product((0..<mel.count).map { heard[$0] / mel[$0] / mel[$0] }, frames)
            for at in 0..<size where found[at] > 0 { power[at] *= wanted[at] / found[at] }
        }
        return power
    }

    /// P Fᵀ: the mel power `[frames, bands]` of power spectra `[frames, bins]`.
    package func melPower(_ power: [Float], _ frames: Int) -> [Float] {
        multiplied(power, frames, bins, bands, .columns)
    }

    /// V F, `[frames, bins]` of `[frames, bands]`.
    func product(_ values: [Float], _ frames: Int) -> [Float] { multiplied(values, frames, bands, bins, .rows) }

    private func multiplied(
        _ a: [Float], _ frames: Int, _ k: Int, _ n: Int, _ layout: MatrixProduct.Layout
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: frames * n) { out, count in
            if let out = out.baseAddress {
                MatrixProduct.multiplyOnAllThreads(
                    m: frames, n: n, k: k, a, lda: k, filters, ldb: bins, layout, into: out, ldc: n)
            }
            count = frames * n
        }
    }
}
