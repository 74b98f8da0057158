import PluginDraws
import PluginKit

/// What is known of the recordings that were heard: all that grows with them, a few hundred bytes each.
struct Recordings {
    /// Something heard from `start` to `end`, in seconds of the recording's file, half open.
    struct Sound: Timed, Equatable {
        let start, end: Double
        /// Its number in the vocabulary.
        let label: Int32
    }

    struct Recording: Equatable {
        var name: String
        /// Seconds in its file at which it begins.
        var origin: Double
        /// Of audio that was heard.
        var seconds: Double
        /// Valid encoder frames that were heard.
        var frames: UInt64
        var columns: [String: String]
        var phonemes: [Sound]
        var words: [Sound]
        /// What the decoder read in each window, by the window's number.
        var tokens: [Int: [Int32]]
    }

    private(set) var all: [UInt64: Recording] = [:]
    /// Labels of sounds and words, numbered as they came.
    private(set) var labels = Vocabulary()
    /// Phonemes by another numbering, without gaps: the tables count by it.
    private(set) var sounds = Vocabulary()

    init(_ all: [UInt64: Recording] = [:], labels: Vocabulary = .init(), sounds: Vocabulary = .init()) {
        (self.all, self.labels, self.sounds) = (all, labels, sounds)
    }

    /// - Parameters:
    ///   - windowSeconds: of the model: where window `clip.window` begins in the recording.
    mutating func hear(_ clip: Clip, windowSeconds: Double) throws {
        guard clip.recording < FrameMoment.recordings else {
            throw PluginError(
                .limit, "\(clip.name) is recording \(clip.recording), expected below \(FrameMoment.recordings)")
        }
        let isNew = all[clip.recording] == nil
        var recording =
            all[clip.recording]
            ?? Recording(
                name: clip.name, origin: clip.start - Double(clip.window) * windowSeconds, seconds: 0, frames: 0,
                columns: clip.labels, phonemes: [], words: [], tokens: [:])
        recording.seconds += max(0, clip.duration)
        recording.frames += UInt64(clip.validFrames)
        if isNew {
            recording.phonemes = numbered(clip.phonemes, \.withoutStress)
            recording.words = numbered(clip.words) { $0 }
            for sound in clip.phonemes { _ = sounds.number(sound.label.withoutStress) }
            guard sounds.names.count <= Self.mostSounds else {
                throw PluginError(
                    .limit,
                    "\(clip.name) brings the \(sounds.names.count)th phoneme, '\(clip.phonemes.last?.label ?? "")'; at most "
                        + "\(Self.mostSounds) can be told apart: are words given as phonemes?")
            }
        }
        if !clip.tokens.isEmpty { recording.tokens[clip.window] = Array(clip.tokens) }
        all[clip.recording] = recording
    }

    /// In the order of time, which searching relies on.
    private mutating func numbered(_ list: [TimedLabel], _ name: (String) -> String) -> [Sound] {
        list.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
            .map { Sound(start: $0.start, end: $0.end, label: labels.number(name($0.label))) }
    }

    static let mostSounds = 512

    var numbers: [UInt64] { all.keys.sorted() }
    subscript(number: UInt64) -> Recording? { all[number] }

    /// Takes in others, with their own numbering of labels.
    mutating func merge(_ other: Recordings) throws {
        let labels = other.labels.names.map { self.labels.number($0) }
        for name in other.sounds.names { _ = sounds.number(name) }
        guard sounds.names.count <= Self.mostSounds else {
            throw PluginError(
                .limit, "there are \(sounds.names.count) phonemes, at most \(Self.mostSounds) are told apart")
        }
        func renumbered(_ list: [Sound]) -> [Sound] {
            list.map { Sound(start: $0.start, end: $0.end, label: labels[Int($0.label)]) }
        }
        for (number, theirs) in other.all {
            guard var mine = all[number] else {
                var new = theirs
                (new.phonemes, new.words) = (renumbered(theirs.phonemes), renumbered(theirs.words))
                all[number] = new
                continue
            }
            // Two parts of one recording.
            guard mine.name == theirs.name else {
                throw PluginError(
                    .invalidArgument, "recording \(number) is \(mine.name) here and \(theirs.name) in the saved state")
            }
            mine.seconds += theirs.seconds
            mine.frames += theirs.frames
            mine.tokens.merge(theirs.tokens) { first, _ in first }
            all[number] = mine
        }
    }
}

/// Strings by numbers.
struct Vocabulary {
    private(set) var names: [String] = []
    private var numbers: [String: Int32] = [:]

    init(_ names: [String] = []) { for name in names { _ = number(name) } }

    /// The number of a name, which gets the next where it has none.
    mutating func number(_ name: String) -> Int32 {
        if let known = numbers[name] { return known }
        let new = Int32(clamping: names.count)
        names.append(name)
        numbers[name] = new
        return new
    }

    func find(_ name: String) -> Int32? { numbers[name] }
    subscript(number: Int32) -> String { names.indices.contains(Int(number)) ? names[Int(number)] : "" }
}
