import Atlas

/// A part of a recording that the page plays: all of a short recording, so that its examples share one sound, or what
/// is around a moment of a long one.
public struct PageExcerpt: Codable, Sendable, Hashable {
    public var recording: Int64
    /// Milliseconds from the recording's start: whole numbers, so that a name tells them exactly.
    public var firstMillisecond: Int
    public var lastMillisecond: Int

    /// Seconds up to which a recording is played whole.
    static let short = 6.0
    /// Seconds on each side of a moment of a longer one: what an example's curve reaches, ± 75 frames.
    static let around = 1.5
    /// Seconds that nothing played is longer than.
    static let longest = 30.0
    /// Seconds that no recording is longer than: farther on, milliseconds are not told apart as seconds.
    static let farthest = 1e9

    public var start: Double { Double(firstMillisecond) / 1000 }
    public var end: Double { Double(lastMillisecond) / 1000 }
    /// "12-0-2000".
    public var name: String { "\(recording)-\(firstMillisecond)-\(lastMillisecond)" }

    init(recording: Int64, firstMillisecond: Int, lastMillisecond: Int) {
        (self.recording, self.firstMillisecond, self.lastMillisecond) = (recording, firstMillisecond, lastMillisecond)
    }

    /// What is played of a moment; nil where the atlas does not know where the recording lies or how long it is, and for
    /// a long recording without a moment.
    init?(of recording: AtlasRecording, at moment: Double?) {
        guard recording.path != nil, let seconds = recording.seconds, seconds.isFinite, seconds > 0.001,
            seconds < Self.farthest
        else { return nil }
        // Rounded down: an excerpt may not reach beyond the recording.
        let last = Int(seconds * 1000)
        if seconds <= Self.short || moment == nil && seconds <= Self.longest {
            self.init(recording: recording.id, firstMillisecond: 0, lastMillisecond: last)
            return
        }
        guard let moment, moment.isFinite, moment >= 0, moment <= seconds else { return nil }
        let first = max(0, Int((moment - Self.around) * 1000))
        self.init(
            recording: recording.id, firstMillisecond: first,
            lastMillisecond: min(last, Int((moment + Self.around) * 1000)))
    }

    /// As ``name`` says it.
    /// - Throws: ``AtlasError`` (`invalidArgument`) for another text, and for a part that is empty or too long.
    init(name: String) throws {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        let isWhole = parts.allSatisfy {
            !$0.isEmpty && $0.utf8.count <= 18 && $0.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard parts.count == 3, isWhole, let recording = Int64(parts[0]), let first = Int(parts[1]),
            let last = Int(parts[2])
        else {
            throw AtlasError(
                .invalidArgument,
                "there is no sound '\(name.prefix(60))'; expected RECORDING-FIRST-LAST in milliseconds, as 12-0-2000")
        }
        guard first < last, Double(last - first) <= Self.longest * 1000, Double(last) <= Self.farthest * 1000 else {
            throw AtlasError(
                .invalidArgument,
                "there is no sound from \(first) to \(last) ms; expected a part of at most \(Int(Self.longest)) s")
        }
        self.init(recording: recording, firstMillisecond: first, lastMillisecond: last)
    }

    private enum Key: String, CodingKey { case name, start, end }

    public init(from decoder: any Decoder) throws {
        try self.init(name: try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .name))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(start, forKey: .start)
        try container.encode(end, forKey: .end)
    }
}

/// A sound that the page needs made.
public struct PageSound: Sendable, Hashable {
    public enum Format: Sendable { case wav, flac }

    /// A file's path, or "demo:NAME".
    public var path: String
    /// The recording within the file, in seconds; nil for its beginning and end.
    public var recordingStart: Double?
    public var recordingEnd: Double?
    /// The part that is wanted, in seconds from the recording's start.
    public var start: Double
    public var end: Double
    public var format: Format
}

/// Makes a sound file; mono, 16 kHz.
public typealias PageSoundMaker = @Sendable (PageSound) async throws -> [UInt8]
