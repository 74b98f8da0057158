import ArgumentParser
import Atlas
import Client
import Files
import Foundation
import Messages
import Results
import StrictJSON
import TerminalText

/// `auscult atlas build`: a scan into an atlas.
struct AtlasBuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Scan features over recordings into an atlas, which is created where it does not exist.",
        usage: "auscult atlas build <file|folder|manifest> ... --out <file> [<options>]",
        discussion: """
              auscult atlas build demo: --out demo.atlas
              auscult atlas build data.jsonl --out tiny.atlas --model tiny --hooks 'encoder.blocks.*.mlp.1'
              auscult atlas build data.jsonl --out tiny.atlas -p dictionary=sae/
              auscult atlas build data.jsonl --out tiny.atlas -p directions=probes.safetensors

            While it runs, the state is kept beside the atlas in FILE.checkpoint: where the command or the daemon ends \
            early, for whatever reason, the same command resumes from there. A scan of the same hook points by the \
            same plugin, of the same model and recordings, replaces the earlier one at its end, all at once. Neurons, \
            a dictionary's latents and directions of one hook point are different features, and stay beside each \
            other.
            """)

    @Argument(help: "Recordings, folders, manifests, demo:NAME or demo:.", completion: .file()) var inputs: [String]
    @Option(
        name: [.short, .long], help: ArgumentHelp("The atlas.", valueName: "file"), completion: .file()) var out: String
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Hook points, names or globs; without it, the plugin's own choice.", valueName: "hook"))
    var hooks: [String] = []
    @OptionGroup var arguments: PluginArgumentOptions
    @OptionGroup var permissions: PluginPermissionOptions
    @Option(help: "The plugin that scans; any that gives an atlas's tables.") var plugin = "features"
    @OptionGroup var model: ModelOptions
    @Option(
        help: ArgumentHelp("Keep the checkpoint in this folder, not beside the atlas.", valueName: "folder"),
        completion: .directory)
    var checkpointDir: String?
    @Option(help: "Plugin processes that run side by side.") var workers: UInt32 = 1
    @Option(help: "Seed of the random numbers.") var seed: UInt64 = 0
    @Option(help: V1.EncoderContext.help) var context = V1.EncoderContext.full
    @Option(help: V1.Padding.help) var padding: V1.Padding?
    @Flag(help: "Stop at a recording that cannot be read, instead of skipping it with a note.") var stopAtBroken =
        false
    @Flag(help: "Let the daemon do it as a job, and print the job's id.") var detach = false
    @OptionGroup var format: FormatOption
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard !inputs.isEmpty else { throw ValidationError("Name recordings, a folder, a manifest, or demo:.") }
        guard !detach || format.format == .text else {
            throw ValidationError(
                "--detach prints nothing but an id; 'auscult atlas show' has the scan when it is complete.")
        }
        guard try hooks.isEmpty || !arguments.messages.contains(where: { $0.id == "hooks" }) else {
            throw ValidationError("--hooks and -p hooks=… exclude each other.")
        }
    }

    func run() async throws {
        if let checkpointDir { try DataFolder.create(checkpointDir) }
        try await connection.use(verbosity.logger) { daemon in
            let request = try await request(daemon)
            guard !detach else {
                let job = V1.StartJobRequest(label: "\(inputs.joined(separator: " ")) → \(out)", work: .atlas(request))
                return try Console.current.print(try await daemon.call(V1.JobRPC.start, job).id)
            }
            var scan: Int64?
            var collector = RunCollector(verbosity.logger, verbosity.progress, label: "scanning")
            defer { collector.finish() }
            try await daemon.events(V1.AtlasRPC.build, request) { event in
                switch event.event {
                case .progress(let progress)?: try collector.take(V1.PluginEvent(event: .progress(progress)))
                case .log(let log)?: try collector.take(V1.PluginEvent(event: .log(log)))
                case .skipped(let skipped)?: try collector.take(V1.PluginEvent(event: .skipped(skipped)))
                case .done(let done)?: scan = done.id
                case .started?, nil: break
                }
            }
            collector.finish()
            guard let scan else { throw CommandError(.unavailable, "the daemon stopped before \(out) was complete") }
            try show(try AtlasStore(path: out, mode: .read).scan(scan))
        }
    }

    private func request(_ daemon: DaemonConnection) async throws -> V1.BuildAtlasRequest {
        var run = V1.RunPluginRequest()
        run.pluginId = PluginSearch.name(plugin)
        run.pluginFolders = PluginSearch.folders
        run.model = model.reference
        run.arguments = try arguments.messages
        run.permissions = try permissions.message
        run.checkpoint = checkpointDir.map { "\($0)/\((out as NSString).lastPathComponent).checkpoint" } ?? ""
        run.workers = workers
        run.seed = seed
        run.stopAtBroken = stopAtBroken
        run.context = context
        run.padding = padding ?? .paddingUnspecified
        run.dataSets = inputs.filter(RecordingArgument.isDataSet)
        let single = try await RecordingArgument.all(from: inputs.filter { !RecordingArgument.isDataSet($0) }, daemon)
        run.audio = try single.map { try $0.storedSource(nil) }
        return V1.BuildAtlasRequest(path: out, hooks: hooks, run: run)
    }

    private func show(_ scan: AtlasScanDetail) throws {
        guard format.format == .text else { return try Console.current.print(JSON.text(scan)) }
        var table = TextTable("HOOK", "FEATURES")
        for hook in scan.hooks { table.append(PrintedText.safe(hook.hook), String(hook.features)) }
        let left = scan.problems.isEmpty ? "" : ", \(scan.problems.count) left out"
        let store = try AtlasStore(path: out, mode: .read)
        let heard = try store.recordings(scan: scan.scan.id).count
        try Console.current.print("\(out): \(scan.model.name), \(heard) recordings\(left)\n\(table.text)")
    }
}
