import ArgumentParser
import Atlas
import Client
import Foundation
import Results
import StrictJSON
import TerminalText

/// `auscult atlas card`: everything about one feature.
struct AtlasCardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "card",
        abstract: "Show all that an atlas has about a feature.",
        discussion: """
              auscult atlas card tiny.atlas encoder.blocks.2.mlp.1 17
              auscult atlas card tiny.atlas encoder.blocks.2 'latent 17'
              auscult atlas card tiny.atlas decoder.blocks.0.mlp.1 3 --format json

            JSON also has the activation around each moment, the histogram, and the examples of each range.
            """)

    @OptionGroup var feature: AtlasFeatureArguments
    @OptionGroup var format: FormatOption

    func run() async throws {
        let card = try feature.card()
        switch format.format {
        case .text:
            for line in card.text.split(separator: "\n", omittingEmptySubsequences: false) {
                try Console.current.print(PrintedText.safe(String(line)))
            }
        case .json: try Console.current.print(JSON.text(card))
        }
    }
}

extension AtlasCard {
    /// For people, in tables.
    var text: String {
        var parts = [head]
        if !labels.isEmpty { parts.append(labelTable) }
        if !examples.isEmpty { parts.append(exampleTable) }
        if !bins.isEmpty { parts.append(binTable) }
        if !columns.isEmpty { parts.append(columnTable) }
        return parts.joined(separator: "\n\n")
    }

    private var head: String {
        let name = feature.name.isEmpty ? "" : " (\(feature.name))"
        return "\(feature.hook) #\(feature.number)\(name)\n"
            + "density \(Self.number(feature.density)), maximum \(Self.number(feature.maximum)), minimum "
            + "\(Self.number(feature.minimum)), mean \(Self.number(feature.mean)), variance "
            + "\(Self.number(feature.variance)), \(feature.frames.map(String.init) ?? "–") frames"
    }

    private var labelTable: String {
        var table = TextTable(
            "LABEL", "KIND", "SIDE", "PRECISION", "BASE", "LIFT", "RECALL", "F1", "AP", "AUC", "BITS", "SELECTIVITY",
            "P",
            "LAG",
            "THRESHOLD", "NAMED WITH", "FRAMES")
        for label in labels {
            table.append(
                label.label, label.kind, label.side, Self.number(label.precision), Self.number(label.base),
                Self.number(label.lift), Self.number(label.recall), Self.number(label.f1), Self.number(label.ap),
                Self.number(label.auc),
                Self.number(label.mutualInformation), Self.number(label.selectivity), Self.number(label.pValue),
                label.lag.map { "\($0 * 20) ms" } ?? "–", Self.number(label.threshold),
                Self.number(label.namedPrecision), Self.frames(label))
        }
        return table.text
    }

    private var exampleTable: String {
        var table = TextTable("RANK", "SIDE", "VALUE", "TIME", "HEARD", "SPEAKER", "RECORDING", "TEXT")
        for example in examples {
            table.append(
                String(example.example.rank), example.example.side, Self.number(example.example.value),
                example.example.seconds.map { String(format: "%.2f s", $0) } ?? "token \(example.example.frame)",
                example.heard ?? "–", example.recording.speaker ?? "–", example.recording.name ?? "–",
                example.markedText)
        }
        return table.text
    }

    private var binTable: String {
        var table = TextTable("SIDE", "RANGES OF", "BIN", "FROM", "TO", "FRAMES", "SOUNDS")
        for bin in bins.reversed() {
            let total = max(bin.bin.sounds.values.reduce(0, +), 1)
            let sounds = bin.bin.soundsByCount.prefix(6)
                .map { "\($0.sound) \(Int((100 * Double($0.count) / Double(total)).rounded())) %" }
            table.append(
                bin.bin.side, bin.bin.kind, String(bin.bin.bin), Self.number(bin.bin.low), Self.number(bin.bin.high),
                bin.bin.count.map(String.init) ?? "–", sounds.joined(separator: ", "))
        }
        return table.text
    }

    private var columnTable: String {
        var table = TextTable("COLUMN", "VALUE", "FRAMES", "MEAN", "DENSITY", "MAXIMUM")
        for column in columns {
            table.append(
                column.column, column.value, column.frames.map(String.init) ?? "–", Self.number(column.mean),
                Self.number(column.density), Self.number(column.maximum))
        }
        return table.text
    }

    /// Above the threshold, on the split that named it and on the one that scored it.
    private static func frames(_ label: AtlasLabel) -> String {
        [label.namedFrames, label.scoredFrames].map { $0.map(String.init) ?? "–" }.joined(separator: " / ")
    }

    private static func number(_ value: Double?) -> String { Digits.short(value ?? .nan) }
}
