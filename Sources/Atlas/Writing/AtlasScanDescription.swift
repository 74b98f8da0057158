/// What a new scan is about.
public struct AtlasScanDescription: Sendable {
    public var model: String
    /// Of its weights, in hexadecimal.
    public var modelSHA256: String
    public var dimensions: [String: Int]
    /// The data set's place: absolute paths, "demo:".
    public var dataSet: String
    public var recordings: Int
    public var plugin: String
    public var version: String
    public var arguments: [String: String]
    /// Which of the arguments say what the features are made of, a dictionary or directions: scans that differ in them are
    /// of different features, and stay beside each other.
    public var makers: Set<String>
    public var seed: UInt64
    public var provenance: AtlasProvenance?

    public init(
        model: String, modelSHA256: String, dimensions: [String: Int], dataSet: String, recordings: Int, plugin: String,
        version: String, arguments: [String: String], makers: Set<String> = [], seed: UInt64,
        provenance: AtlasProvenance? = nil
    ) {
        self.model = model
        self.modelSHA256 = modelSHA256
        self.dimensions = dimensions
        self.dataSet = dataSet
        self.recordings = recordings
        self.plugin = plugin
        self.version = version
        self.arguments = arguments
        self.makers = makers
        self.seed = seed
        self.provenance = provenance
    }
}

/// Where a recording of a table lies, which the tables do not say.
public struct AtlasRecordingPlace: Sendable, Hashable {
    /// A file, absolute, or "demo:NAME".
    public var path: String
    /// The part of the file that is meant, in seconds.
    public var start: Double?
    public var end: Double?
    /// Of the file's bytes, in hexadecimal.
    public var sha256: String?

    public init(path: String, start: Double? = nil, end: Double? = nil, sha256: String? = nil) {
        self.path = path
        self.start = start
        self.end = end
        self.sha256 = sha256
    }
}
