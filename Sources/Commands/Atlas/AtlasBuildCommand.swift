import ArgumentParser
import Atlas
import Files
import Foundation
import Messages
import StrictJSON

/// `auscult atlas build`: a scan into an atlas.
struct AtlasBuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Scan features over recordings into an atlas, which is made where it is not there yet.",
        usage: "auscult atlas build <file|folder|manifest> ... --out <file> [<options>]",
        discussion: """
              auscult atlas build demo: --out demo.atlas
              auscult atlas build data.jsonl --out tiny.atlas --model tiny --hooks 'encoder.blocks.*.mlp.1'
              auscult atlas build data.jsonl --out tiny.atlas -p dictionary=sae/
              auscult atlas build data.jsonl --out tiny.atlas -p directions=probes.safetensors

            While it runs, the state lies beside the atlas in FILE.checkpoint: when the command or the daemon ends \
            early, however it ends, the same command goes on from there. A scan of the same hook points by the same \
            plugin of the same model and recordings replaces the one before it, at the very end and all at once. Neurons, \
            a dictionary's latents and directions of one hook point are different features, and stay beside each other.
            """)

    @Argument(help: "Recordings, folders, manifests, demo:NAME or demo:.", completion: .file()) var inputs: [String]
    @Option(
        name: [.short, .long], help: ArgumentHelp("The atlas.", valueName: "file"), completion: .file()) var out: String
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Hook points, names or globs; without it, the plugin's own choice.", valueName: "hook"))
    var hooks: [String] = []
    @OptionGroup var arguments: PluginArgumentOptions
    @Option(help: "The plugin that scans; any that gives an atlas's tables.") var plugin = "features"
    @OptionGroup var model: ModelOptions
    @Option(
        help: ArgumentHelp("Keep the checkpoint in this folder, not beside the atlas.", valueName: "folder"),
        completion: .directory)
    var checkpointDir: String?
    @Option(help: "Plugin processes at a time.") var workers: UInt32 = 1
    @Option(help: "Where draws begin.") var seed: UInt64 = 0
    @Option(help: EncoderContextOption.help) var context = EncoderContextOption.full
    @Flag(help: "End at a recording that cannot be read, rather than leave it out and note it.") var stopAtBroken =
        false
    @OptionGroup var format: FormatOption
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard !inputs.isEmpty else { throw ValidationError("Name recordings, a folder, a manifest, or demo:.") }
        guard try hooks.isEmpty || !arguments.messages.contains(where: { $0.id == "hooks" }) else {
            throw ValidationError("--hooks and -p hooks=… say the same; name one of them.")
        }
    }

    private var checkpoint: String {
        let name = (absolutePath(out) as NSString).lastPathComponent + ".checkpoint"
        let folder = checkpointDir.map { absolutePath($0) } ?? (absolutePath(out) as NSString).deletingLastPathComponent
        return folder + "/" + name
    }

    func run() async throws {
        if let checkpointDir { try DataFolder.create(checkpointDir) }
        let store = try AtlasStore(path: out, mode: .write)
        try await connection.use(verbosity.logger) { daemon in
            let description = try await daemon.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: plugin))
            var request = V1.RunPluginRequest()
            request.pluginId = plugin
            let reference = model.reference
            request.model = reference
            request.arguments = try arguments(for: description)
            request.checkpoint = checkpoint
            request.workers = workers
            request.seed = seed
            request.stopAtBroken = stopAtBroken
            request.context = context.message
            request.dataSets = inputs.filter(RunCommand.isDataSet).map { $0 == "demo:" ? $0 : absolutePath($0) }
            let single = try await RecordingArgument.all(from: inputs.filter { !RunCommand.isDataSet($0) }, daemon)
            request.audio = try single.map { try $0.storedSource(nil) }
            let recordings = try await AtlasRecordings(single, dataSets: request.dataSets, daemon)
            let info = try await daemon.call(V1.ModelRPC.info, reference)
            let scan = AtlasScanDescription(
                model: model.name(of: info.name), modelSHA256: info.sha256, dimensions: info.dimensionsByName,
                dataSet: recordings.name, recordings: recordings.count, plugin: description.listing?.id ?? plugin,
                version: description.listing?.version ?? "",
                arguments: said(request.arguments),
                // What is read from a file or a folder makes other features.
                makers: Set(description.parameters.filter { $0.kind == "path" }.map(\.id)), seed: seed)
            let build = AtlasBuild(store: store, scan: scan, recordings: recordings, verbosity: verbosity)
            let result = try await build.run(request, daemon)
            // The atlas has it all.
            unlink(checkpoint)
            try show(result)
        }
    }

    /// What tells one scan from another, beside plugin, model and recordings.
    private func said(_ arguments: [V1.PluginArgument]) -> [String: String] {
        var said = Dictionary(arguments.map { ($0.id, $0.value) }) { $1 }
        if context != .full { said["context"] = context.rawValue }
        if model.precision != .exact { said["precision"] = model.precision.rawValue }
        return said
    }

    /// The plugin's arguments with its hook points, and with all tables asked for where a plugin has a choice.
    private func arguments(for description: V1.PluginDescription) throws -> [V1.PluginArgument] {
        let paths = Set(description.parameters.filter { $0.kind == "path" }.map(\.id))
        var arguments = try self.arguments.messages.map { argument in
            guard paths.contains(argument.id) else { return argument }
            return V1.PluginArgument(id: argument.id, value: absolutePath(argument.value))
        }
        let known = Set(description.parameters.map(\.id))
        if !hooks.isEmpty {
            guard known.contains("hooks") else {
                throw CommandError(.usage, "the plugin '\(plugin)' has no parameter 'hooks', which --hooks would set")
            }
            arguments.append(V1.PluginArgument(id: "hooks", value: hooks.joined(separator: ",")))
        }
        if known.contains("emit"), !arguments.contains(where: { $0.id == "emit" }) {
            arguments.append(V1.PluginArgument(id: "emit", value: "all"))
        }
        return arguments
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

extension V1.ModelInfo {
    /// As openai/whisper names them.
    fileprivate var dimensionsByName: [String: Int] {
        guard let dimensions else { return [:] }
        return [
            "n_mels": Int(dimensions.nMels), "n_audio_ctx": Int(dimensions.nAudioCtx),
            "n_audio_state": Int(dimensions.nAudioState), "n_audio_head": Int(dimensions.nAudioHead),
            "n_audio_layer": Int(dimensions.nAudioLayer), "n_vocab": Int(dimensions.nVocab),
            "n_text_ctx": Int(dimensions.nTextCtx), "n_text_state": Int(dimensions.nTextState),
            "n_text_head": Int(dimensions.nTextHead), "n_text_layer": Int(dimensions.nTextLayer),
        ]
    }
}
