import ArgumentParser
import Foundation
import Messages
import StrictJSON
import Wire

/// `auscult call`: any method of the daemon, in JSON.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call any method of the daemon with JSON, as the daemon describes it.",
        discussion: """
              auscult call
              auscult call auscult.v1.Model
              auscult call Model/Hooks
              auscult call Model/Hooks '{"pattern": "encoder.blocks.0.**"}'
              auscult call Transcribe/Stream @request.json --compact

            Without a name, the services are listed; without JSON, a service, a method or a type is described. The \
            beginning of a name may be left out where the rest is unambiguous.

            JSON is the request in protobuf's JSON form, '-' for standard input, or @FILE. Where the client streams, \
            it is a list of messages, or, from standard input or a file, one message per line, sent as they come. \
            Answers are printed as they come; with --compact, one per line.
            """)

    @Argument(help: "SERVICE, SERVICE/METHOD, or the name of a message.") var name: String?
    @Argument(help: ArgumentHelp("The request: JSON, '-', or @FILE.", valueName: "json")) var request: String?
    @Flag(help: "Write field names as in the .proto files.") var protoNames = false
    @Flag(help: "Write fields also where they have their default values.") var defaults = false
    @Flag(help: "Write each answer on one line.") var compact = false

    @Option(help: ArgumentHelp("End the call after this many answers.", valueName: "count")) var maxMessages: Int?
    @Option(help: ArgumentHelp("End the call after this time.", valueName: "seconds")) var timeout: Double?
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        if let maxMessages, maxMessages < 1 {
            throw ValidationError("--max-messages must be at least 1, not \(maxMessages).")
        }
        if let timeout, !(timeout > 0 && timeout <= 1e9) {
            throw ValidationError("--timeout takes seconds above 0, not \(timeout).")
        }
        if request != nil, name == nil { throw ValidationError("A request needs a method.") }
    }

    func run() async throws {
        try await connection.use(Verbosity.notices) { daemon in
            let pool = try await DescriptorPool(from: daemon)
            guard let name else {
                return try Console.current.print(pool.services.map(\.fullName).sorted().joined(separator: "\n"))
            }
            guard let request else { return try Console.current.output(try pool.describe(named: name)) }
            var options = MessageCodec.Options()
            options.usesProtoNames = protoNames
            options.withDefaults = defaults
            let codec = MessageCodec(pool, options: options)
            let shared = SharedConnection(daemon) { daemon }
            let call = DynamicCall(
                method: try pool.method(name), codec: codec, transport: WireTransport(shared, pool),
                print: { json in try Console.current.print(compact ? json.compactText : json.text) })
            try await withTimeLimit(timeout) { try await call.run(request, maxMessages: maxMessages) }
        }
    }

    /// - Throws: ``CommandError`` (`temporaryFailure`) where the time is up first.
    private func withTimeLimit(_ seconds: Double?, _ body: @escaping @Sendable () async throws -> Void) async throws {
        guard let seconds else { return try await body() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw CommandError(.temporaryFailure, "the call did not end within \(seconds) s")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// One call of a method that is known from its description.
struct DynamicCall: Sendable {
    let method: MethodDescriptor
    let codec: MessageCodec
    let transport: WireTransport
    let print: @Sendable (JSON) throws -> Void

    /// - Parameter request: JSON, `-` or `@FILE`.
    func run(_ request: String, maxMessages: Int?) async throws {
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
