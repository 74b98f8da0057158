import Client
import Files
import Foundation
import Messages
import Results
import StrictJSON
import TerminalText

/// All sections of one call, as files and as the table that is printed.
package struct WholeReport {
    package let reports: [SectionReport]
    package let info: V1.ModelInfo
    /// As results call the model.
    package let model: String
    package let samples: SampleList
    package let options: ReproductionOptions
    package let date: Date
    /// Samples that could not be written down.
    package let failures: [String: String]

    package init(
        reports: [SectionReport], info: V1.ModelInfo, model: String, samples: SampleList, options: ReproductionOptions,
        date: Date, failures: [String: String]
    ) {
        self.reports = reports
        self.info = info
        self.model = model
        self.samples = samples
        self.options = options
        self.date = date
        self.failures = failures
    }

    package static let format = "auscult-reproduction/1"

    package var seconds: Double { reports.reduce(0) { $0 + $1.seconds } }

    /// Writes index.html, results.json and verdicts.csv.
    package func write(to out: String) throws {
        try PendingFile.write(Data((json.text + "\n").utf8), to: "\(out)/results.json")
        try PendingFile.write(Data(CSV.text(criteriaTable).utf8), to: "\(out)/verdicts.csv")
        try PendingFile.write(Data(try ReproductionPage.html(self).utf8), to: "\(out)/index.html")
    }

    /// Which model heard what.
    package var head: [(String, JSON)] {
        [
            ("format", .string(Self.format)), ("version", .string(auscultVersion)),
            ("date", .string(ISO8601DateFormatter().string(from: date))),
            (
                "model",
                [
                    "name": .string(model), "sha256": .string(info.sha256), "precision": .string(info.precision.name),
                ]
            ),
            (
                "samples",
                [
                    "recordings": .integer(samples.samples.count),
                    "spoken": .integer(samples.samples.count(where: \.maySpeak)), "digest": .string(samples.digest),
                ]
            ),
            (
                "options",
                [
                    "recordings": .integer(options.recordings), "steps": .integer(options.steps),
                    "seed": JSON(options.seed),
                ]
            ),
            ("seconds", .number(seconds)),
            (
                "problems",
                JSON(
                    samples.problems + [samples.remark(onForeign: samples.foreign(to: info), info)].compactMap(\.self)
                        + failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
            ),
        ]
    }

    private var json: JSON { .object(head + [("sections", .array(reports.map(\.json)))]) }

    /// A row for each criterion.
    private var criteriaTable: V1.PluginTable {
        func text(_ text: String) -> V1.PluginCell { V1.PluginCell(value: .text(text)) }
        func number(_ value: Double?) -> V1.PluginCell { V1.PluginCell(value: value.map { .number($0) }) }
        return V1.PluginTable(
            columns: [
                "section", "verdict", "measure", "question", "value", "count", "of", "direction", "holds", "partly",
                "least", "outcome", "reason",
            ],
            rows: reports.flatMap { report in
                report.outcomes.map { outcome in
                    let criterion = outcome.criterion
                    return V1.PluginRow(cells: [
                        text(report.section.id), text(report.verdict.name), text(criterion.measure),
                        text(criterion.question), number(outcome.measure?.value),
                        number(outcome.measure.map { Double($0.count) }), text(outcome.measure?.things ?? ""),
                        text(criterion.direction == .atLeast ? "at_least" : "at_most"), number(criterion.holds),
                        number(criterion.partly), number(Double(criterion.least)), text(outcome.verdict.name),
                        text(outcome.verdict.reason ?? ""),
                    ])
                }
            })
    }

    /// What is printed at the end.
    package var table: String {
        var table = TextTable("SECTION", "VERDICT", "SECONDS", "FINDING")
        for report in reports {
            table.append(
                report.section.id, report.verdict.words, String(format: "%.1f", report.seconds),
                PrintedText.safe(report.verdict.reason ?? report.findings.sentence))
        }
        return table.text
    }
}
