import ArgumentParser
import Client
import Files
import Foundation
import Logging
import Messages
import Reflection
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
