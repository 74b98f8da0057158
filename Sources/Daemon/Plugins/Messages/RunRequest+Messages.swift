import Messages
import PluginHost

extension RunRequest {
    /// A request with absolute paths, those among the plugin's arguments too, which only its description tells from other
    /// texts. May block, while a plugin that has not been described yet is asked.
    /// - Throws: ``ServiceError`` for what a field cannot be; for an intervention's text that cannot be read,
    ///   ``Whisper/WhisperError``; for a plugin that is not there, ``PluginHost/PluginError``.
    init(_ message: V1.RunPluginRequest, in folder: CallerFolder, _ service: PluginService) throws {
        var message = message
        try message.resolvePaths(in: folder)
        plugin = message.pluginId
        pluginFolders = message.pluginFolders
        model = try ModelReference(message.model)
        audio = try message.audio.map { try RecordingReference($0) }
        dataSets = message.dataSets
        shard = message.shard.map(Shard.init)
        arguments = try service.arguments(message.arguments.map(PluginArgument.init), of: plugin, pluginFolders) {
            try folder.absolute($0)
        }
        permissions = try PluginPermissions(message.permissions)
        interventions = try InterventionSpec.all(message.interventions)
        context = try EncoderContext(message.context)
        // Windows are a trace's, and padded as a trace's are.
        padding = try WindowPadding(message.padding) ?? .sound
        checkpoint = message.checkpoint.nonEmpty
        stateFile = message.stateFile.nonEmpty
        returnsState = message.returnState
        workers = max(1, Int(message.workers))
        seed = message.seed
        stopsAtBroken = message.stopAtBroken
        isStrict = message.strict
    }
}

extension MergeRequest {
    init(_ message: V1.MergePluginRequest) throws {
        self.init(
            pluginFolders: message.pluginFolders, files: message.stateFiles, uploads: message.stateUploads,
            stateFile: message.stateFile.nonEmpty, returnsState: message.returnState,
            permissions: try PluginPermissions(message.permissions))
    }
}

extension ValidationRequest {
    /// As ``RunRequest``. A bundle that cannot say what its arguments are is one whose checks will say so.
    init(_ message: V1.ValidatePluginRequest, in folder: CallerFolder, _ service: PluginService) throws {
        var message = message
        try message.resolvePaths(in: folder)
        let arguments = message.arguments.map(PluginArgument.init)
        let resolved = try? service.arguments(arguments, of: message.path, []) { try folder.absolute($0) }
        self.init(
            bundle: message.path, model: try ModelReference(message.model), arguments: resolved ?? arguments,
            permissions: try PluginPermissions(message.permissions))
    }
}
