import Foundation
import Kernels
import TensorFiles
import Whisper

/// The tensor file of a trace: it appears when it is complete, or not at all.
final class TraceFile: TraceSink {
    private let writer: any TensorFileWriter
    private let request: TraceRequest
    private let dimensions: ModelDimensions

    /// - Throws: ``ServiceError`` (`invalidArgument`) for an ending that names no format; ``Files/FileError``.
    init(_ path: String, _ request: TraceRequest, _ dimensions: ModelDimensions) throws {
        self.writer = try Self.writer(path)
        self.request = request
        self.dimensions = dimensions
    }

    /// A writer for the format that the path's ending names.
    private static func writer(_ path: String) throws -> any TensorFileWriter {
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "safetensors": return try SafetensorsWriter(path: path)
        case "npz": return try NPZWriter(path: path)
        default:
            throw ServiceError(
                .invalidArgument, "cannot tell the format of \(path): expected an ending of .safetensors or .npz")
        }
    }

    func begin(windows: Int?) {}

    func append(_ description: TracedTensor, _ tensor: Tensor) throws {
        try writer.append(description.name, tensor)
    }

    /// Its metadata are strings: facts about the trace, and for each tensor, under its name, a ``TracedTensor`` as JSON.
    func finish(_ summary: TraceSummary) throws {
        var metadata = [
            "format": "auscult-trace-1", "file": summary.file, "model": summary.model,
            "model_sha256": summary.digest, "precision": summary.precision.rawValue, "dimensions": try json(dimensions),
            "sample_rate": "16000",
            "duration": "\(summary.duration)", "start": "\(request.seconds?.lowerBound ?? 0)",
            "windows": "\(summary.windows)", "frames": request.frames.rawValue,
            "reduction": request.reduction.rawValue, "context": request.context.rawValue,
            "padding": summary.padding.rawValue, "window_starts": try json(summary.windowStarts),
            "interventions": try json(request.interventions.map(\.description)), "tokens": try json(summary.tokens),
            "provenance": try json(Provenance(summary, request)),
        ]
        if request.transcript != nil { metadata["prompt_tokens"] = try json(summary.promptTokens) }
        if !summary.objectives.isEmpty {
            // JSON has no NaN; a window without the objective has null.
            metadata["objectives"] = try json(
                summary.objectives.map {
                    ObjectiveEntry(text: $0.text, values: $0.values.map { $0.isFinite ? $0 : nil })
                })
        }
        for tensor in summary.tensors { metadata[tensor.name] = try json(tensor) }
        try writer.finish(metadata: metadata)
    }

    private struct ObjectiveEntry: Encodable {
        let text: String
        let values: [Double?]
    }

    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
