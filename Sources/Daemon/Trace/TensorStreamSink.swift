import Kernels
import Messages
import Wire

/// Sends the tensors of a trace in chunks, as soon as they are known. Waits for a slow reader with the engine let go.
final class TensorStreamSink: TraceSink {
    static let chunkBytes = 1 << 20

    private let stream: ResponseStream<V1.TraceEvent>
    private let turn: EngineTurn

    init(_ stream: ResponseStream<V1.TraceEvent>, _ turn: EngineTurn) {
        self.stream = stream
        self.turn = turn
    }

    func begin(windows: Int?) {}

    func append(_ description: TracedTensor, _ tensor: Tensor) throws {
        try stream.send(V1.TraceEvent(event: .tensor(V1.TensorHeader(description, tensor))), on: turn)
        try tensor.withUnsafeBufferPointer { elements in
            let bytes = UnsafeRawBufferPointer(elements)
            for start in Swift.stride(from: 0, to: bytes.count, by: Self.chunkBytes) {
                let piece = bytes[start..<min(start + Self.chunkBytes, bytes.count)]
                let chunk = V1.TensorChunk(offset: UInt64(start), data: Array(piece))
                try stream.send(V1.TraceEvent(event: .chunk(chunk)), on: turn, size: piece.count + 64)
            }
        }
    }

    func finish(_ summary: TraceSummary) {}
}
