import PluginHost

/// A run that is asked for. Paths are absolute.
struct RunRequest: Sendable {
    /// Its id, the last part of it where that is unique, or a bundle's folder.
    var plugin = ""
    /// Folders of bundles to look in before the daemon's own.
    var pluginFolders: [String] = []
    var model = ModelReference()
    /// Recordings that come before those of ``dataSets``.
    var audio: [RecordingReference] = []
    var dataSets: [String] = []
    var shard: Shard?
    /// As they were given: not all parameters have one.
    var arguments: [PluginArgument] = []
    /// What the plugin may do beside reading what they name.
    var permissions = PluginPermissions()
    var interventions: [InterventionSpec] = []
    var context = EncoderContext.full
    var padding = WindowPadding.sound
    /// Where the state is kept while the run goes on; nil where it is not.
    var checkpoint: String?
    /// Where the state goes after the last recording; nil where it is not wanted.
    var stateFile: String?
    /// Whether the state is told as well.
    var returnsState = false
    /// Plugin processes at a time.
    var workers = 1
    var seed: UInt64 = 0
    /// Whether the run ends at a recording that cannot be read.
    var stopsAtBroken = false
    /// Whether what would be a notice is an error.
    var isStrict = false

    /// Whether anyone wants the state.
    var keepsState: Bool { checkpoint != nil || stateFile != nil || returnsState }
}

/// States of runs that are to be put together.
struct MergeRequest: Sendable {
    var pluginFolders: [String] = []
    var files: [String] = []
    /// Ids of uploads: states behind those in files.
    var uploads: [String] = []
    /// Where the state of all of them goes; nil where it is not wanted.
    var stateFile: String?
    /// Whether it is told as well.
    var returnsState = false
    /// As ``RunRequest/permissions``.
    var permissions = PluginPermissions()
}
