import Glibc

/// The slow twin of ``PowerSpectrum``: the definition of the discrete Fourier transform, in double.
public enum ReferenceDFT {
    /// |Σ x[t]·exp(−2πi·kt/n)|² for k = 0 … n/2, where n is the frame's length; n² operations.
    public static func power(_ frame: [Double]) -> [Double] {
        transform(frame).prefix(frame.count / 2 + 1).map { $0.re * $0.re + $0.im * $0.im }
    }

    /// All n values of the transform of a real signal.
    public static func transform(_ signal: [Double]) -> [(re: Double, im: Double)] {
        let n = signal.count
        // One turn in n steps: the index is reduced modulo n first, so that no angle grows large and inexact.
        let turn = (0..<n).map { step in
            let angle = -2 * Double.pi * Double(step) / Double(n)
            return (re: cos(angle), im: sin(angle))
        }
        return (0..<n).map { k in
            var (re, im) = (0.0, 0.0)
            for t in 0..<n {
                re += signal[t] * turn[k * t % n].re
                im += signal[t] * turn[k * t % n].im
            }
            return (re, im)
        }
    }
}
