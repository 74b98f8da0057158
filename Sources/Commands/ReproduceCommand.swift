import ArgumentParser
import Client
import Files
import Foundation
import Messages
import Reproduction
import Results
import TerminalText

/// `auscult reproduce`: the experiments of the post, on one's own samples, as one page.
struct ReproduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Repeat the experiments of 'Interpreting OpenAI's Whisper', and write them as a page with sounds.",
        usage: "auscult reproduce [<file|folder|manifest> ...] --out <folder> [<options>]",
        discussion: """
              auscult reproduce --out report
              auscult reproduce speech/ data.jsonl --out report --model whisper-tiny
              auscult reproduce --out report --only attention --only words
              auscult reproduce --list

            Each section has what the post (E. Reid, 2023) found, what this model shows on these recordings, and \
            whether the claim holds, by thresholds that are given beside it. Without recordings, the embedded clips \
            are used. The folder then has index.html, which needs no network, results.json, verdicts.csv, and a folder \
            for each section with its tables, figures and sounds.

            Results of an earlier call with the same recordings, model and arguments are kept in the folder and not \
            computed again, so the same command resumes an interrupted one. The other sections go on after one that \
            fails; the exit status is then that of the first failure.
            """)

    @Argument(
        help: "Recordings, folders, manifests, demo:NAME or demo:; without any, demo:.", completion: .file())
    var inputs: [String] = []
    @Option(
        name: [.short, .long], help: ArgumentHelp("The folder of the page.", valueName: "folder"),
        completion: .directory)
    var out: String?
    @Option(parsing: .singleValue, help: ArgumentHelp("Only this section; may be repeated.", valueName: "section"))
    var only: [String] = []
    @Flag(help: "Show the sections and what each is about.") var list = false
    @Flag(help: "Compute everything anew, whatever the folder has.") var fresh = false
    @Option(help: ArgumentHelp("Recordings to transcribe under each condition, at most.", valueName: "n"))
    var recordings = 40
    @Option(
        help: ArgumentHelp(
            "Steps of training a dictionary; more make a better one, as far as 80 seconds go.", valueName: "n"))
    var steps = 1000
    @Option(help: "Seed of the random numbers.") var seed: UInt64 = 0
    @OptionGroup var model: ModelOptions
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard list || out != nil else {
            throw ValidationError("Name the folder of the page: --out report.")
        }
        guard recordings >= 1 else { throw ValidationError("--recordings must be at least 1, not \(recordings).") }
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000000, not \(steps).")
        }
        _ = try sections
    }

    private var sections: [Section] {
        get throws {
            for name in only where !Section.all.contains(where: { $0.id == name }) {
                throw ValidationError(
                    "There is no section '\(name)'; --list shows them: \(Section.all.map(\.id).joined(separator: ", "))."
                )
            }
            return only.isEmpty ? Section.all : Section.all.filter { only.contains($0.id) }
        }
    }

    func run() async throws {
        guard !list, let out else { return try printList() }
        let sections = try self.sections
        try DataFolder.create(out)
        let lock = try FileDescriptor("\(out)/.lock", O_RDWR | O_CREAT)
        guard try lock.lock(waiting: false) else {
            throw CommandError(.temporaryFailure, "another 'auscult reproduce' writes into \(out)")
        }
        defer { withExtendedLifetime(lock) {} }
        try await connection.use(verbosity.logger) { daemon in
            let model = self.model.reference
            let info = try await daemon.call(V1.ModelRPC.info, model)
            let samples = try await SampleList(inputs, daemon)
            for problem in samples.problems { verbosity.logger.warning("left out \(PrintedText.safe(problem))") }
            if let remark = samples.remark(onForeign: samples.foreign(to: info), info) {
                verbosity.logger.warning("\(PrintedText.safe(remark))")
            }
            let journal = "\(out)/transcripts.jsonl"
            if fresh { unlink(journal) }
            let line = verbosity.progress
            let reproduction = Reproduction(
                daemon: daemon, model: model, info: info, samples: samples,
                options: ReproductionOptions(recordings: recordings, steps: steps, seed: seed), out: out,
                logger: verbosity.logger, line: line,
                transcriber: try TranscriptCache(daemon, model, info, path: journal, line: line),
                isFresh: fresh)
            try await run(sections, reproduction, out)
        }
    }

    private func run(_ sections: [Section], _ reproduction: Reproduction, _ out: String) async throws {
        let start = Date()
        var reports: [SectionReport] = []
        for section in sections {
            let report = try await reproduction.report(section)
            if let failure = report.failure {
                Console.current.error(errorMessage(failure, about: section.id) + "\n")
            }
            verbosity.logger.notice(
                "\(section.id): \(report.verdict.words), \(Digits.short((report.seconds * 10).rounded() / 10)) s")
            reports.append(report)
        }
        let whole = WholeReport(
            reports: reports, info: reproduction.info, model: model.name(of: reproduction.info.name),
            samples: reproduction.samples, options: reproduction.options, date: start,
            failures: await reproduction.transcriber.failures)
        try whole.write(to: out)
        try Console.current.print(whole.table)
        try Console.current.print("\(out)/index.html")
        if let failure = reports.lazy.compactMap(\.failure).first { throw Failure(status: ExitStatus(of: failure)) }
    }

    private func printList() throws {
        var table = TextTable("SECTION", "TITLE")
        for section in try sections { table.append(section.id, section.title) }
        try Console.current.print(table.text)
    }
}
