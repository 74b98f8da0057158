import ArgumentParser
import Atlas
import Client
import Drawing
import Files
import Foundation
import Messages
import Results
import StrictJSON

/// `auscult atlas listen`: the moments that excite a feature, as sound.
struct AtlasListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Write the moments that excite a feature as sound files, with playlists and pictures.",
        discussion: """
              auscult atlas listen tiny.atlas encoder.blocks.2.mlp.1 17 --out neuron-17
              auscult atlas listen tiny.atlas encoder.blocks.2.mlp.1 17 --rank 1 --out neuron-17
              auscult atlas listen tiny.atlas encoder.blocks.2.mlp.1 17 --all --out neuron-17

            Each file is a moment with two seconds to each side: the moment's 62.5 ms as they are, and its \
            surroundings 20 dB softer. Nothing exceeds full scale. top.m3u8 plays the strongest moments, and \
            bin-N.m3u8 those of a range of activation. The pictures have the activation over the spectrogram; it is \
            kept around the strongest moments only, so the pictures of a range mark the moment alone. A decoder's \
            tokens have no time and no sound: 'auscult atlas card' marks them in the text.
            """)

    @OptionGroup var feature: AtlasFeatureArguments
    @Option(help: "Only the moment of this rank, from 1 for the strongest.") var rank: Int?
    @Option(help: "The examples of this range of equal width, from 0 for the lowest.") var bin: Int?
    @Flag(help: "The strongest moments, and the examples of all ranges.") var all = false
    @Option(help: "The side: + for the largest values, - for the smallest.") var side = "+"
    @Option(name: [.short, .long], help: "The folder; it is created where it does not exist.", completion: .directory)
    var out: String
    @Option(help: "The files' format.") var sound = V1.SoundFormat.wav
    @Option(help: "The pictures: png, svg, pdf, or none.") var picture = AtlasPictureFormat.png
    @Option(help: ArgumentHelp("How much sound to include before and after the moment.", valueName: "seconds"))
    var around = 2.0
    @Option(help: ArgumentHelp("The level of the surroundings, −120 to 0.", valueName: "dB")) var surroundings = -20.0
    @Option(help: ArgumentHelp("The gain of the whole excerpt.", valueName: "dB")) var gain = 0.0
    @OptionGroup var format: FormatOption
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard [rank != nil, bin != nil, all].count(where: { $0 }) <= 1 else {
            throw ValidationError("--rank, --bin and --all exclude each other.")
        }
        guard side == "+" || side == "-" else { throw ValidationError("--side takes + or -, not '\(side)'.") }
        guard around > 0, around <= 50 else { throw ValidationError("--around takes 0 to 50 seconds, not \(around).") }
        guard (-120...0).contains(surroundings) else {
            throw ValidationError("--surroundings takes -120 to 0 dB, not \(surroundings).")
        }
        guard (-60...60).contains(gain) else { throw ValidationError("--gain takes -60 to 60 dB, not \(gain).") }
    }

    func run() async throws {
        let card = try feature.card()
        let lists = try lists(of: card)
        try DataFolder.create(out)
        let files = try await connection.use(verbosity.logger) { daemon in
            var folder = ListeningFolder(command: self, card: card, daemon: daemon)
            defer { folder.finish() }
            for list in lists { try await folder.write(list) }
            return folder.files
        }
        switch format.format {
        case .text: for file in files { try Console.current.print("\(out)/\(file)") }
        case .json: try Console.current.print(JSON(files.map { "\(out)/\($0)" }).text)
        }
    }

    /// What is to be heard.
    private func lists(of card: AtlasCard) throws -> [ListeningList] {
        let name = "feature \(card.feature.number) of \(card.feature.hook)"
        guard card.examples.isEmpty || card.examples.contains(where: { $0.example.seconds != nil }) else {
            throw CommandError(
                .usage,
                "\(name) is the decoder's: its examples are tokens, which 'auscult atlas card' marks in the text")
        }
        var lists: [ListeningList] = []
        if bin == nil {
            let chosen = card.examples.filter { $0.example.side == side && (rank == nil || $0.example.rank == rank) }
            guard !chosen.isEmpty || all else {
                let what =
                    rank.map { "no example of rank \($0) on the side \(side)" } ?? "no examples on the side \(side)"
                throw CommandError(.noInput, "\(name) has \(what)")
            }
            lists.append(ListeningList(name: "top", moments: chosen.map(ListeningMoment.init)))
        }
        if all || bin != nil {
            let bins = card.bins.filter {
                $0.bin.side == side && $0.bin.kind == "width" && (bin == nil || $0.bin.bin == bin)
            }
            guard !bins.isEmpty || all else {
                throw CommandError(.noInput, "\(name) has no range \(bin.map(String.init) ?? "") on the side \(side)")
            }
            lists += bins.sorted { $0.bin.bin > $1.bin.bin }.map(ListeningList.init)
        }
        guard lists.contains(where: { !$0.moments.isEmpty }) else {
            throw CommandError(.noInput, "\(name) has no examples to listen to: it is never above zero")
        }
        return lists
    }
}

enum AtlasPictureFormat: String, ExpressibleByArgument, CaseIterable {
    case png, svg, pdf, none

    /// Nil for no pictures.
    var format: PictureFormat? { PictureFormat(rawValue: rawValue) }
}
