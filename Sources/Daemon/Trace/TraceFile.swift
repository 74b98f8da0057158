import Foundation
import Kernels
import Whisper

/// The tensor file of a trace while it is written. One trace uses it, on one thread.
final class TraceFile {
    private let writer: any TensorFileWriter
    private let windows: Int
    private let dimensions: ModelDimensions
    private var window = 0
    /// Encoder frames of the current window that overlap audio.
    private(set) var validFrames = 0
    private(set) var tensors: [TracedTensor] = []

    init(_ writer: any TensorFileWriter, windows: Int, _ dimensions: ModelDimensions) {
        self.writer = writer
        self.windows = windows
        self.dimensions = dimensions
    }

    func begin(window: Int, validFrames: Int) {
        self.window = window
        self.validFrames = min(validFrames, dimensions.nAudioCtx)
    }

    func append(_ captured: CapturedTensor) throws {
        let position = captured.hook.position
        let isToken = position == .token
        let perWindow = position == .melFrame ? dimensions.melFrames : dimensions.nAudioCtx
        try append(
            captured.tensor,
            TracedTensor(
                name: name(captured.hook.name), hook: captured.hook.name, window: window + 1,
                shape: captured.tensor.shape, axes: captured.axes,
                firstFrame: isToken ? nil : window * perWindow + captured.firstPosition,
                firstToken: isToken ? captured.firstPosition : nil, framesPerSecond: captured.positionsPerSecond,
                validFrames: isToken ? nil : position == .melFrame ? 2 * validFrames : validFrames))
    }

    /// The model's input, `[mels, mel_frame]`, cut and reduced along its frames like an activation.
    func append(logMel mel: Tensor, _ plan: TracePlan) throws {
        let kept = plan.frames == .valid ? 2 * validFrames : mel.shape[1]
        let tensor = mel.columns(kept, reduction: plan.reduction)
        let name = TraceRequest.logMel
        try append(
            tensor,
            TracedTensor(
                name: self.name(name), hook: name, window: window + 1, shape: tensor.shape,
                axes: plan.reduction == .none ? ["mel", "mel_frame"] : ["mel"],
                firstFrame: window * dimensions.melFrames, framesPerSecond: 100, validFrames: 2 * validFrames))
    }

    private func append(_ tensor: Tensor, _ description: TracedTensor) throws {
        try writer.append(description.name, tensor)
        tensors.append(description)
    }

    private func name(_ hook: String) -> String { windows == 1 ? hook : "\(hook)@window\(window + 1)" }

    /// Completes the file. Its metadata are strings: facts about the trace, and for each tensor, under its name, a
    /// ``TracedTensor`` as JSON.
    func finish(_ summary: TraceSummary, _ request: TraceRequest, _ dimensions: ModelDimensions) throws {
        var metadata = [
            "format": "auscult-trace-1", "file": summary.file, "model": summary.model,
            "model_sha256": summary.digest, "dimensions": try json(dimensions), "sample_rate": "16000",
            "duration": "\(summary.duration)", "start": "\(request.seconds?.lowerBound ?? 0)", "windows": "\(windows)",
            "frames": request.frames.rawValue, "reduction": request.reduction.rawValue,
            "interventions": try json(request.interventions), "tokens": try json(summary.tokens),
        ]
        for tensor in tensors { metadata[tensor.name] = try json(tensor) }
        try writer.finish(metadata: metadata)
    }

    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
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
