import CDescriptors
import Daemon
import Foundation
import Kernels
import Logging
import Messages
import TensorFiles
import Whisper
import Wire

/// The tensors of a trace, however they came.
struct Traced {
    var order: [String] = []
    var shapes: [String: [Int]] = [:]
    var bytes: [String: [UInt8]] = [:]
    var summary: V1.TraceSummary?
    var isSealed = true

    /// Reads a streamed trace. Throws what the call ends with; records nothing by itself.
    init(streaming request: V1.TraceRequest, _ client: WireClient) async throws {
        for try await event in try await client.stream(V1.TraceRPC.run, request) {
            switch event.event {
            case .tensor(let header)?: begin(header)
            case .chunk(let chunk)?:
                guard let name = order.last, chunk.offset == UInt64(bytes[name]?.count ?? -1),
                    chunk.data.count <= 1 << 20
                else { throw Wrong(what: "a chunk at \(chunk.offset) out of place") }
                bytes[name]?.append(contentsOf: chunk.data)
            case .memory(let memory)?: try fetch(memory)
            case .done(let summary)?: self.summary = summary
            default: break
            }
        }
    }

    /// Runs a trace that goes elsewhere, and fetches it from there.
    init(ending request: V1.TraceRequest, _ client: WireClient) async throws {
        let summary = try await client.call(V1.TraceRPC.runToEnd, request)
        self.summary = summary
        if let memory = summary.memory { try fetch(memory) } else { try read(file: summary.outputFile) }
    }

    struct Wrong: Error { let what: String }

    private mutating func begin(_ header: V1.TensorHeader) {
        order.append(header.name)
        shapes[header.name] = header.shape.map { Int($0) }
        bytes[header.name] = []
    }

    private mutating func fetch(_ memory: V1.SharedMemory) throws {
        let descriptor = try DescriptorHandoff.fetch(from: memory.socket, token: memory.token)
        defer { close(descriptor) }
        isSealed = auscult_memory_is_sealed(descriptor) == 1
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == off_t(memory.size) else {
            throw Wrong(what: "the memory has another size")
        }
        for tensor in memory.tensors {
            guard let header = tensor.header, tensor.offset % 64 == 0 else { throw Wrong(what: "an offset") }
            begin(header)
            var data = [UInt8](repeating: 0, count: Int(header.byteCount))
            let count = pread(descriptor, &data, data.count, off_t(tensor.offset))
            guard count == data.count else { throw Wrong(what: "the memory is shorter than it says") }
            bytes[header.name] = data
        }
    }

    private mutating func read(file path: String) throws {
        let file = try SafetensorsFile(path: path)
        for name in summary?.tensors.map(\.name) ?? [] {
            let tensor = try file.tensor(named: name)
            order.append(name)
            shapes[name] = tensor.shape
            bytes[name] = Sound.f32le(tensor.elements)
        }
    }
}

/// Keeps the tensors of a trace in this process, as the bytes that they have on the wire.
final class KeptTrace: TraceSink {
    var order: [String] = []
    var shapes: [String: [Int]] = [:]
    var bytes: [String: [UInt8]] = [:]

    func begin(windows: Int?) {}
    func append(_ description: TracedTensor, _ tensor: Tensor) {
        order.append(description.name)
        shapes[description.name] = tensor.shape
        bytes[description.name] = Sound.f32le(tensor.elements)
    }
    func finish(_ summary: TraceSummary) {}
}
