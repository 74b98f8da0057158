import Foundation

/// A model that was scanned.
public struct AtlasModel: AtlasRecord, Identifiable {
    public var id: Int64
    public var name: String
    /// Of its weights' files, in hexadecimal; empty where it is not known.
    public var sha256: String
    /// As openai/whisper names them: "n_audio_state", …
    public var dimensions: [String: Int]
}

/// The recordings that a scan went through.
public struct AtlasDataSet: AtlasRecord, Identifiable {
    public var id: Int64
    /// Its place: absolute paths, "demo:".
    public var name: String
    public var recordings: Int
}

/// One pass of a plugin over a data set.
public struct AtlasScan: AtlasRecord, Identifiable {
    public enum Status: String, Codable, Sendable {
        /// Being written, or left unfinished.
        case running
        case complete
    }

    public var id: Int64
    public var modelId: Int64
    public var dataSetId: Int64
    public var plugin: String
    public var version: String
    public var arguments: [String: String]
    /// A whole number up to 2⁶⁴ − 1, in decimal.
    public var seed: String
    public var status: Status
    public var started: Date
    public var finished: Date?
    /// Nil in what was scanned before it was kept.
    public var provenance: AtlasProvenance?
}

/// A scan with what it is about.
public struct AtlasScanDetail: Codable, Sendable, Hashable {
    public var scan: AtlasScan
    public var model: AtlasModel
    public var dataSet: AtlasDataSet
    /// In the model's order.
    public var hooks: [AtlasHook]
    public var selective: [AtlasSelective]
    public var problems: [AtlasProblem]
}

/// A hook point of a scan.
public struct AtlasHook: AtlasRecord {
    public var scanId: Int64
    public var hook: String
    /// How many features it has.
    public var features: Int
}

/// How many features of a hook point are selective, by the criterion's numbers.
public struct AtlasSelective: AtlasRecord {
    public var scanId: Int64
    public var hook: String
    public var features: Int
    public var selective: Int
    public var share: Double?
    /// Thresholds by their names.
    public var criterion: [String: Double]
}

/// A recording that was left out, and why.
public struct AtlasProblem: AtlasRecord {
    public var scanId: Int64
    public var recording: String
    public var reason: String
}
