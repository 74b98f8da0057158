import Kernels
import Whisper

/// One window of a trace: how its tensors are called, and where they lie in the recording.
struct TraceWindow {
    let index: Int
    /// Encoder frames that overlap audio.
    let validFrames: Int
    private let windows: Int
    private let dimensions: ModelDimensions

    init(index: Int, of windows: Int, validFrames: Int, _ dimensions: ModelDimensions) {
        self.index = index
        self.windows = windows
        self.validFrames = min(validFrames, dimensions.nAudioCtx)
        self.dimensions = dimensions
    }

    func description(of captured: CapturedTensor) -> TracedTensor {
        let position = captured.hook.position
        let isToken = position == .token
        let perWindow = position == .melFrame ? dimensions.melFrames : dimensions.nAudioCtx
        return TracedTensor(
            name: name(captured.hook.name), hook: captured.hook.name, window: index + 1,
            shape: captured.tensor.shape, axes: captured.axes,
            firstFrame: isToken ? nil : index * perWindow + captured.firstPosition,
            firstToken: isToken ? captured.firstPosition : nil, framesPerSecond: captured.positionsPerSecond,
            validFrames: isToken ? nil : position == .melFrame ? 2 * validFrames : validFrames)
    }

    /// The model's input, `[mels, mel_frame]`, cut and reduced along its frames like an activation.
    func logMel(_ mel: Tensor, _ plan: TracePlan) -> (TracedTensor, Tensor) {
        let kept = plan.frames == .valid ? 2 * validFrames : mel.shape[1]
        let tensor = mel.columns(kept, reduction: plan.reduction)
        let hook = TraceRequest.logMel
        let description = TracedTensor(
            name: name(hook), hook: hook, window: index + 1, shape: tensor.shape,
            axes: plan.reduction == .none ? ["mel", "mel_frame"] : ["mel"],
            firstFrame: index * dimensions.melFrames, framesPerSecond: 100, validFrames: 2 * validFrames)
        return (description, tensor)
    }

    private func name(_ hook: String) -> String { windows == 1 ? hook : "\(hook)@window\(index + 1)" }
}

extension Tensor {
    /// The first `kept` columns of a matrix, or their maximum or mean in each row.
    fileprivate func columns(_ kept: Int, reduction: Reduction) -> Tensor {
        let rows = shape[0]
        let width = shape[1]
        var out = Tensor(shape: reduction == .none ? [rows, kept] : [rows])
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { out in
                for row in 0..<rows {
                    let values = source[row * width..<row * width + kept]
                    switch reduction {
                    case .none: for (column, value) in values.enumerated() { out[row * kept + column] = value }
                    case .max: out[row] = values.max() ?? 0
                    case .mean: out[row] = kept > 0 ? values.reduce(0, +) / Float(kept) : 0
                    }
                }
            }
        }
        return out
    }
}
