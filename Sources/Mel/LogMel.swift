import Kernels
import Spectra

/// The log-mel spectrogram as openai/whisper computes it from mono samples at 16 kHz.
///
/// Frames of 400 samples (25 ms) every 160 (10 ms), frame t centred on sample 160·t, with the signal reflected at both
/// ends; a periodic Hann window; power; mel filters; then y = log10(max(mel, 1e-10)), clamped to 8 below the maximum of
/// the whole spectrogram, and (y + 4)/4. The last of the 1 + n/160 centred frames is dropped.
///
/// The value is within 3e-5 of the exact one, and the rest of any difference from torch's is torch's: see
/// `SpectrumPlan` for what was measured.
public struct LogMel: Sendable {
    /// Hertz.
    public static let sampleRate = 16_000
    /// Samples of a frame, n_fft.
    public static let frameSize = 400
    /// Samples from one frame to the next.
    public static let hop = 160

    /// Samples that a frame reaches to each side of its centre.
    static let reach = frameSize / 2

    public let filters: MelFilters
    public var bands: Int { filters.bands }
    private let spectrum: PowerSpectrum
    private let bandFilters: BandFilters
    private let implementation: KernelImplementation

    public init(bands: Int, using implementation: KernelImplementation = .current) {
        filters = MelFilters(bands: bands)
        bandFilters = BandFilters(filters.filters.map { ($0.firstBin, $0.weights) })
        spectrum = PowerSpectrum(window: SpectrumPlan.hann(Self.frameSize), using: implementation)
        self.implementation = implementation
    }

    /// The spectrogram of `samples`, `[bands, samples.count / 160]`.
    ///
    /// Where openai/whisper refuses, with 200 samples or fewer, the reflection goes back and forth.
    public func spectrogram(_ samples: [Float]) -> Tensor {
        samples.withUnsafeBufferPointer(spectrogram)
    }

    /// The spectrogram of `samples`, `[bands, samples.count / 160]`.
    public func spectrogram(_ samples: UnsafeBufferPointer<Float>) -> Tensor {
        scaled(MelSignal(samples, length: samples.count), frames: samples.count / Self.hop)
    }

    /// The spectrogram of one window: `samples` cut to `windowSamples` or followed by zeros, as openai/whisper's
    /// `pad_or_trim`; `[bands, windowSamples / 160]`. A model's window is 320·n_audio_ctx samples.
    public func window(_ samples: [Float], windowSamples: Int) -> Tensor {
        precondition(windowSamples >= 0, "a window of \(windowSamples) samples")
        return samples.withUnsafeBufferPointer {
            let content = UnsafeBufferPointer(rebasing: $0.prefix(windowSamples))
            return scaled(MelSignal(content, length: windowSamples), frames: windowSamples / Self.hop)
        }
    }

    /// The first `frames` columns of ``window(_:windowSamples:)``, equal to the bit, without computing the others:
    /// `[bands, frames]`. Right as long as what is left out is padding, so `samples` may reach no further than they do.
    public func window(_ samples: [Float], firstFrames frames: Int) -> Tensor {
        precondition(samples.count <= frames * Self.hop, "\(samples.count) samples in \(frames) frames")
        // Two frames more, and the reflection at the end lies in silence and is silence.
        return samples.withUnsafeBufferPointer {
            scaled(MelSignal($0, length: (frames + 2) * Self.hop), frames: frames)
        }
    }

    /// The first frames of a signal, scaled by the greatest power among them.
    private func scaled(_ signal: MelSignal, frames: Int) -> Tensor {
        var out = Tensor(uninitialized: [bands, frames])
        guard frames > 0 else { return out }
        out.withUnsafeMutableBufferPointer { out in
            let out = out.baseAddress!
            let peak = melPower(signal, frames: 0..<frames, into: out, stride: frames)
            scale(out, count: bands * frames, peak: peak)
        }
        return out
    }

    /// From power to what the model sees, in place; `peak` is the greatest power of the whole spectrogram.
    func scale(_ values: UnsafeMutablePointer<Float>, count: Int, peak: Float) {
        MelScale.apply(values, into: values, count: count, peak: peak, using: implementation)
    }

    /// Mel power of `frames` frames, before any logarithm, to `out[band·stride + frame]`. `samples` is the first sample
    /// of the first frame, 200 before its centre. Returns the maximum.
    ///
    /// A frame's values depend on its own samples only, to the last bit, wherever it stands.
    func melPower(
        _ samples: UnsafePointer<Float>, frames: Int, into out: UnsafeMutablePointer<Float>, stride: Int
    ) -> Float {
        spectrum.bandPower(samples, hop: Self.hop, frames: frames, bandFilters, into: out, stride: stride)
    }

    /// The same of some of a signal's frames, the first of them at `out`.
    func melPower(
        _ signal: MelSignal, frames: Range<Int>, into out: UnsafeMutablePointer<Float>, stride: Int
    ) -> Float {
        var peak: Float = 0
        for run in signal.runs(of: frames) {
            let to = out + (run.frames.lowerBound - frames.lowerBound)
            switch run.kind {
            case .silent: for band in 0..<bands { (to + band * stride).update(repeating: 0, count: run.frames.count) }
            case .whole:
                let from = signal.content.baseAddress! + (run.frames.lowerBound * Self.hop - Self.reach)
                peak = max(peak, melPower(from, frames: run.frames.count, into: to, stride: stride))
            case .edge:
                let samples = signal.samples(of: run.frames)
                peak = max(peak, melPower(samples, frames: run.frames.count, into: to, stride: stride))
            }
        }
        return peak
    }
}
