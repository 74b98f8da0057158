import ArgumentParser
import Atlas
import AtlasPage
import Client
import Files
import Foundation

/// `auscult atlas export`: the page of an atlas as a folder.
struct AtlasExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write an atlas as a page that needs no server.",
        discussion: """
            The folder can be opened from disk (index.html), or be put on any static web host. It has the sounds of \
            the examples that it shows, and not the paths of the recordings on this machine.

              auscult atlas export features.atlas --out site/
              auscult atlas export features.atlas --out site/ --features 500 --examples 5
            """)

    @Argument(help: "The atlas.", completion: .file()) var file: String
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The folder; it is created, or must be empty.", valueName: "folder"),
        completion: .directory)
    var out: String
    @Option(help: ArgumentHelp("Only features of this hook point.", valueName: "name")) var hook: String?
    @Option(help: ArgumentHelp("At most this many features, the first in the order of --sort.", valueName: "count"))
    var features: Int?
    @Option(help: "The order of features: \(Self.sorts).") var sort = AtlasQuery.Sort.selectivity
    @Option(help: ArgumentHelp("Examples of each side of a feature.", valueName: "count")) var examples = 10
    @Option(help: ArgumentHelp("Examples of each bin.", valueName: "count")) var binExamples = 3
    @Flag(name: .customLong("no-sounds"), help: "Leave the sounds out.") var noSounds =
        false
    @Flag(name: [.short, .long], help: "No progress.") var quiet = false
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    private static let sorts = AtlasQuery.Sort.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        for (name, count) in [("features", features ?? 1), ("examples", examples), ("bin-examples", binExamples)] {
            guard count >= 0, count <= 1_000_000 else {
                throw ValidationError("--\(name) must be 0 to 1000000, not \(count).")
            }
        }
    }

    func run() async throws {
        let console = Console.current
        let store = try AtlasStore(path: file, mode: .read)
        var choice = PageExport.Choice()
        choice.hook = hook
        choice.features = features
        choice.sort = sort
        choice.examples = examples
        choice.binExamples = binExamples
        choice.sounds = !noSounds
        let progress = ProgressLine(console, quiet: quiet)
        let summary = try await PageExport(store: store, makeSound: try AtlasSounds(connection).maker)
            .write(to: out, choice) { done, all in
                progress.show("writing", done: done, total: all, unit: { "\($0) features" }, matters: done == all)
            }
        progress.clear()
        for reason in summary.silent.prefix(5) { console.error("auscult: warning: \(reason)\n") }
        if summary.silent.count > 5 {
            console.error("auscult: warning: \(summary.silent.count - 5) more sounds could not be made\n")
        }
        let size = String(format: "%.1f", Double(summary.bytes) / 1e6)
        try console.print(
            "\(out)/index.html: \(summary.features) features, \(summary.sounds) sounds, \(size) MB")
    }
}
