import PluginKit
import PluginTranscripts

/// Puts in a part of the encoder's output what it is for padding, and looks which words are written no more: at one place of each
/// recording, or at words of a data set whose times are known.
public struct CutWordsPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.cut-words", name: "Cut words", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description:
            "What is written when a part of the encoder's output is that of padding: at a place of one recording, or at words of a data set, "
            + "and how often exactly that word is gone.",
        needs: Needs(audio: true, labels: true),
        parameters: [
            .text("frames", "cuts from one frame of 20 ms to before another, as 0:50"),
            .text("seconds", "cuts from a second to another, as 3:3.5"),
            .text("word", "cuts a word by its number in the transcript (3, or 3-5) or by what is said"),
            .text(
                "margins", default: "-0.05,0,0.05,0.1,0.2,0.4",
                "without a place: seconds to each side of a word that are cut with it; a negative one leaves its edges"),
            .integer(
                "words", default: 4, in: 0...1000,
                "without a place: words of each recording that are cut, one at a time, drawn by the seed; 0 for all"),
            .text("hook", default: "encoder.ln_post", "where the encoder is cut"),
            Transcriber.parameter,
        ],
        outputs: CutReport.outputs)

    /// What was heard.
    public struct State: Codable {
        var cuts: [Cut] = []
        /// Recordings at a place that was asked for.
        var places: [PlaceCut] = []
        var gatherer = RecordingGatherer()
        /// Names of recordings without times of words, and of those that take several windows.
        var untimed: [String] = []
        var long: [String] = []
        /// Words whose times are known, and those among them that are written.
        var spoken = 0, written = 0
    }

    struct PlaceCut: Codable {
        let recording: UInt64
        let name, unchanged, changed: String
    }

    public private(set) var state = State()
    private let place: CutPlace?
    private let margins: [Double]
    private let count: Int
    private let hook: String
    private let transcriber: Transcriber
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        place = try CutPlace(arguments)
        margins = try arguments.numbers("margins")
        count = try arguments.integer("words")
        hook = try arguments.text("hook")
        guard !margins.isEmpty, margins.allSatisfy({ abs($0) <= 30 }) else {
            throw PluginError(
                .invalidArgument, "margins is \"\(try arguments.text("margins"))\"; expected seconds, as 0,0.1,0.2")
        }
        guard !hook.isEmpty, !hook.contains(" ") else {
            throw PluginError(
                .invalidArgument, "hook is \"\(hook)\"; expected a hook point of the encoder, as encoder.ln_post")
        }
        transcriber = Transcriber(host: host, language: try arguments.text("language"))
        self.host = host
    }

    /// Words have times in data sets that say so.
    public var needs: Needs { Needs(audio: true, labels: place == nil) }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let recording = state.gatherer.add(clip) else { return }
        if let place { return try cut(recording, at: place, results) }
        guard recording.windows == 1 else { return state.long.append(recording.name) }
        guard !recording.words.isEmpty else { return state.untimed.append(recording.name) }
        let unchanged = try transcriber.text(recording), known = SpokenWords(recording, transcript: unchanged)
        state.spoken += recording.words.count
        state.written += known.all.count
        let drawn = known.drawn(count, of: recording.name, seed: run?.seed ?? 0)
        for (number, word) in drawn.enumerated() {
            for (step, margin) in margins.enumerated() {
                host.progress(
                    Double(number * margins.count + step), of: Double(drawn.count * margins.count), unit: "cuts")
                // A frame is cut where more than half of it is to be.
                let from = max(0, Int(((word.start - margin) * 50).rounded()))
                let to = min(recording.validFrames, Int(((word.end + margin) * 50).rounded()))
                guard to > from else { continue }
                let changed = try transcriber.text(
                    recording, [CutPlace.frames(from..<to).intervention(at: hook)])
                state.cuts.append(
                    Cut(
                        recording: recording.recording, name: recording.name, spoken: word.spoken, word: word.text,
                        duration: word.end - word.start, margin: margin, frames: [from, to], place: word.place,
                        unchanged: unchanged, changed: changed))
            }
        }
    }

    private mutating func cut(_ recording: HeardRecording, at place: CutPlace, _ results: Results) throws {
        let unchanged = try transcriber.text(recording)
        let changed = try transcriber.text(recording, [place.intervention(at: hook)])
        state.places.append(
            PlaceCut(recording: recording.recording, name: recording.name, unchanged: unchanged, changed: changed))
        try results.emit(
            "difference", .text(WordAlignment(unchanged, changed).difference), recording: recording.name)
    }

    public mutating func merge(state other: State) throws {
        guard other.cuts.allSatisfy(\.isSound), other.gatherer.isSound,
            (0...(1 << 40)).contains(other.spoken), (0...other.spoken).contains(other.written)
        else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its cuts are of no words")
        }
        state.cuts += other.cuts
        state.places += other.places
        state.gatherer.merge(other.gatherer)
        state.untimed += other.untimed
        state.long += other.long
        state.spoken += other.spoken
        state.written += other.written
    }

    public mutating func finish(_ results: Results) throws {
        state.gatherer.tell(host)
        for (why, names) in [("takes several windows", state.long), ("has no times of words", state.untimed)] {
            for name in names { host.log("\(name) \(why), and was passed over", .warning) }
        }
        if place == nil, state.cuts.isEmpty, !state.untimed.isEmpty {
            throw PluginError(
                .invalidArgument,
                "no recording has times of words, which say what to cut: 'auscult align' makes a data set that has; or name a place, as "
                    + "seconds=3:3.5 or word=3")
        }
        let order = { (a: Cut, b: Cut) in (a.recording, a.spoken, a.margin) < (b.recording, b.spoken, b.margin) }
        try CutReport(
            cuts: state.cuts.sorted(by: order), places: state.places.sorted { $0.recording < $1.recording },
            margins: margins.sorted(), hook: hook, place: place, spoken: state.spoken, written: state.written
        ).emit(results)
    }
}
