import Audio
import Kernels

/// What a plugin's run tells while it goes on, in its order.
enum RunEvent: Sendable {
    /// The plugin that runs; comes first.
    case description(PluginDescription)
    /// How the results are made; second.
    case provenance(Provenance)
    /// A recording that is heard, before its results.
    case recording(RecordingInfo)
    case skipped(SkippedRecording)
    case notice(RecordingNotice)
    case result(PluginResult)
    /// More of the value of the result before.
    case more(PluginResult.Part, isLast: Bool)
    case progress(WorkProgress)
    case log(PluginLog)
    /// A piece of the state, in order, where it was asked for.
    case state([UInt8])
}

/// How a run ended.
public struct RunEnd: Sendable, Equatable {
    var recordings: Int
    var results: UInt64
    var skipped: Int
    var model: String
    var modelSHA256: String
    var precision: Precision
    var seed: UInt64
    /// In all, in the engine, and in the plugin.
    var time: Duration
    var engineTime: Duration
    var pluginTime: Duration
}

/// A recording that a run left out, or a line of a manifest that describes none.
struct SkippedRecording: Codable, Sendable, Equatable {
    var file: String
    var reason: String
}

/// Something about a recording that is heard, or about a data set.
struct RecordingNotice: Sendable, Equatable {
    /// As the data set names it, or the data set's own file.
    var file: String
    var notice: Notice
}
