import Messages

/// How recordings are to be read.
package struct ReadingChoices: Sendable {
    /// Whether standard input is samples, whatever it looks like.
    package var raw = false
    /// Whether what would be a notice is an error.
    package var strict = false

    package init(raw: Bool = false, strict: Bool = false) {
        self.raw = raw
        self.strict = strict
    }

    /// The part of a recording to read: the one that its manifest means, and of that the one that is asked for.
    func span(of recording: RecordingArgument, within asked: V1.Span?) -> V1.Span? {
        guard let meant = recording.span else { return asked }
        guard let asked else { return meant }
        let ends = [asked.end.map { meant.start + $0 }, meant.end].compactMap(\.self)
        return V1.Span(start: meant.start + asked.start, end: ends.min())
    }
}
