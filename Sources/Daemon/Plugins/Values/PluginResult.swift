/// A value of a declared output, or the beginning of one that comes in pieces.
struct PluginResult: Sendable, Equatable {
    enum Value: Sendable, Equatable {
        case scalar(Double)
        /// A vector or a matrix.
        case array(Array)
        case table(columns: [String], rows: [[Cell]])
        case events([TimedEvent])
        case audio(Sound)
        case text(String)
    }

    struct Array: Sendable, Equatable {
        enum Element: Sendable { case float32, float64 }

        var element: Element
        var shape: [UInt64]
        /// Little-endian, the last axis' neighbours beside each other.
        var data: [UInt8]
        /// One an axis; none where they are the declared ones.
        var axes: [PluginAxis] = []
    }

    enum Cell: Sendable, Hashable {
        case number(Double)
        case text(String)
        case missing
    }

    /// From `start` to `end`, in seconds.
    struct TimedEvent: Sendable, Equatable {
        var start: Double
        var end: Double
        var label: String
        var value: Double
    }

    struct Sound: Sendable, Equatable {
        var sampleRate: UInt32
        /// Mono float32, little-endian.
        var samples: [UInt8]
    }

    /// Of what a value is made, where it comes in pieces.
    enum Part: Sendable, Equatable {
        /// Of the array's numbers, or of the sound's samples.
        case bytes([UInt8])
        case rows([[Cell]])
        case events([TimedEvent])
        case text(String)
    }

    /// The output's id.
    var output: String
    /// The recording that it is about; empty where it is about all of them.
    var recording = ""
    var value: Value
    /// Whether more of the value follows.
    var continues = false
}
