import ArgumentParser
import Files
import Foundation
import Logging
import Messages
import Wire

/// `auscult bridge`: the daemon for editors, which speak JSON-RPC.
struct BridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge",
        abstract: "Serve the daemon's methods as JSON-RPC, framed as in the Language Server Protocol.",
        discussion: """
              auscult bridge --stdio
              auscult bridge --listen $XDG_RUNTIME_DIR/auscult/bridge.sock

            A method is called by its full name, 'auscult.v1.Model/List'; params are the request in protobuf's JSON \
            form. A stream comes as notifications '$/stream' {"id", "message"}, and the result at its end is \
            {"messages": count}. '$/send' and '$/close' {"id", "message"} are for methods whose client streams, and \
            '$/cancelRequest' {"id"} ends a call. 'auscult call' describes the methods.
            """)

    @Flag(help: "Serve one editor, over standard input and output.") var stdio = false

    @Option(
        help: ArgumentHelp("Listen on a Unix socket, for any number of editors.", valueName: "path"),
        completion: .file())
    var listen: String?

    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard stdio != (listen != nil) else { throw ValidationError("Give either --stdio or --listen PATH.") }
    }

    func run() async throws {
        // An editor that goes away is an error of writing to it, and not the end of the others.
        signal(SIGPIPE, SIG_IGN)
        let opener = DaemonOpener(
            socket: try connection.path,
            launcher: connection.noStart ? nil : DaemonLauncher(environment: Console.current.environment),
            logger: verbosity.logger)
        if let listen {
            try await EditorSocket(path: try SocketPath(listen, environment: [:])).serve { editor in
                do {
                    _ = try await opener.serve(reading: editor, writing: editor)
                } catch {
                    opener.logger.error("an editor's connection ended: \(error)")
                }
            }
        } else {
            let status = try await opener.serve(reading: STDIN_FILENO, writing: STDOUT_FILENO)
            if status != 0 { throw Failure(status: .failure) }
        }
    }
}

/// What it takes to reach the daemon, again and again.
struct DaemonOpener: Sendable {
    let socket: SocketPath
    let launcher: DaemonLauncher?
    let logger: Logger

    func open() async throws -> DaemonConnection {
        try await DaemonConnection.open(at: socket, launcher: launcher, logger: logger)
    }

    /// Carries JSON-RPC between two descriptors and a connection of its own, until the editor has had enough.
    /// - Returns: the status to exit with.
    func serve(reading: Int32, writing: Int32) async throws -> Int32 {
        let daemon = try await open()
        let shared = SharedConnection(daemon) { try await open() }
        let pool = try await DescriptorPool(from: daemon)
        let bridge = Bridge(
            MessageCodec(pool), serverInfo: ["name": "auscult", "version": .string(auscultVersion)],
            transport: WireTransport(shared, pool),
            write: { try Commands.write($0, to: writing, name: "the editor") })
        let input = AsyncThrowingStream<[UInt8], any Error> {
            let bytes = try await readNext(reading, most: 64 << 10, name: "the editor")
            return bytes.isEmpty ? nil : bytes
        }
        let result = await Result { try await bridge.run(input) }
        await shared.close()
        return try result.get()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
