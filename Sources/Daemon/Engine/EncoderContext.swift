import Audio
import Kernels
import Messages
import Whisper

/// How much of a window the encoder hears.
public enum EncoderContext: String, Sendable, Codable, CaseIterable {
    /// The model's own window, padded with silence: what openai/whisper computes.
    case full
    /// The frames that overlap audio, and no more of the padding than the convolutions reach into. Short recordings cost
    /// a fraction; activations differ from the exact ones, since attention finds no padding to look at: in the default
    /// model, over clips of two seconds, by about a tenth (relative L2) at the residual stream after the last block.
    case auto

    /// A frame after the last valid one: the convolutions reach two log-mel frames ahead.
    private static let margin = 1

    /// The log-mel that the encoder hears of one window of a recording, `[n_mels, 2 × frames]`.
    /// - Parameters:
    ///   - samples: the window's own, at most ``ModelDimensions/windowSamples``.
    ///   - mel: made once by whoever has many windows; its tables take longer than a short one.
    func mel(_ samples: [Float], _ dimensions: ModelDimensions, by mel: LogMel? = nil) -> Tensor {
        let mel = mel ?? LogMel(bands: dimensions.nMels)
        let frames = frames(valid: EncoderFrames.valid(sampleCount: samples.count), dimensions)
        guard frames < dimensions.nAudioCtx else {
            return mel.window(samples, windowSamples: dimensions.windowSamples)
        }
        return mel.window(samples, firstFrames: 2 * frames)
    }

    /// Encoder frames of the context of a window with so many valid ones.
    private func frames(valid: Int, _ dimensions: ModelDimensions) -> Int {
        self == .full ? dimensions.nAudioCtx : min(dimensions.nAudioCtx, valid + Self.margin)
    }

    init(_ message: V1.EncoderContext) throws {
        switch message {
        case .full: self = .full
        case .auto: self = .auto
        default: throw ServiceError(.invalidArgument, "there is no encoder context \(message.rawValue)")
        }
    }
}
