import PluginHost

/// A plugin that was found.
struct PluginListing: Sendable, Equatable {
    /// Reverse DNS: `org.example.attention-stats`.
    var id: String
    var name = ""
    var version = ""
    var vendor = ""
    var licence = ""
    /// The bundle's folder.
    var path = ""
    /// Why it cannot be used; empty where it can.
    var problem = ""
}

/// What a plugin needs, takes and gives, as it says itself.
struct PluginDescription: Sendable, Equatable {
    /// What its default instance needs.
    struct Needs: Sendable, Equatable {
        /// Globs.
        var hooks: [String] = []
        /// Whose gradients are needed; nil for none.
        var objective: String?
        var allFrames = false
        var audio = false
        var decoder = false
        var labels = false
        var oneRun = false
        var canStream = false
    }

    var listing: PluginListing
    var text = ""
    var needs = Needs()
    var parameters: [PluginParameter] = []
    var outputs: [PluginOutput] = []
    /// What its manifest says that it needs.
    var permissions = DeclaredPermissions()

    /// The parameters whose values are paths.
    var pathParameters: Set<String> { Set(parameters.filter { $0.kind == .path }.map(\.id)) }
}

struct PluginParameter: Sendable, Equatable {
    /// An open set: what a newer plugin declares is text.
    struct Kind: RawRepresentable, Sendable, Equatable {
        let rawValue: String
        static let integer = Kind(rawValue: "integer")
        static let number = Kind(rawValue: "number")
        static let string = Kind(rawValue: "string")
        static let boolean = Kind(rawValue: "boolean")
        static let choice = Kind(rawValue: "choice")
        static let path = Kind(rawValue: "path")
        /// A column of the recordings, of at least `minimum` different values, or one of the choices.
        static let column = Kind(rawValue: "column")
    }

    var id: String
    var kind: Kind
    var `default`: String
    var minimum: Double?
    var maximum: Double?
    var choices: [String] = []
    var text = ""
}

/// A value for one of a plugin's parameters.
struct PluginArgument: Codable, Sendable, Equatable {
    var id: String
    var value: String
}

/// A declared result.
struct PluginOutput: Sendable, Equatable {
    enum Kind: String, Sendable {
        case scalar, vector, matrix, table, text
        case timedEvents = "timed_events"
        case audioClip = "audio_clip"
    }

    /// How it is best shown.
    enum Plot: String, Sendable {
        case none = "no_plot"
        case bar, line, player
        case heatMap = "heat_map"
        case spectrogramOverlay = "spectrogram_overlay"
    }

    var id: String
    var title = ""
    var unit = ""
    /// Nil where the plugin says none.
    var kind: Kind?
    var axes: [PluginAxis] = []
    var plot: Plot?
    var text = ""
}

/// What the positions of an array's dimension mean.
struct PluginAxis: Sendable, Equatable {
    var name: String
    var unit = ""
    /// One for each position, or none.
    var labels: [String] = []
    /// Without labels: the value of position i is `first + i × step`.
    var first = 0.0
    var step = 0.0
}

/// A line that a plugin writes while it works.
struct PluginLog: Sendable, Equatable {
    /// `debug`, `info`, `warning`, `error`.
    var level: String
    var message: String
}
