import Foundation
import Messages
import StrictJSON
import TerminalText

extension V1.TraceSummary {
    /// The result of a trace, without its last line break.
    package func text(_ format: ResultFormat) -> String {
        guard format == .text else { return json.text }
        var table = TextTable("TENSOR", "SHAPE", "AXES")
        for tensor in tensors {
            let shape = tensor.shape.map { String($0) }.joined(separator: " × ")
            table.append(tensor.name, shape, tensor.axes.joined(separator: " × "))
        }
        let told = objectives.map {
            "\n\($0.text): \($0.values.map { String(format: "%.6g", $0) }.joined(separator: ", "))"
        }
        return table.text + told.joined() + "\n\(tensors.count) tensors in \(outputFile)"
    }

    private var json: JSON {
        [
            "file": .string(file), "out": .string(outputFile), "model": .string(model),
            "model_sha256": .string(modelSha256), "precision": .string(precision.name),
            "padding": padding == .paddingUnspecified ? .null : .string(padding.name), "duration": .number(duration),
            "window_starts": .array(windowStarts.map { .number($0) }),
            "prompt_tokens": .array(promptTokens.map { .integer(Int($0)) }),
            "notices": .array(notices.map(\.json)),
            "tokens": .array(tokens.map { JSON($0.ids) }), "tensors": .array(tensors.map(\.json)),
            "objectives": .array(
                objectives.map {
                    ["text": .string($0.text), "values": .array($0.values.map { $0.isFinite ? .number($0) : .null })]
                }),
        ]
    }
}

extension V1.TensorHeader {
    fileprivate var json: JSON {
        var firstFrame = JSON.null
        var firstToken = JSON.null
        switch firstPosition {
        case .firstFrame(let frame)?: firstFrame = JSON(frame)
        case .firstToken(let token)?: firstToken = JSON(token)
        case nil: break
        }
        return [
            "name": .string(name), "hook": .string(hook), "window": .integer(Int(window)),
            "dtype": .string(dtype.name), "shape": JSON(shape), "axes": JSON(axes), "first_frame": firstFrame,
            "first_token": firstToken, "frames_per_second": JSON(framesPerSecond),
            "valid_frames": validFrames.map { JSON($0) } ?? .null,
            "objective": objective == 0 ? .null : .integer(Int(objective)),
        ]
    }
}

extension V1.DType {
    /// safetensors' name; of one that is not known, its number.
    package var name: String {
        switch self {
        case .f32: "F32"
        case .f16: "F16"
        case .bf16: "BF16"
        case .f64: "F64"
        case .i32: "I32"
        case .i64: "I64"
        case .u8: "U8"
        default: String(rawValue)
        }
    }
}
