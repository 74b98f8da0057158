import PluginKit

/// A recording with its sound, to be written down more than once.
package struct HeardRecording: Codable, Sendable {
    /// Its number in the data set.
    package let recording: UInt64
    package let name: String
    /// What is said in it, by the data set; empty where that is not known.
    package let text: String
    /// By the data set; empty where it does not say.
    package let language: String
    package let labels: [String: String]
    package let words: [Word]
    /// 16 kHz, mono.
    package fileprivate(set) var samples: [Float]
    /// Encoder frames of its first window that overlap sound.
    package let validFrames: Int
    package let windows: Int

    package struct Word: Codable, Equatable, Sendable {
        package let start, end: Double
        package let text: String

        package init(start: Double, end: Double, text: String) {
            (self.start, self.end, self.text) = (start, end, text)
        }
    }

    /// A sound that was made, of one window.
    /// - Parameter recording: a number that the data set has not.
    package init(recording: UInt64, name: String, samples: [Float], labels: [String: String] = [:]) {
        (self.recording, self.name, self.samples, self.labels) = (recording, name, samples, labels)
        (text, language, words, windows) = ("", "", [], 1)
        validFrames = (samples.count + 319) / 320
    }

    /// Whether it can be what was heard.
    package var isSound: Bool {
        samples.count <= RecordingGatherer.mostSamples && samples.allSatisfy(\.isFinite)
            && (0...(1 << 20)).contains(validFrames) && (0...(1 << 20)).contains(windows)
            && words.allSatisfy { $0.start.isFinite && $0.end.isFinite }
    }
}

/// Puts the windows of each recording together.
package struct RecordingGatherer: Codable, Sendable {
    /// Ten minutes. A whole recording is in memory.
    package static let mostSamples = 600 * 16_000

    private var open: HeardRecording?
    private var isTooLong = false
    /// Names of recordings that are longer, which were passed over.
    private var tooLong: [String] = []

    package init() {}

    /// Tells whoever runs this what was passed over.
    package func tell(_ host: Host) {
        for name in tooLong { host.log("\(name) is longer than ten minutes, and was passed over", .warning) }
    }

    /// - Returns: the recording, with its last window.
    package mutating func add(_ clip: Clip) -> HeardRecording? {
        if clip.window == 0 {
            open = HeardRecording(clip)
            isTooLong = false
        } else {
            open?.samples.append(contentsOf: clip.samples)
        }
        if let open, open.samples.count > Self.mostSamples {
            isTooLong = true
            self.open?.samples = []
        }
        guard clip.isLastWindow else { return nil }
        defer { open = nil }
        guard !isTooLong else {
            tooLong.append(clip.name)
            return nil
        }
        return open.flatMap { $0.samples.isEmpty ? nil : $0 }
    }

    /// Takes in what another has gathered after this one.
    package mutating func merge(_ other: RecordingGatherer) {
        tooLong += other.tooLong
        (open, isTooLong) = (other.open, other.isTooLong)
    }

    package var isSound: Bool { open?.isSound ?? true }
}

extension HeardRecording {
    fileprivate init(_ clip: Clip) {
        recording = clip.recording
        name = clip.name
        text = clip.labels["text"] ?? clip.words.map(\.label).joined(separator: " ")
        language = clip.labels["language"] ?? ""
        labels = clip.labels
        words = clip.words.map { Word(start: $0.start, end: $0.end, text: $0.label) }
        samples = Array(clip.samples)
        validFrames = clip.validFrames
        windows = clip.windowCount
    }
}

/// The first recordings of a data set, kept for what is asked at the end: the same for every order and every way to share them out.
package struct KeptRecordings: Codable, Sendable {
    package private(set) var all: [HeardRecording] = []

    package init() {}

    package mutating func add(_ recording: HeardRecording, atMost count: Int) {
        let place = all.firstIndex { $0.recording > recording.recording } ?? all.endIndex
        guard place < count, !all.contains(where: { $0.recording == recording.recording }) else { return }
        all.insert(recording, at: place)
        if all.count > count { all.removeLast(all.count - count) }
    }

    package mutating func merge(_ other: KeptRecordings, atMost count: Int) {
        for recording in other.all { add(recording, atMost: count) }
    }

    package var isSound: Bool { all.allSatisfy(\.isSound) }
}
