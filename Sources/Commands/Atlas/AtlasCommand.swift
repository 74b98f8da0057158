import ArgumentParser
import Atlas
import Foundation
import StrictJSON

/// `auscult atlas`: features of a model with what excites them, in a file.
struct AtlasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atlas",
        abstract: "Scan a model's features over recordings into a file, explore it, and listen.",
        discussion: """
            An atlas has, for each neuron, direction or dictionary latent of the hook points scanned, the moments of \
            its highest activation, examples in each range of its activation, and the phoneme, word or speaker that it \
            responds to, scored on speakers that the label was not chosen by.

              auscult atlas build demo: --out demo.atlas
              auscult atlas show demo.atlas --label s --sort precision
              auscult atlas card demo.atlas encoder.blocks.2.mlp.1 17
              auscult atlas listen demo.atlas encoder.blocks.2.mlp.1 17 --out neuron-17
              auscult atlas demo.atlas
              auscult atlas export demo.atlas --out site/

            Without a subcommand, the atlas is served as a page for a browser.

            An atlas is one SQLite file. One process at a time writes to it, and any number reads.
            """,
        subcommands: [
            AtlasBuildCommand.self, AtlasShowCommand.self, AtlasCardCommand.self, AtlasListenCommand.self,
            AtlasServeCommand.self, AtlasExportCommand.self,
        ], defaultSubcommand: AtlasServeCommand.self)
}

/// A feature of an atlas.
struct AtlasFeatureArguments: ParsableArguments {
    @Argument(help: "The atlas.", completion: .file()) var file: String
    @Argument(help: "The hook point.") var hook: String
    @Argument(help: "The feature's number at the hook point, from 0, or its name.") var feature: String
    @Option(
        help: "The scan, by its id in 'auscult atlas show --scans'; by default the newest that has the feature.")
    var scan: Int64?

    /// Everything about it.
    func card() throws -> AtlasCard {
        try AtlasStore(path: file, mode: .read).card(hook: hook, named: feature, scan: scan)
    }
}

extension JSON {
    /// What an atlas says, with keys in snake case and moments as ISO 8601.
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
