import ArgumentParser
import Messages

/// Which part of a recording a command looks at.
struct SpanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Start at this time.", valueName: "seconds")) var start: Double?
    @Option(help: ArgumentHelp("End at this time.", valueName: "seconds")) var end: Double?

    func validate() throws {
        guard let span else { return }
        let upper = span.end ?? .greatestFiniteMagnitude
        guard span.start >= 0, span.start < upper, span.start.isFinite else {
            throw ValidationError("--start and --end must be 0 ≤ start < end, not \(span.start) and \(upper).")
        }
    }

    /// Half open; nil for all of it.
    var span: V1.Span? { start == nil && end == nil ? nil : V1.Span(start: start ?? 0, end: end) }
}

/// What the speech is and what is to be made of it.
struct SpeechOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The language spoken: a code or an English name; without it, it is detected.")
    var language: String?

    @Option(help: "Transcribe in the language spoken, or translate to English.") var task = V1.Task.transcribe
}
