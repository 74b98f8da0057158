import Kernels
import TensorFiles

/// The tensors of a checkpoint of any format, under openai/whisper's names, checked against its dimensions.
struct TensorTable: WeightSource {
    let file: String
    private let tensors: [String: StoredTensor]

    let names: [String]

    /// - Throws: ``WhisperError`` unless `tensors` are exactly those of a Whisper of these `dimensions`: `dataLoss`
    ///   where one is missing or has another shape, `unsupported` where there are more (biases, adapters or layers that
    ///   the dimensions do not speak of: running without them would give wrong results quietly).
    init(_ tensors: [String: StoredTensor], dimensions: ModelDimensions, file: String) throws {
        let shapes = dimensions.tensorShapes
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            guard let stored = tensors[name] else {
                throw WhisperError(.dataLoss, "\(file) has no tensor '\(name)', which its dimensions demand")
            }
            guard stored.shape == shape else {
                throw WhisperError(
                    .dataLoss, "\(file): tensor '\(name)' has the shape \(stored.shape); its dimensions demand \(shape)"
                )
            }
        }
        let unknown = tensors.keys.filter { shapes[$0] == nil }.sorted()
        guard unknown.isEmpty else {
            throw WhisperError(
                .unsupported, "\(file) has tensors that a Whisper of its dimensions does not have: \(listed(unknown))")
        }
        self.file = file
        self.tensors = tensors
        self.names = tensors.keys.sorted()
    }

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let stored = try stored(name, shape)
        // What is no view has been read, and is not held in memory twice.
        defer { if stored.type != .float32 { stored.bytes.rest() } }
        return try stored.float32()
    }

    func rows(_ name: String, shape: [Int], _ range: Range<Int>) throws -> Tensor {
        try stored(name, shape).float32(rows: range)
    }

    func rest() { for tensor in tensors.values { tensor.bytes.rest() } }

    private func stored(_ name: String, _ shape: [Int]) throws -> StoredTensor {
        guard let stored = tensors[name] else {
            throw WhisperError(.dataLoss, "\(file) has no tensor '\(name)'")
        }
        guard stored.shape == shape else {
            throw WhisperError(
                .dataLoss, "\(file): tensor '\(name)' has the shape \(stored.shape); expected \(shape)")
        }
        return stored
    }
}
