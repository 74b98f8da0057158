import ArgumentParser
import Atlas
import AtlasPage
import Client
import Files
import Foundation
import Messages
import Results
import Wire

/// `auscult listen`: sound while it is made, with what happens inside the model.
struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Listen to a microphone, or to a file as time goes by, and read the model's features and words.",
        discussion: """
              auscult listen
              auscult listen --file talk.wav --features encoder.blocks.2.mlp.1:17,40-47
              auscult listen --atlas data.atlas --model tiny.en
              auscult listen --file demo:en-slt-01 --format json | jq -c 'select(.event == "readings")'
              auscult listen --page --atlas data.atlas
              auscult listen --record session --features encoder.blocks.2.mlp.1:0-63
              auscult listen --plugin ./build/org.example.loudness -p silence=-40
              auscult listen --intervene 'encoder.blocks.*.attn window 25' --compare

            An encoder looks both ways, so what it says of a moment changes as sound follows. Features come from a short \
            context, every --hop; each value is told again when it changed, until it has settled. What may still change \
            is faint. Text comes at its own pace; a word that two looks agree on is no longer faint, or follows no '…'.

            On a terminal the readout fills the screen; space pauses it, n shows the next page of features, m marks the \
            moment, i switches the interventions of --intervene off and on, q ends. Elsewhere there is a line for each \
            stretch of text, and for each look at which features settled. JSON has one event on a line. Times are seconds from the first \
            sample; 'captured' is when the newest sound of an event was, 'made' when the event was.

            --record keeps sound.flac, features.csv and features.npy (a row for each frame that settled), and \
            session.TextGrid with text, gaps and marks.

            --plugin has an analysis hear the sound as well, each frame once, when it has settled; it has to say that it can ('auscult \
            plugins show ID'). What it gives is shown at once.

            --page serves the readout to browsers on this machine (127.0.0.1) until Ctrl-C, and prints its address, whose random \
            part keeps other users of the machine out. There the sound input is chosen, the browser's own microphone among them, features \
            are clicked for their cards, and interventions switched.
            """ + "\n" + InterventionOptions.grammar)

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The sound input: a number or a name of 'auscult devices'.", valueName: "device"))
    var device: String?
    @Option(
        help: ArgumentHelp("Play this file, or demo:NAME, as time goes by.", valueName: "file"), completion: .file())
    var file: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Features: columns of an encoder's activation, as HOOK:3,17,40-47.", valueName: "hook:index")
    )
    var features: [String] = []
    @Option(
        help: ArgumentHelp(
            "Name features by their labels; without --features, those that have one.", valueName: "file"),
        completion: .file())
    var atlas: String?
    @Option(help: ArgumentHelp("New sound between two looks at features.", valueName: "ms")) var hop: UInt32 = 100
    @Option(help: ArgumentHelp("Sound that the encoder sees for features.", valueName: "ms")) var context: UInt32?
    @Option(help: ArgumentHelp("New sound between two looks at words.", valueName: "ms")) var step: UInt32?
    @Flag(inversion: .prefixedNo, help: "Write what is said.") var transcribe = true
    @Flag(
        help: """
            Encode no more of the text's window than there is sound: less work a look, and text that goes in circles \
            sooner.
            """)
    var short = false
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A plugin that hears the sound as well; may be repeated.", valueName: "id"))
    var plugin: [String] = []
    @OptionGroup var arguments: PluginArgumentOptions
    @OptionGroup var permissions: PluginPermissionOptions
    @OptionGroup var changes: InterventionOptions
    @Flag(help: "Write what is said without interventions as well.") var compare = false
    @Option(
        help: ArgumentHelp("Keep sound, features, text and marks in this folder.", valueName: "folder"),
        completion: .directory)
    var record: String?
    @Flag(help: "Serve the readout as a page on this machine.") var page = false
    @Option(help: "The page's port; 0 for one that is free.") var port = 0
    @Option(name: [.short, .long], help: "The language spoken; without it, it is detected.") var language: String?
    @Option(name: .customLong("format"), help: "The output format.") var format = ResultFormat.text
    @OptionGroup var model: ModelOptions
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        if device != nil && file != nil { throw ValidationError("--device and --file exclude each other.") }
        if compare && (changes.intervene.isEmpty || !transcribe) {
            throw ValidationError("--compare sets text with --intervene beside text without.")
        }
        let isPluginless = arguments.arguments.isEmpty && permissions.allow.isEmpty && !permissions.unconfined
        guard isPluginless || plugin.count == 1 else {
            throw ValidationError("-p, --allow and --unconfined are those of a plugin: name one with --plugin.")
        }
        guard (0...65535).contains(port) else { throw ValidationError("--port must be 0 to 65535, not \(port).") }
        if page && (record != nil || format != .text || device != nil) {
            throw ValidationError(
                "--page writes nothing, and its source is chosen there: leave out --record, --format and --device.")
        }
    }

    /// Labelled features that are read where none are named.
    private static let mostFromAtlas = 256

    func run() async throws {
        let atlas = try atlas.map { try ListenAtlas($0) }
        let named = try namedFeatures(atlas)
        try await connection.use(verbosity.logger) { daemon in
            let sound: ListenSound? = if let file { try await ListenSound(file, daemon) } else { nil }
            var open = try self.open(named)
            guard !page else { return try await serve(daemon, open, named, sound, atlas) }
            if file == nil { open.device = V1.LiveDevice(name: device ?? "") }
            let call = try await daemon.client.open(V1.LiveRPC.listen)
            try await call.send(V1.LiveInput(input: .open(open)))
            let names = named.map(\.name)
            let recording = try record.map { try ListenRecording($0, names: names) }
            let output = ListenOutput(
                call: call, names: names, labels: named.map(\.label),
                format: format, model: model.model ?? "", interventions: changes.intervene, logger: verbosity.logger)
            try await output.run(sound, recording)
        }
    }

    private func serve(
        _ daemon: DaemonConnection, _ open: V1.LiveOpen, _ features: [ListenFeature], _ sound: ListenSound?,
        _ atlas: ListenAtlas?
    ) async throws {
        let console = Console.current
        let room = ListenRoom(
            daemon, open, features: features, interventions: changes.intervene, file: sound.map { (file ?? "", $0) })
        let atlasPage = try atlas.map { PageServer(store: $0.store, makeSound: try AtlasSounds(connection).maker) }
        try await LivePageServer(room, atlas: atlasPage).run(port: port) { address in
            // Whoever reads the output has gone; the page can be served all the same.
            try? console.print(address)
        }
    }

    private func open(_ features: [ListenFeature]) throws -> V1.LiveOpen {
        var open = V1.LiveOpen(
            model: model.reference, language: language ?? "", transcribe: transcribe,
            features: features.map(\.feature), stepMs: step ?? 0)
        open.rolling = V1.LiveRolling(hopMs: hop, contextMs: context ?? 0)
        open.interventions = changes.messages
        open.compare = compare
        let (arguments, permissions) = (try arguments.messages, try permissions.message)
        open.plugins = plugin.map {
            V1.LivePlugin(pluginId: PluginSearch.name($0), arguments: arguments, permissions: permissions)
        }
        open.pluginFolders = plugin.isEmpty ? [] : PluginSearch.folders
        // A page draws it.
        open.echo = record != nil || page
        open.context = short ? .auto : .full
        return open
    }

    private func namedFeatures(_ atlas: ListenAtlas?) throws -> [ListenFeature] {
        let wanted = try features.flatMap(FeatureArgument.features)
        guard let atlas else { return wanted.map { ListenFeature($0) } }
        return wanted.isEmpty ? atlas.labelled : wanted.map(atlas.named)
    }
}
