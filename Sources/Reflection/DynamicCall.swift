import Foundation
import StrictJSON
import Wire

/// One call of a method that is known from its description.
package struct DynamicCall: Sendable {
    package let method: MethodDescriptor
    package let codec: MessageCodec
    package let transport: WireTransport
    package let print: @Sendable (JSON) throws -> Void

    package init(
        method: MethodDescriptor, codec: MessageCodec, transport: WireTransport,
        print: @escaping @Sendable (JSON) throws -> Void
    ) {
        self.method = method
        self.codec = codec
        self.transport = transport
        self.print = print
    }

    /// - Parameter request: JSON, `-` or `@FILE`.
    package func run(_ request: String, maxMessages: Int?) async throws {
        let input = try codec.pool.message(named: method.input)
        guard method.clientStreaming else {
            let message = try codec.encode(try JSON(parsing: try await Self.text(of: request)), as: input)
            if method.serverStreaming { return try await stream(message, maxMessages) { _ in } }
            let answer = try await transport.unary(service: method.service, method: method.name, request: message)
            return try show(answer)
        }
        try await stream(nil, maxMessages) { stream in
            try await forEachMessage(of: request) { try await stream.send(try codec.encode($0, as: input)) }
            try await stream.closeSend()
        }
    }

    private func stream(
        _ request: [UInt8]?, _ maxMessages: Int?, _ send: @escaping @Sendable (BridgeStream) async throws -> Void
    ) async throws {
        let stream = try await transport.open(service: method.service, method: method.name, request: request)
        let sending = Task {
            do {
                try await send(stream)
            } catch {
                // What is wrong with a message ends the call; what is wrong with the call is said by its answers.
                await stream.cancel()
                throw error
            }
        }
        defer { sending.cancel() }
        do {
            try await withTaskCancellationHandler {
                var count = 0
                for try await message in stream.messages {
                    try show(message)
                    count += 1
                    if count == maxMessages {
                        sending.cancel()
                        await stream.cancel()
                        return
                    }
                }
                try Task.checkCancellation()
                try await check(sending)
            } onCancel: {
                sending.cancel()
                Task { await stream.cancel() }
            }
        } catch {
            try Task.checkCancellation()
            try await check(sending)
            throw error
        }
    }

    /// - Throws: what ended the sender, unless that was the end of the call.
    private func check(_ sending: Task<Void, any Error>) async throws {
        sending.cancel()
        if case .failure(let cause) = await sending.result, !(cause is CallFailure || cause is CancellationError) {
            throw cause
        }
    }

    private func show(_ message: [UInt8]) throws {
        try print(try codec.decode(message, as: codec.pool.message(named: method.output)))
    }

    // MARK: - Input

    private static func text(of request: String) async throws -> [UInt8] {
        guard request == "-" || request.hasPrefix("@") else { return Array(request.utf8) }
        var bytes: [UInt8] = []
        for try await line in lines(of: request) { bytes += line + [UInt8(ascii: "\n")] }
        return bytes
    }

    private func forEachMessage(of request: String, _ body: (JSON) async throws -> Void) async throws {
        guard request == "-" || request.hasPrefix("@") else {
            let json = try JSON(parsing: request)
            guard case .array(let messages) = json else { return try await body(json) }
            for message in messages { try await body(message) }
            return
        }
        for try await line in Self.lines(of: request) where line.contains(where: { $0 > 0x20 }) {
            try await body(try JSON(parsing: line))
        }
    }

    /// The lines of standard input (`-`) or of a file (`@FILE`), as they come.
    private static func lines(of request: String) -> AsyncThrowingStream<[UInt8], any Error> {
        let reader = LineReader(request == "-" ? nil : String(request.dropFirst()))
        return AsyncThrowingStream { try await reader.next() }
    }
}
