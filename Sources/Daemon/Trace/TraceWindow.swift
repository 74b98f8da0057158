import Kernels
import Whisper

/// One window of a trace: how its tensors are called, and where they lie in the recording.
struct TraceWindow {
    let index: Int
    /// Encoder frames that overlap audio.
    let validFrames: Int
    /// The log-mel frame of the recording that it begins with.
    let firstMelFrame: Int
    private let isNumbered: Bool

    /// One of several, or the only one, of consecutive windows.
    init(_ window: SoundWindow, of windows: Int, _ dimensions: ModelDimensions) {
        index = window.index
        validFrames = window.validFrames
        firstMelFrame = window.index * dimensions.melFrames
        isNumbered = windows > 1
    }

    /// A window of a transcript, of which nobody knows whether another will follow.
    init(index: Int, _ span: WindowSpan) {
        self.index = index
        validFrames = (span.frames + 1) / 2
        firstMelFrame = span.seek
        isNumbered = true
    }

    /// In seconds.
    var start: Double { Double(firstMelFrame) / 100 }

    /// - Parameter gradient: of which objective it is the gradient, where it is one.
    func description(of captured: CapturedTensor, gradient: ObjectiveNumber? = nil) -> TracedTensor {
        let position = captured.hook.position
        let isToken = position == .token
        // A transcript's window may begin between two frames of 20 ms; `start` says it exactly.
        let first = position == .melFrame ? firstMelFrame : firstMelFrame / 2
        return TracedTensor(
            name: name(captured.hook.name, gradient), hook: captured.hook.name, window: index + 1,
            shape: captured.tensor.shape, axes: captured.axes,
            firstFrame: isToken ? nil : first + captured.firstPosition,
            firstToken: isToken ? captured.firstPosition : nil, framesPerSecond: captured.positionsPerSecond,
            validFrames: isToken ? nil : position == .melFrame ? 2 * validFrames : validFrames,
            objective: gradient?.number)
    }

    /// The model's input, `[mels, mel_frame]`, or a gradient of it, cut and reduced along its frames like an activation.
    func logMel(_ mel: Tensor, _ plan: PassPlan, gradient: ObjectiveNumber? = nil) -> (TracedTensor, Tensor) {
        let kept = plan.allFrames ? mel.shape[1] : 2 * validFrames
        let tensor = plan.reduction.applied(to: mel, axis: 1, first: kept)
        let hook = TraceRequest.logMel
        let description = TracedTensor(
            name: name(hook, gradient), hook: hook, window: index + 1, shape: tensor.shape,
            axes: plan.reduction == .none ? ["mel", "mel_frame"] : ["mel"],
            firstFrame: firstMelFrame, framesPerSecond: 100, validFrames: 2 * validFrames, objective: gradient?.number)
        return (description, tensor)
    }

    private func name(_ hook: String, _ gradient: ObjectiveNumber?) -> String {
        hook + (gradient?.suffix ?? "") + (isNumbered ? "@window\(index + 1)" : "")
    }
}

/// Which of the objectives of a trace.
struct ObjectiveNumber {
    /// From 1.
    let number: Int
    /// What follows the hook point's name.
    let suffix: String

    init(_ index: Int, of count: Int) {
        number = index + 1
        suffix = count > 1 ? "@grad\(number)" : "@grad"
    }
}
