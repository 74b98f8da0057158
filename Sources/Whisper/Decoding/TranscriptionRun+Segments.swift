/// A window's text in segments, and where to go on.
struct Cut {
    var segments: [Segment]
    /// The next window's first log-mel frame.
    var next: Int
    /// Tokens of the window's text that the segments have, from the first.
    let taken: Int
    /// The text ends with one timestamp, which says that no speech follows in this window.
    let endsWithOneTimestamp: Bool
}

extension TranscriptionRun {
    /// Cuts where one timestamp follows another. What comes behind the last such pair is unfinished and
    /// left to the next window, which begins at that pair; without a pair the whole window is one segment.
    func cut(_ result: DecodingResult, _ window: Window) -> Cut {
        let tokens = result.tokens
        let begin = tokenizer.timestampBegin
        let isTimestamp = tokens.map { $0 >= begin }
        let endsWithOne = isTimestamp.suffix(2) == [false, true]
        var ends = tokens.indices.dropFirst().filter { isTimestamp[$0 - 1] && isTimestamp[$0] }
        guard !ends.isEmpty else { return whole(result, window, endsWithOneTimestamp: endsWithOne) }

        if endsWithOne { ends.append(tokens.count) }
        var segments: [Segment] = []
        var start = 0
        for end in ends {
            let slice = tokens[start..<end]
            segments.append(
                segment(
                    Array(slice), result, window,
                    start: window.start + Double(tokens[start] - begin) * secondsPerFrame,
                    end: window.start + Double(tokens[end - 1] - begin) * secondsPerFrame))
            start = end
        }
        let next = endsWithOne ? window.frames : (tokens[start - 1] - begin) * 2
        return Cut(segments: segments, next: window.seek + next, taken: start, endsWithOneTimestamp: endsWithOne)
    }

    private func whole(_ result: DecodingResult, _ window: Window, endsWithOneTimestamp: Bool) -> Cut {
        let last = result.tokens.last { $0 >= tokenizer.timestampBegin }
        let steps = last.map { $0 - tokenizer.timestampBegin } ?? 0
        let duration = steps > 0 ? Double(steps) * secondsPerFrame : window.duration
        let segment = segment(result.tokens, result, window, start: window.start, end: window.start + duration)
        return Cut(
            segments: [segment], next: window.seek + window.frames, taken: result.tokens.count,
            endsWithOneTimestamp: endsWithOneTimestamp)
    }

    private func segment(
        _ tokens: [Int], _ result: DecodingResult, _ window: Window, start: Double, end: Double
    ) -> Segment {
        Segment(
            id: 0, seek: window.seek, start: start, end: end,
            text: tokenizer.decode(tokens.filter { $0 < tokenizer.endOfText }), tokens: tokens,
            temperature: result.temperature, avgLogprob: result.avgLogprob,
            compressionRatio: result.compressionRatio, noSpeechProb: result.noSpeechProb)
    }
}

extension Segment {
    /// A segment of no length or without text keeps its place, but says nothing and prompts nothing.
    mutating func clearIfEmpty(hasWords: Bool) {
        guard start == end || text.strippedOfWhitespace.isEmpty else { return }
        text = ""
        tokens = []
        words = hasWords ? [] : nil
    }
}

extension [Segment] {
    /// Where the last word ends, or the last segment where there are no words.
    var lastWordEnd: Double? { reversed().lazy.compactMap { $0.words?.last?.end }.first ?? last?.end }
}
