import ArgumentParser
import Client
import Foundation
import Messages
import Reproduction
import Results
import TerminalText
import Wire

/// `auscult precision`: what it costs to compute in fewer bits.
struct PrecisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "precision",
        abstract: "Measure what a model's precisions cost on recordings: errors at hook points, and words.",
        usage: "auscult precision <file|folder|manifest> ... [<options>]",
        discussion: """
              auscult precision demo:
              auscult precision speech/ --model base --precision int8 --format json
              auscult precision data.jsonl --hooks 'encoder.**' --each

            Each recording goes through the model in float32 ('exact') and in every other precision that this \
            processor has, or in the one that --precision names. An error is the L2 norm of the difference over that \
            of the exact values, over the frames that overlap audio; in the decoder, both read the tokens that the \
            exact model decodes. The table has a line for each kind of hook point, over all blocks and recordings; \
            --each has one for every hook point.

            Recordings with speech are also transcribed (greedily, at temperature 0); where a manifest or a data set \
            has the text, word errors are counted.

            int8 has weights and activations in 8 bits with a scale for each column and row; attention's values, norms \
            and softmax stay float32. It takes less memory and decodes faster everywhere; the encoder is \
            faster where the processor has VNNI, and hardly elsewhere. bf16 needs a processor with AVX-512 BF16.
            """)

    @Argument(help: "Recordings, folders, manifests, demo:NAME or demo:.", completion: .file()) var inputs: [String]
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Hook points: names, globs, aliases; without it, all.", valueName: "hook"))
    var hooks: [String] = []
    @Flag(help: "A line for every hook point, rather than one for each kind.") var each = false
    @Flag(help: "Measure the errors at hook points only; transcribe nothing.") var noTexts = false
    @OptionGroup var model: ModelOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard !inputs.isEmpty else { throw ValidationError("Name recordings, a folder, a manifest, or demo:.") }
    }

    func run() async throws {
        let report = try await connection.use(verbosity.logger) { daemon in
            let samples = try await SampleList(inputs, daemon)
            var reference = model.reference
            let chosen = reference.precision
            reference.precision = .exact
            let info = try await daemon.call(V1.ModelRPC.info, reference)
            var report = PrecisionReport(
                model: model.name(of: info.name), sha256: info.sha256, measured: [], problems: samples.problems)
            for precision in chosen == .exact ? [.int8, .bf16] : [chosen] {
                var other = reference
                other.precision = precision
                do {
                    _ = try await daemon.call(V1.ModelRPC.info, other)
                    report.measured.append(.init(precision: precision))
                } catch let error as WireError where chosen == .exact && error.code == .unimplemented {
                    report.problems.append(error.message)
                }
            }
            try await measure(samples, reference, info, daemon, &report)
            return report
        }
        for problem in report.problems { verbosity.logger.notice("\(PrintedText.safe(problem))") }
        switch format.format {
        case .text: try Console.current.print(report.text(each: each))
        case .json: try Console.current.print(report.json.text)
        }
    }

    private func measure(
        _ samples: SampleList, _ model: V1.ModelRef, _ info: V1.ModelInfo, _ daemon: DaemonConnection,
        _ report: inout PrecisionReport
    ) async throws {
        let line = verbosity.progress
        defer { line.clear() }
        for (index, sample) in samples.samples.enumerated() {
            line.show("measuring", done: index, total: samples.samples.count) { "\($0) recordings" }
            do {
                try await measure(sample, model, info, daemon, &report)
                report.recordings += 1
            } catch let error as WireError where samples.samples.count > 1 && Self.isAboutSound(error) {
                report.problems.append("\(sample.name): \(error.message)")
            }
        }
        guard report.recordings > 0 else {
            throw CommandError(.badData, "no recording can be read: \(report.problems.last ?? "there is none")")
        }
    }

    private static func isAboutSound(_ error: WireError) -> Bool {
        switch ExitStatus(of: error) {
        case .badData, .noInput, .inputOutput: true
        default: false
        }
    }

    /// Nothing of a recording is in the report unless all of it is.
    private func measure(
        _ sample: Sample, _ model: V1.ModelRef, _ info: V1.ModelInfo, _ daemon: DaemonConnection,
        _ report: inout PrecisionReport
    ) async throws {
        var next = report
        let wantsText = !noTexts && info.hasVocabulary && sample.maySpeak
        let given = sample.item.language ?? ""
        let language = info.languages.contains(given) ? given : ""
        let exact = wantsText ? try await transcript(sample, model, language, daemon) : nil
        if let exact { next.exact.add(exact, exact, said: sample.text) }
        for place in next.measured.indices {
            var other = model
            other.precision = next.measured[place].precision
            let request = V1.ComparePrecisionRequest(model: other, audio: sample.source, hooks: hooks)
            let found = try await daemon.call(V1.TraceRPC.comparePrecision, request).hooks
            if next.hooks.isEmpty { next.hooks = found.map(\.hook) }
            for error in found { next.measured[place].errors[error.hook, default: []].append(error.relative) }
            guard let exact else { continue }
            // In the language that the exact model heard, so that words are compared and not guesses.
            let text = try await transcript(sample, other, exact.language, daemon)
            next.measured[place].texts.add(text, exact, said: sample.text)
        }
        report = next
    }

    private func transcript(
        _ sample: Sample, _ model: V1.ModelRef, _ language: String, _ daemon: DaemonConnection
    ) async throws -> V1.Transcript {
        var options = V1.DecodingOptions(language: language)
        options.temperatures = [0]
        options.noConditionOnPreviousText = true
        return try await daemon.call(
            V1.TranscribeRPC.transcribe,
            V1.TranscribeRequest(model: model, audio: sample.source, options: options))
    }
}

extension PrecisionReport.Texts {
    fileprivate mutating func add(_ transcript: V1.Transcript, _ exact: V1.Transcript, said: String?) {
        func tokens(_ transcript: V1.Transcript) -> [String] { transcript.segments.flatMap(\.tokens).map { "\($0)" } }
        let expected = tokens(exact)
        texts += 1
        same += transcript.text == exact.text ? 1 : 0
        self.tokens += expected.count
        differing += WordComparison(words: expected, tokens(transcript))?.errors ?? expected.count
        if let said, let comparison = WordComparison(said, transcript.oneLine) { errors.add(comparison) }
    }
}
