import ArgumentParser
import Atlas
import Client
import Foundation
import Results
import StrictJSON
import TerminalText

/// `auscult atlas show`: the features of an atlas as a table.
struct AtlasShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "List the features of an atlas, with their labels.",
        discussion: """
              auscult atlas show tiny.atlas --hook encoder.blocks.2.mlp.1 --limit 50
              auscult atlas show tiny.atlas --label s --sort precision
              auscult atlas show tiny.atlas --search 'blocks.2 s' --format json

              auscult atlas show tiny.atlas --lift 3 --sort lift

            LABEL, PRECISION, LIFT, AP and AUC are those of the label asked for, or of the feature's best, measured on \
            speakers that the label was not chosen by. LIFT is the precision over the label's share of all frames: 1 \
            for a feature that fires at random. AP is the average precision over all thresholds: that share for a \
            feature at random. A label may be written in small or capital letters, in ARPABET or IPA. HEARD has the \
            labels of the strongest moments, the strongest first, where the label's lag before each of them points.
            """)

    @Argument(help: "The atlas.", completion: .file()) var file: String
    @Option(help: "Only this hook point.") var hook: String?
    @Option(help: "Only this scan, by the id that --scans shows.") var scan: Int64?
    @Option(help: "Only features with this label.") var label: String?
    @Option(help: "The kind of label: phoneme, word, speaker, language, or a column.") var kind: String?
    @Option(help: "Only features with a label of at least this lift.") var lift: Double?
    @Option(help: "Words that are in the name or the hook point, begin a label, or are the number.") var search = ""
    @Option(help: "The order: \(AtlasQuery.Sort.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sort: AtlasQuery.Sort?
    @Flag(help: "Reverse the order.") var reverse = false
    @Option(help: "The most features to list.") var limit = 50
    @Flag(help: "Show the scans, not the features.") var scans = false
    @OptionGroup var format: FormatOption

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000, not \(limit).") }
        if let lift, !(lift.isFinite && lift >= 0) { throw ValidationError("--lift takes 0 or more, not \(lift).") }
    }

    func run() async throws {
        let store = try AtlasStore(path: file, mode: .read)
        guard !scans else { return try show(store.scans()) }
        var query = AtlasQuery()
        query.hook = hook
        query.scan = scan
        query.label = label
        query.kind = kind
        query.lift = lift
        query.search = search
        query.sort = sort ?? (label == nil ? .number : .precision)
        if reverse { query.ascending = query.sort != .number }
        query.pageSize = limit
        let page = try store.features(query)
        if page.total == 0, let hook, !(try store.hooks().contains { $0.hook == hook }) {
            // Says which hook points there are.
            _ = try store.card(hook: hook, number: 0, scan: scan)
        }
        guard format.format == .text else { return try Console.current.print(JSON.text(page)) }
        var table = TextTable(
            "HOOK", "NUMBER", "NAME", "LABEL", "KIND", "PRECISION", "LIFT", "AP", "AUC", "SELECTIVITY", "DENSITY",
            "MAXIMUM",
            "HEARD")
        for row in page.rows {
            let heard = try store.card(feature: row.feature.id).examples.filter { $0.example.side == "+" }.prefix(8)
            table.append(
                PrintedText.safe(row.feature.hook), String(row.feature.number),
                row.feature.name.isEmpty ? "-" : PrintedText.safe(row.feature.name),
                PrintedText.safe(row.label?.label ?? "-"), PrintedText.safe(row.label?.kind ?? "-"),
                number(row.label?.precision), number(row.label?.lift), number(row.label?.ap), number(row.label?.auc),
                number(row.label?.selectivity),
                number(row.feature.density), number(row.feature.maximum),
                PrintedText.safe(heard.map { $0.heard(lag: row.label?.lag ?? $0.lag) ?? "·" }.joined(separator: " ")))
        }
        try Console.current.print(table.text)
        if page.total > page.rows.count {
            try Console.current.print("\(page.rows.count) of \(page.total); --limit shows more")
        }
    }

    private func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "–" }

    private func show(_ scans: [AtlasScanDetail]) throws {
        guard format.format == .text else { return try Console.current.print(JSON.text(scans)) }
        var table = TextTable("SCAN", "STATUS", "MODEL", "DATA", "PLUGIN", "HOOK", "FEATURES", "SELECTIVE")
        for scan in scans {
            for hook in scan.hooks {
                let selective = scan.selective.first { $0.hook == hook.hook }
                table.append(
                    String(scan.scan.id), scan.scan.status.rawValue, PrintedText.safe(scan.model.name),
                    PrintedText.safe(scan.dataSet.name),
                    PrintedText.safe(scan.scan.plugin), PrintedText.safe(hook.hook), String(hook.features),
                    selective.map { "\($0.selective)" } ?? "–")
            }
        }
        try Console.current.print(table.text)
        for problem in scans.flatMap(\.problems) {
            try Console.current.print(PrintedText.safe("left out \(problem.recording): \(problem.reason)"))
        }
    }
}

extension AtlasQuery.Sort: ExpressibleByArgument {}
