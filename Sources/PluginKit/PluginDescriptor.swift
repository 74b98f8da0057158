/// What a plugin is, needs, takes and gives.
public struct PluginDescriptor: Sendable {
    /// Reverse DNS: "org.example.loudness"; the same as in manifest.json.
    public var id: String
    public var name: String
    public var version: String
    public var vendor: String
    /// An SPDX expression.
    public var licence: String
    public var description: String
    public var needs: Needs
    public var parameters: [Parameter]
    public var outputs: [Output]

    public init(
        id: String, name: String, version: String, vendor: String, licence: String, description: String,
        needs: Needs = Needs(), parameters: [Parameter] = [], outputs: [Output] = []
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.vendor = vendor
        self.licence = licence
        self.description = description
        self.needs = needs
        self.parameters = parameters
        self.outputs = outputs
    }
}

/// What must be there for `process`.
public struct Needs: Sendable {
    /// Names or globs of hook points: `*` is one part of a name, `**` any number.
    public var hooks: [String]
    /// Tensors with the padding after the audio as well.
    public var allFrames: Bool
    /// The samples of each clip.
    public var audio: Bool
    /// The decoder's tokens, and hook points in the decoder.
    public var decoder: Bool
    /// The data set's labels and alignments.
    public var labels: Bool
    /// The gradients of this objective beside the values, as tensors with "@grad" behind their hook's name:
    /// "transcript_log_probability", "encoder_sum", or what `auscult trace --objective` takes.
    public var gradientsOf: String?
    /// No recordings at all: `activate` and `finish` work through the host.
    public var nothingToHear: Bool
    /// All recordings in one run, in their order: two states cannot be put together. `merge` still takes a state into a
    /// new instance, and throws `unsupported` in one that has heard something.
    public var oneRun: Bool
    /// It can hear sound that is still being made: `process` then gets stretches of it, of any length, each frame once, whose
    /// ``Clip/windowCount`` is 0, and what it emits is shown at once. Not with the decoder, labels or gradients.
    public var canStream: Bool

    public init(
        hooks: [String] = [], allFrames: Bool = false, audio: Bool = false, decoder: Bool = false, labels: Bool = false,
        gradientsOf: String? = nil, nothingToHear: Bool = false, oneRun: Bool = false, canStream: Bool = false
    ) {
        self.hooks = hooks
        self.allFrames = allFrames
        self.audio = audio
        self.decoder = decoder
        self.labels = labels
        self.gradientsOf = gradientsOf
        self.nothingToHear = nothingToHear
        self.oneRun = oneRun
        self.canStream = canStream
    }
}

/// An argument that a run can have.
public struct Parameter: Sendable {
    public enum Kind: Int32, Sendable { case integer = 1, number, text, boolean, choice, path, column }

    /// Letters, digits, `_` and `-`.
    public let id: String
    public let kind: Kind
    public let description: String
    /// As an argument has it.
    public let defaultValue: String
    /// Bounds of integers and numbers; infinite where there is none.
    public let range: ClosedRange<Double>
    public let choices: [String]

    private init(
        _ id: String, _ kind: Kind, _ description: String, _ defaultValue: String,
        range: ClosedRange<Double> = -.infinity ... .infinity, choices: [String] = []
    ) {
        self.id = id
        self.kind = kind
        self.description = description
        self.defaultValue = defaultValue
        self.range = range
        self.choices = choices
    }

    public static func integer(
        _ id: String, default value: Int, in range: ClosedRange<Int>? = nil, _ description: String
    ) -> Parameter {
        let bounds = range.map { Double($0.lowerBound)...Double($0.upperBound) } ?? -.infinity ... .infinity
        return Parameter(id, .integer, description, String(value), range: bounds)
    }

    public static func number(
        _ id: String, default value: Double, in range: ClosedRange<Double> = -.infinity ... .infinity,
        _ description: String
    ) -> Parameter { Parameter(id, .number, description, String(value), range: range) }

    public static func text(_ id: String, default value: String = "", _ description: String) -> Parameter {
        Parameter(id, .text, description, value)
    }

    public static func boolean(_ id: String, default value: Bool, _ description: String) -> Parameter {
        Parameter(id, .boolean, description, String(value))
    }

    public static func choice(
        _ id: String, default value: String, of choices: [String], _ description: String
    ) -> Parameter { Parameter(id, .choice, description, value, choices: choices) }

    /// A column of the recordings, or one of `others`. The host refuses what is none before the first recording.
    /// - Parameter values: the least number of different values that it must have.
    public static func column(
        _ id: String, default value: String, or others: [String] = [], values: Int = 1, _ description: String
    ) -> Parameter {
        Parameter(id, .column, description, value, range: Double(values)...(.infinity), choices: others)
    }

    /// A path, which the host makes absolute.
    public static func path(_ id: String, default value: String = "", _ description: String) -> Parameter {
        Parameter(id, .path, description, value)
    }
}
