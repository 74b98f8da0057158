/// How a scan was made, beside its model, its plugin and its seed, which the scan has itself.
public struct AtlasProvenance: Codable, Sendable, Hashable {
    /// Of the program that scanned.
    public var version: String
    /// In what numbers the model computed: "exact", "int8", "bf16".
    public var precision: String
    /// How much of a window the encoder heard: "full" or "auto".
    public var context: String
    /// What stood for the silence behind a recording's end: "sound" or "mel".
    public var padding: String
    /// Changes to activations in their text form, in the order in which they were applied.
    public var interventions: [String]
    /// Of the list of recordings with all that was known about them but their sound, in hexadecimal.
    public var recordingsSha256: String
    /// All of the plugin's parameters, those that were left at their default too.
    public var arguments: [String: String]

    public init(
        version: String, precision: String, context: String, padding: String, interventions: [String],
        recordingsSha256: String, arguments: [String: String]
    ) {
        self.version = version
        self.precision = precision
        self.context = context
        self.padding = padding
        self.interventions = interventions
        self.recordingsSha256 = recordingsSha256
        self.arguments = arguments
    }
}
