/// A recording of a scan's data set.
public struct AtlasRecording: AtlasRecord, Identifiable {
    public var id: Int64
    public var scanId: Int64
    /// Its number in the plugin's tables.
    public var number: Int
    public var name: String?
    /// A file, absolute, or "demo:NAME"; nil where the scan did not know.
    public var path: String?
    /// The part of the file that is meant, in seconds; nil for its beginning and end.
    public var start: Double?
    public var end: Double?
    public var seconds: Double?
    /// Encoder frames, 20 ms each.
    public var frames: Int?
    /// Of the file's bytes when it was scanned, in hexadecimal.
    public var sha256: String?
    public var speaker: String?
    public var language: String?
    public var text: String?
    /// "name" where it served to name features, "score" where it served to score the names; else nil.
    public var split: String?
    /// Further columns of the data set.
    public var labels: [String: String]
}

/// Something that is heard in a recording, in seconds from the beginning of its file, half open; a token has its position in
/// place of a time, and ends where the next one is.
public struct AtlasSound: AtlasRecord {
    public var recordingId: Int64
    /// "phoneme", "word" or "token".
    public var kind: String
    public var start: Double
    public var end: Double
    public var label: String
}

/// A recording with what is heard in it.
public struct AtlasRecordingDetail: Codable, Sendable, Hashable {
    public var recording: AtlasRecording
    /// In their order in time.
    public var sounds: [AtlasSound]
    /// Features that have it among their strongest examples.
    public var features: [AtlasRecordingFeature]
}

/// A feature that a recording excites more than nearly all others do.
public struct AtlasRecordingFeature: AtlasRecord {
    public var featureId: Int64
    public var hook: String
    public var number: Int
    public var side: String
    public var rank: Int
    public var frame: Int
    public var seconds: Double?
    public var value: Double
}
