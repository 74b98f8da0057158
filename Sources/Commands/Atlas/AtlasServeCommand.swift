import ArgumentParser
import Atlas
import AtlasPage
import Client
import Files

/// `auscult atlas serve`: the page of an atlas for browsers on this machine.
struct AtlasServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Explore an atlas in a browser: search, compare, listen.",
        discussion: """
            Serves the page on this machine only (127.0.0.1), until Ctrl-C, and prints its address. Nothing can be \
            changed through it. The daemon reads the recordings in place. The address has a random part, since every user \
            of this machine can ask its ports: whoever is given the address can read the atlas until the server ends.

              auscult atlas serve features.atlas
              auscult atlas features.atlas --port 8080

            Every state of the page is a link. What follows '#' in it can be kept, and put behind the address of whoever \
            serves the same atlas. '?' in the page shows its keyboard shortcuts.
            """)

    @Argument(help: "The atlas.", completion: .file()) var file: String
    @Option(help: "The port; 0 for one that is free.") var port = 0
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port must be 0 to 65535, not \(port).") }
    }

    func run() async throws {
        let console = Console.current
        let store = try AtlasStore(path: file, mode: .read)
        try await PageServer(store: store, makeSound: try AtlasSounds(connection).maker).run(port: port) { address in
            // Whoever reads the output has gone; the page can be served all the same.
            try? console.print(address)
        }
    }
}
