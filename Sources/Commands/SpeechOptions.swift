import ArgumentParser
import Whisper

/// Which part of a recording a command looks at.
struct SpanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Begin here.", valueName: "seconds")) var start: Double?
    @Option(help: ArgumentHelp("End here.", valueName: "seconds")) var end: Double?

    func validate() throws { _ = try seconds }

    /// Half open; nil for all of it.
    var seconds: Range<Double>? {
        get throws {
            guard start != nil || end != nil else { return nil }
            let lower = start ?? 0
            let upper = end ?? .greatestFiniteMagnitude
            guard lower >= 0, lower < upper, lower.isFinite else {
                throw ValidationError("--start and --end must be 0 ≤ start < end, not \(lower) and \(upper).")
            }
            return lower..<upper
        }
    }
}

/// What the speech is and what is to be made of it.
struct SpeechOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The language spoken: a code or an English name; without it, it is detected.")
    var language: String?

    @Option(help: "Write the speech down in its own language, or in English.") var task = SpeechTask.transcribe
}
