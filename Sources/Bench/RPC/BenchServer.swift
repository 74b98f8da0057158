import CDescriptors
import Foundation
import Logging
import Messages
import Wire

/// The wire without an engine behind it, in a process of its own: an echo, a stream of chunks that are there already, and
/// memory of any size.
enum BenchServer {
    static func run(at path: String) async throws {
        let handoff = try DescriptorHandoff(
            listening: try listening(path + ".fd"), path: path + ".fd", authorize: { _ in true },
            logger: Logger(label: "bench"))
        let server = WireServer(
            [
                // The name's length is echoed in the name.
                V1.ModelRPC.info.handle { request, _ in V1.ModelInfo(name: request.name) },
                // As many MiB as the request has tokens.
                V1.TraceRPC.run.handle { request, answers, _ in
                    guard case .tokens(let tokens)? = request.decoderInput else { return }
                    let chunk = [UInt8](repeating: 7, count: 1 << 20)
                    for index in 0..<Int(tokens.ids.first ?? 0) {
                        let data = V1.TensorChunk(offset: UInt64(index) << 20, data: chunk)
                        try await answers.send(V1.TraceEvent(event: .chunk(data)))
                    }
                },
                V1.TraceRPC.runToEnd.handle { request, _ in
                    guard case .tokens(let tokens)? = request.decoderInput else { return V1.TraceSummary() }
                    let size = Int(tokens.ids.first ?? 0) << 20
                    let descriptor = try memory(size)
                    return V1.TraceSummary(
                        memory: V1.SharedMemory(
                            socket: handoff.path, token: handoff.offer(descriptor), size: UInt64(size)))
                },
            ], logger: Logger(label: "bench"))
        try server.listen(on: try listening(path))
        try await Task.sleep(for: .seconds(600))
    }

    /// Memory that was written once and is handed over any number of times.
    private static let made = NSLock()
    nonisolated(unsafe) private static var memories: [Int: Int32] = [:]  // under the lock

    private static func memory(_ size: Int) throws -> Int32 {
        made.lock()
        defer { made.unlock() }
        if let old = memories[size] { return dup(old) }
        let descriptor = auscult_memory_create("bench", 0)
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        for index in 0..<size >> 20 { pwrite(descriptor, piece, piece.count, off_t(index) << 20) }
        guard descriptor >= 0, auscult_memory_seal(descriptor) == 0 else {
            throw WireError(.resourceExhausted, "no memory of \(size) bytes")
        }
        memories[size] = descriptor
        return dup(descriptor)
    }

    static func listening(_ path: String) throws -> Int32 {
        unlink(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard withAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            throw WireError(.unavailable, "cannot listen at \(path): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    static func withAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
