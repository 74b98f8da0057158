import ArgumentParser
import Client
import Foundation
import Messages
import Reflection
import Results
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
