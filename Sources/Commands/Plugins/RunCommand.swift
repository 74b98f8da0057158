import ArgumentParser
import Client
import Files
import Foundation
import Messages
import Receipts
import Reflection
import Results

/// `auscult run`: a plugin over recordings.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a plugin over recordings or data sets, and show its results.",
        usage: "auscult run <plugin> [<file|folder|manifest> ...] [<options>]",
        discussion: """
              auscult run attention-stats demo:
              auscult run probes speech/ -p target=speaker --out results
              auscult run bigrams -p prompt=traffic --format html > page.html
              auscult run probes data.jsonl --shard 1/4 --state part1.state

            A folder is a data set, and so are a manifest (.jsonl, .ndjson, .json, .csv, .tsv or .tab) and 'demo:', the embedded clips; anything \
            else is one recording. 'auscult plugins' lists the plugins, and 'auscult plugins show ID' the parameters \
            of one.

            With --out, each result is written as CSV and NPY, SVG and PNG, WAV or text, with results.json, \
            index.html, one page that needs no network, and a receipt for 'auscult verify' beside them.

            JSON has one object: plugin, run, outputs, results, skipped and problems. A result has output, file, kind \
            and plot, and then value, or axes, shape and values, or columns and rows, or events, or sample_rate and \
            wav (base64), or text. A missing value is null.
            """ + "\n" + InterventionOptions.grammar)

    @Argument(help: "The plugin's id, or its last part where that is unique; or a bundle's folder.") var plugin: String
    @Argument(
        help: "Recordings, folders, manifests, demo:NAME or demo:; none for a plugin that needs no recordings.",
        completion: .file())
    var inputs: [String] = []
    @OptionGroup var arguments: PluginArgumentOptions
    @OptionGroup var permissions: PluginPermissionOptions
    @OptionGroup var output: RunOutputOptions
    @OptionGroup var model: ModelOptions
    @Option(help: ArgumentHelp("Only a part of the recordings: the i-th of n, from 1.", valueName: "i/n"))
    var shard: String?
    @Option(help: ArgumentHelp("Save the state in this file, and resume from it.", valueName: "file")) var checkpoint:
        String?
    @Option(help: ArgumentHelp("Write the final state to this file, for 'auscult merge'.", valueName: "file"))
    var state: String?
    @Option(help: "Plugin processes that run side by side.") var workers: UInt32 = 1
    @Option(help: "Seed of the random numbers.") var seed: UInt64 = 0
    @Option(help: V1.EncoderContext.help) var context = V1.EncoderContext.full
    @Option(help: V1.Padding.help) var padding: V1.Padding?
    @Flag(help: "Stop at a recording that cannot be read, instead of skipping it.") var stopAtBroken = false
    @Flag(help: "Treat a recording that comes with a notice like one that cannot be read.") var strict = false
    @OptionGroup var changes: InterventionOptions
    @Flag(help: "Run it as a job of the daemon, and print the job's id.") var detach = false
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        _ = try shardMessage
        guard !detach || (output.out == nil && output.format == nil) else {
            throw ValidationError("--detach prints nothing but an id; 'auscult jobs result' has the results.")
        }
    }

    /// Counted from 1 here, and from 0 on the wire.
    private var shardMessage: V1.Shard? {
        get throws {
            guard let shard else { return nil }
            let parts = shard.split(separator: "/", omittingEmptySubsequences: false).map { UInt32($0) }
            guard parts.count == 2, let index = parts[0], let count = parts[1], index >= 1, index <= count else {
                throw ValidationError("--shard takes i/n with 1 ≤ i ≤ n, as in 2/8; not '\(shard)'.")
            }
            return V1.Shard(index: index - 1, count: count)
        }
    }

    func run() async throws {
        try await connection.use(verbosity.logger) { daemon in
            var request = V1.RunPluginRequest()
            request.pluginId = PluginSearch.name(plugin)
            request.pluginFolders = PluginSearch.folders
            request.arguments = try arguments.messages
            request.permissions = try permissions.message
            request.shard = try shardMessage
            request.model = model.reference
            request.interventions = changes.messages
            request.checkpoint = checkpoint ?? ""
            request.stateFile = state ?? ""
            request.workers = workers
            request.seed = seed
            request.stopAtBroken = stopAtBroken
            request.strict = strict
            request.context = context
            request.padding = padding ?? .paddingUnspecified
            request.dataSets = inputs.filter(RecordingArgument.isDataSet)
            let files = inputs.filter { !RecordingArgument.isDataSet($0) }
            let recordings = try await RecordingArgument.all(from: files, daemon)
            if detach {
                request.audio = try recordings.map { try $0.storedSource(nil) }
                let job = V1.StartJobRequest(
                    label: "\(plugin) · \(inputs.joined(separator: " "))", work: .plugin(request))
                return try Console.current.print(try await daemon.call(V1.JobRPC.start, job).id)
            }
            for recording in recordings { request.audio.append(try await recording.source(nil, daemon)) }
            var printer = try RunPrinter(
                output.format, out: output.out, verbosity.logger, verbosity.progress, label: plugin)
            defer { printer.clear() }
            try await daemon.events(V1.PluginRPC.run, request) { try printer.take($0) }
            try await printer.finish()
            if let out = output.out {
                let kernels = try await ComputingProgram(daemon).kernels
                try RunReceipt(of: request, printer.collector, kernels: kernels).write(to: out)
                if output.format == nil { try Console.current.print("\(out)/\(ReceiptFile.name)") }
            }
            // A part of the recordings may have none of them.
            if printer.collector.heardNothing, shard == nil || !printer.collector.run.skipped.isEmpty {
                throw CommandError(.noInput, "no recording was heard: all of them were left out")
            }
        }
    }
}

/// Where results go, and in which form.
struct RunOutputOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: ArgumentHelp("Write the results into this folder.", valueName: "folder"),
        completion: .directory)
    var out: String?

    @Option(name: [.short, .long], help: "The output format: text, json or html.") var format: PluginFormat?
}

extension PluginFormat: ExpressibleByArgument {}

/// `auscult merge`: several runs' states as one.
struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge the states of several runs, and show the results over all their recordings.",
        discussion: """
              auscult run probes data.jsonl --shard 1/2 --state a.state
              auscult run probes data.jsonl --shard 2/2 --state b.state
              auscult merge a.state b.state --out results

            The states must be of the same plugin, version, arguments and model.
            """)

    @Argument(help: "Files that 'auscult run' wrote with --state or --checkpoint.", completion: .file()) var states:
        [String]
    @Option(help: ArgumentHelp("Write the merged state to this file.", valueName: "file")) var state: String?
    @OptionGroup var output: RunOutputOptions
    @OptionGroup var permissions: PluginPermissionOptions
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func run() async throws {
        try await connection.use(verbosity.logger) { daemon in
            var request = V1.MergePluginRequest(
                stateFiles: states, stateFile: state ?? "", pluginFolders: PluginSearch.folders)
            request.permissions = try permissions.message
            var printer = try RunPrinter(
                output.format, out: output.out, verbosity.logger, verbosity.progress, label: "merging")
            defer { printer.clear() }
            try await daemon.events(V1.PluginRPC.merge, request) { try printer.take($0) }
            try await printer.finish()
        }
    }
}
